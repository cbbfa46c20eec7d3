//! `loadgen`: opens many sockets against a running `chat-server`, over its real contract, and measures.
//!
//! `loadgen suite` starts its own servers and measures the whole table of `docs/benchmarks.md`; the other
//! commands run one scenario each against a server that is there.

mod checks;
mod crowd;
mod fsync;
mod message;
mod meter;
mod pairs;
mod procfs;
mod say;
mod scenario;
mod server;
mod stats;
mod suite;
mod system;
mod users;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::scenario::{Target, closed, idle, logins, paced, pages, presence, sync};
use chat_client::ClientError as LoadError;

/// Measures a chat server.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keeps sends in flight on every socket: throughput, CPU a message, loss, doubles and order.
    Closed(Run<closed::Closed>),
    /// Sends at scheduled times: latency, beside the disk's own sync.
    Paced(Run<paced::Paced>),
    /// Holds idle connections: memory and CPU of each.
    Idle(Run<idle::Idle>),
    /// Lets users come online while others are: CPU of each, and whether everybody heard.
    Presence(Run<presence::Presence>),
    /// Asks for history pages, newest and deep: CPU of each.
    Pages(Run<pages::Pages>),
    /// Has a device catch up: CPU of each time.
    Sync(Run<sync::Sync>),
    /// Sends messages alone and beside logins: p99 of both.
    Logins(Run<logins::Logins>),
    /// Starts servers and measures the whole table.
    Suite(suite::Suite),
}

/// One scenario against one server.
#[derive(Debug, clap::Args)]
struct Run<T: clap::Args> {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    scenario: T,
    /// Binds the load tool to this processor.
    #[arg(long)]
    load_core: Option<usize>,
    /// Writes JSON instead of lines.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match start(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::note(&format!("loadgen: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// One thread for everything: a load tool that shares its core with nobody needs no locks.
fn start(command: Command) -> Result<(), LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(LoadError::io("start the runtime"))?;
    tokio::task::LocalSet::new().block_on(&runtime, run(command))
}

async fn run(command: Command) -> Result<(), LoadError> {
    match command {
        Command::Closed(run) => run.show(closed::run).await,
        Command::Paced(run) => run.show(paced::run).await,
        Command::Idle(run) => run.show(idle::run).await,
        Command::Presence(run) => run.show(presence::run).await,
        Command::Pages(run) => run.show(pages::run).await,
        Command::Sync(run) => run.show(sync::run).await,
        Command::Logins(run) => run.show(logins::run).await,
        Command::Suite(suite) => suite::run(suite).await,
    }
}

impl<T: clap::Args> Run<T> {
    async fn show<F: serde::Serialize>(
        self,
        scenario: impl AsyncFnOnce(Target, T) -> Result<F, LoadError>,
    ) -> Result<(), LoadError> {
        self.load_core.map_or(Ok(()), system::pin_to)?;
        say::figures(&scenario(self.target, self.scenario).await?, self.json)
    }
}
