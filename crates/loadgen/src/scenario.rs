//! The scenarios: each takes options, runs against a server that is there, and returns its figures.

pub(crate) mod closed;
pub(crate) mod idle;
pub(crate) mod logins;
pub(crate) mod paced;
pub(crate) mod pages;
pub(crate) mod presence;
pub(crate) mod sync;

use std::net::SocketAddr;

use clap::Args;

/// The server under load.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Target {
    /// Address of the server.
    #[arg(long, default_value = "127.0.0.1:5000")]
    pub(crate) server: SocketAddr,
    /// Process id of the server, on this machine: its CPU time and memory are measured.
    #[arg(long)]
    pub(crate) server_pid: Option<u32>,
}

/// The pairs that write to each other.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PairArgs {
    /// Pairs of users; each user has one connection.
    #[arg(long, default_value_t = 50)]
    pub(crate) pairs: usize,
    /// Bytes of a message's text.
    #[arg(long, default_value_t = 96)]
    pub(crate) size: usize,
    /// Sends a `clientId` with every message.
    #[arg(long)]
    pub(crate) client_ids: bool,
}
