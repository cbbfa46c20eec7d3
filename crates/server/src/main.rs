//! `chat-server`: the chat in one binary.
//!
//! **What it is.** The only crate that knows all the others: it reads the settings, builds the adapters, joins
//! them to the chat and the transport, runs them, and ends them in order.
//!
//! **Where to begin.** [`cli`] lists the commands; `serve` is [`serve`], which goes through [`compose`] (what
//! is built of what) to [`lifecycle`] (signals, drain, deadline). Settings are in [`settings`], one table.

use std::{
    io::{self, Write},
    process::ExitCode,
};

mod cli;
mod commands;
mod compose;
mod control;
mod failure;
mod folder;
mod lifecycle;
mod listen;
mod logging;
mod migrate;
mod moving;
mod page;
mod serve;
mod settings;
mod storage;
mod system;
mod tls;
mod verify;

/// It gives memory back to the system a moment after it is free, also that of idle threads, and serves the C code (SQLite's
/// pages) as well: see decision 0013, and `.cargo/config.toml` for how it is set.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // The store, backups, secrets: what this program writes is for its owner alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where standard error is gone, the exit code has to do.
            let _unheard = writeln!(io::stderr(), "chat-server: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
