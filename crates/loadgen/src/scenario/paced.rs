//! Open loop: messages leave at scheduled times, whatever the server does, and latency counts from the
//! schedule; so a stall of the server is seen by every message that falls into it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::closed;
use super::{PairArgs, Target};
use crate::checks::Checks;
use crate::fsync::FsyncProbe;
use crate::meter::Meter;
use crate::pairs::Pairs;
use crate::stats::{Histogram, Percentiles, round};
use chat_client::ClientError as LoadError;
use chat_client::clock;

/// Each second of schedule is followed by so many syncs of a probe file, while the server is quiet.
const PROBES: u32 = 40;

/// Options of the open loop.
#[derive(Debug, Clone, Args)]
pub(crate) struct Paced {
    /// Who writes what.
    #[command(flatten)]
    pub(crate) pairs: PairArgs,
    /// Messages a second, over all pairs.
    #[arg(long, default_value_t = 2_000)]
    pub(crate) rate: u64,
    /// Seconds before the measurement begins.
    #[arg(long, default_value_t = 3)]
    pub(crate) warm_up: u64,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u64,
    /// Folder on the store's disk: the disk's own sync is measured there, between the seconds of the run.
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}

/// Figures of an open loop.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PacedFigures {
    /// Messages that arrived while it was measured.
    pub(crate) delivered: u64,
    /// Server CPU (user and system) for each of them.
    pub(crate) server_cpu_us_per_message: Option<f64>,
    /// From the scheduled time to the acknowledgement.
    pub(crate) schedule_to_ack: Percentiles,
    /// From the scheduled time to the other side.
    pub(crate) schedule_to_receive: Percentiles,
    /// How far the load tool itself was behind its schedule.
    pub(crate) send_lag: Percentiles,
    /// One 4 KiB append and fdatasync.
    pub(crate) fsync: Option<Percentiles>,
    /// Median latency to the other side in medians of the sync.
    pub(crate) p50_in_fsyncs: Option<f64>,
    /// What went wrong, over the whole run.
    pub(crate) checks: Checks,
}

/// Registers the pairs and runs the schedule.
///
/// # Errors
/// When the server cannot be reached or breaks the protocol; refused sends are counted instead.
pub(crate) async fn run(target: Target, options: Paced) -> Result<PacedFigures, LoadError> {
    let pairs = closed::open(target, options.pairs).await?;
    let mut probe = options.dir.as_deref().map(|dir: &Path| FsyncProbe::create(dir)).transpose()?;
    let (mut lag, mut fsync) = (Histogram::default(), Histogram::default());
    pace(&pairs, options.rate, Duration::from_secs(options.warm_up), &mut Histogram::default()).await?;
    pairs.drain().await;
    let tally = pairs.tally();
    let (before, mut server_cpu) = (tally.delivered.get(), Some(0.0));
    for _ in 0..options.seconds.max(1) {
        let meter = Meter::read(target.server_pid)?;
        tally.recording.set(true);
        pace(&pairs, options.rate, Duration::from_secs(1), &mut lag).await?;
        pairs.drain().await;
        tally.recording.set(false);
        server_cpu = server_cpu.zip(meter.cost()?.server_micros).map(|(sum, micros)| sum + micros);
        if let Some(probe) = &mut probe {
            probe.measure(PROBES, &mut fsync)?;
        }
    }
    let delivered = tally.delivered.get() - before;
    let receive = tally.receive_times.borrow().percentiles();
    let fsync = probe.map(|_| fsync.percentiles());
    Ok(PacedFigures {
        delivered,
        server_cpu_us_per_message: server_cpu.map(|micros: f64| round(micros / delivered.max(1) as f64, 2)),
        schedule_to_ack: tally.ack_times.borrow().percentiles(),
        schedule_to_receive: receive,
        send_lag: lag.percentiles(),
        fsync,
        p50_in_fsyncs: fsync.map(|fsync| round(receive.p50_us / fsync.p50_us.max(0.1), 2)),
        checks: pairs.checks(),
    })
}

/// Sends `rate` messages a second for `duration`, over all pairs in turn; `lag` learns how late each left.
///
/// Between two messages the thread spins, polling its sockets: a timer has a grain of a millisecond, and a
/// thread that sleeps would put its own waking into every latency.
///
/// # Errors
/// When a connection is gone.
pub(crate) async fn pace(
    pairs: &Pairs,
    rate: u64,
    duration: Duration,
    lag: &mut Histogram,
) -> Result<(), LoadError> {
    let start = clock::nanos();
    let total = rate * u64::try_from(duration.as_millis()).unwrap_or(u64::MAX) / 1_000;
    for turn in 0..total {
        let due = start + turn * 1_000_000_000 / rate.max(1);
        while clock::nanos() < due {
            tokio::task::yield_now().await;
        }
        let Some(mut side) = pairs.on_turn(turn) else { return Ok(()) };
        side.send(due);
        side.flush()?;
        lag.record(clock::nanos().saturating_sub(due));
    }
    Ok(())
}
