//! Idle connections: what one costs to open, and what memory it holds while nothing happens.

use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::Target;
use crate::crowd::Crowd;
use crate::meter::Meter;
use crate::stats::round;
use crate::{procfs, system, users};
use chat_client::ClientError as LoadError;
use chat_client::packets::Packet;

/// Options of the idle scenario.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Idle {
    /// Connections to hold open.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) connections: usize,
    /// Users they belong to, evenly: presence to everyone grows with users, not with connections.
    #[arg(long, default_value_t = 200)]
    pub(crate) users: usize,
    /// Seconds of rest before memory is read.
    #[arg(long, default_value_t = 3)]
    pub(crate) settle: u64,
}

/// Figures of idle connections.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IdleFigures {
    /// Authenticated websocket connections that stood at the end.
    pub(crate) connections: usize,
    /// Resident memory of the server before the first of them, in KiB.
    pub(crate) rss_before_kib: Option<u64>,
    /// The same with all of them open.
    pub(crate) rss_after_kib: Option<u64>,
    /// The difference, for each connection.
    pub(crate) kib_per_connection: Option<f64>,
    /// Connections opened a second: TCP, upgrade, namespace and token, 64 at a time.
    pub(crate) connections_per_second: f64,
    /// Server CPU for each.
    pub(crate) server_cpu_us_per_connection: Option<f64>,
}

/// Registers the users, opens the connections and reads the server's memory before and after.
///
/// # Errors
/// When a connection was refused or did not stay.
pub(crate) async fn run(target: Target, options: Idle) -> Result<IdleFigures, LoadError> {
    system::allow_connections(options.connections)?;
    if options.users == 0 {
        return Err(LoadError::Usage("at least one user".into()));
    }
    let users = users::register(target.server, options.users).await?;
    let rss_before = target.server_pid.map(procfs::rss_kib).transpose()?;
    let meter = Meter::read(target.server_pid)?;
    let tokens = users.iter().cycle().take(options.connections).map(|user| Rc::clone(&user.token));
    let mut crowd = Crowd::default();
    crowd.open(target.server, tokens, |_, _| |_: Packet<'_>, _| Ok(())).await?;
    let (cost, connections) = (meter.cost()?, options.connections as u64);
    tokio::time::sleep(Duration::from_secs(options.settle)).await;
    let rss_after = target.server_pid.map(procfs::rss_kib).transpose()?;
    crowd.check_unbroken()?;
    let grown = rss_after.zip(rss_before).map(|(after, before)| after.saturating_sub(before));
    Ok(IdleFigures {
        connections: options.connections,
        rss_before_kib: rss_before,
        rss_after_kib: rss_after,
        kib_per_connection: grown.map(|kib| round(kib as f64 / connections.max(1) as f64, 2)),
        connections_per_second: cost.rate(connections),
        server_cpu_us_per_connection: cost.server_each(connections),
    })
}
