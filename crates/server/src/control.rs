//! The control socket: commands for a running server, through the data folder.
//!
//! A Unix socket `control.sock`, for its owner only. One JSON line asks, one answers. Where no server
//! runs, a command does the same work on the store itself: see [`ask`].

use std::path::{Path, PathBuf};

mod client;
mod desk;
mod protocol;
mod server;

pub(crate) use client::ask;
pub(crate) use desk::Desk;
pub(crate) use protocol::{Answer, Request};
pub(crate) use server::ControlServer;

/// Where the socket of a data folder is.
fn path(folder: &Path) -> PathBuf {
    folder.join("control.sock")
}

#[cfg(test)]
mod tests;
