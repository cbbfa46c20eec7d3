//! Closed loop: every socket keeps a fixed number of sends in flight, so the server sets the pace.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::{PairArgs, Target};
use crate::checks::Checks;
use crate::message::MIN_SIZE;
use crate::meter::{Cost, Meter};
use crate::pairs::{Pairs, Shape};
use crate::stats::Percentiles;
use crate::users;
use chat_client::ClientError as LoadError;

/// Options of the closed loop.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Closed {
    /// Who writes what.
    #[command(flatten)]
    pub(crate) pairs: PairArgs,
    /// Sends in flight on every socket, which is in each direction of a pair.
    #[arg(long, default_value_t = 16)]
    pub(crate) in_flight: u64,
    /// Seconds before the measurement begins.
    #[arg(long, default_value_t = 3)]
    pub(crate) warm_up: u64,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u64,
    /// Sends so many messages instead, without warm-up, and measures them all.
    #[arg(long)]
    pub(crate) count: Option<u64>,
}

/// Figures of a closed loop.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClosedFigures {
    /// Messages that arrived while it was measured.
    pub(crate) delivered: u64,
    /// The same, a second.
    pub(crate) delivered_per_second: f64,
    /// Server CPU (user and system) for each of them.
    pub(crate) server_cpu_us_per_message: Option<f64>,
    /// The load tool's own CPU for each: near the server's, the load tool would be the limit.
    pub(crate) load_cpu_us_per_message: f64,
    /// From sending to the acknowledgement.
    pub(crate) send_to_ack: Percentiles,
    /// From sending to the other side.
    pub(crate) send_to_receive: Percentiles,
    /// What went wrong, over the whole run.
    pub(crate) checks: Checks,
}

/// Registers the pairs and runs the loop.
///
/// # Errors
/// When the server cannot be reached or breaks the protocol; refused sends are counted instead.
pub(crate) async fn run(target: Target, options: Closed) -> Result<ClosedFigures, LoadError> {
    let pairs = open(target, options.pairs).await?;
    let (cost, delivered) = match options.count {
        Some(count) => counted(target, &pairs, options.in_flight, count).await?,
        None => timed(target, &pairs, options).await?,
    };
    let tally = pairs.tally();
    Ok(ClosedFigures {
        delivered,
        delivered_per_second: cost.rate(delivered),
        server_cpu_us_per_message: cost.server_each(delivered),
        load_cpu_us_per_message: cost.own_each(delivered),
        send_to_ack: tally.ack_times.borrow().percentiles(),
        send_to_receive: tally.receive_times.borrow().percentiles(),
        checks: pairs.checks(),
    })
}

/// Registers and connects the users of `args`.
///
/// # Errors
/// When one of them was refused, or the options make no sense.
pub(crate) async fn open(target: Target, args: PairArgs) -> Result<Pairs, LoadError> {
    if args.size < MIN_SIZE || args.pairs == 0 {
        return Err(LoadError::Usage(format!("at least one pair and {MIN_SIZE} bytes a message")));
    }
    let users = users::register(target.server, args.pairs * 2).await?;
    Pairs::open(target.server, &users, Shape { size: args.size, client_ids: args.client_ids }).await
}

async fn timed(target: Target, pairs: &Pairs, options: Closed) -> Result<(Cost, u64), LoadError> {
    pairs.start_loop(options.in_flight, u64::MAX)?;
    tokio::time::sleep(Duration::from_secs(options.warm_up)).await;
    let tally = pairs.tally();
    let (meter, before) = (Meter::read(target.server_pid)?, tally.delivered.get());
    tally.recording.set(true);
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    tally.recording.set(false);
    let (cost, delivered) = (meter.cost()?, tally.delivered.get() - before);
    pairs.stop_loop();
    pairs.drain().await;
    Ok((cost, delivered))
}

/// Sends `count` messages over `pairs` and waits for the last one.
///
/// # Errors
/// When a connection is gone or the server's process is.
pub(crate) async fn counted(
    target: Target,
    pairs: &Pairs,
    in_flight: u64,
    count: u64,
) -> Result<(Cost, u64), LoadError> {
    let tally = pairs.tally();
    let (meter, before) = (Meter::read(target.server_pid)?, tally.delivered.get());
    tally.recording.set(true);
    pairs.start_loop(in_flight, count)?;
    pairs.drain().await;
    tally.recording.set(false);
    Ok((meter.cost()?, tally.delivered.get() - before))
}
