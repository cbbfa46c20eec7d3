//! Logins beside messages: what password hashing does to the messages' latency.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio::task::JoinSet;

use super::{PairArgs, Target, closed, paced};
use crate::checks::Checks;
use crate::pairs::Pairs;
use crate::stats::{Histogram, Percentiles, round};
use crate::users::{self, User};
use chat_client::ClientError as LoadError;

/// The run changes between quiet and logins so often, so that a slow moment of the machine meets both.
const TURNS: u64 = 4;

/// Options of the login scenario. The server decides what a login costs (`BCRYPT_COST`).
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Logins {
    /// Pairs of users who write; all are registered at the server's cost.
    #[arg(long, default_value_t = 10)]
    pub(crate) pairs: usize,
    /// Messages a second, over all pairs.
    #[arg(long, default_value_t = 500)]
    pub(crate) rate: u64,
    /// Logins at a time, without a pause.
    #[arg(long, default_value_t = 4)]
    pub(crate) logins: usize,
    /// Seconds of messages alone, and as many beside logins.
    #[arg(long, default_value_t = 12)]
    pub(crate) seconds: u64,
}

/// Figures of messages beside logins.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoginFigures {
    /// From the scheduled time to the other side, messages alone.
    pub(crate) alone: Percentiles,
    /// The same while logins run.
    pub(crate) beside_logins: Percentiles,
    /// Logins that succeeded meanwhile.
    pub(crate) logins: u64,
    /// The second p99 in the first.
    pub(crate) p99_ratio: f64,
    /// What went wrong, over the whole run.
    pub(crate) checks: Checks,
}

/// Registers everybody, then paces messages alone and beside logins in turn.
///
/// # Errors
/// When a login was refused, or the server broke the protocol.
pub(crate) async fn run(target: Target, options: Logins) -> Result<LoginFigures, LoadError> {
    let args = PairArgs { pairs: options.pairs, size: 96, client_ids: false };
    let pairs = closed::open(target, args).await?;
    let people = users::register(target.server, options.logins).await?;
    let turn = Duration::from_secs(options.seconds) / u32::try_from(TURNS).unwrap_or(1);
    let (mut alone, mut beside, mut logins) = (Histogram::default(), Histogram::default(), 0);
    stretch(&pairs, options.rate, Duration::from_secs(1)).await?;
    for _ in 0..TURNS {
        alone.add(&stretch(&pairs, options.rate, turn).await?);
        let stream = LoginStream::start(target, &people);
        beside.add(&stretch(&pairs, options.rate, turn).await?);
        logins += stream.stop().await?;
    }
    let (alone, beside_logins) = (alone.percentiles(), beside.percentiles());
    let p99_ratio = round(beside_logins.p99_us / alone.p99_us.max(0.1), 2);
    Ok(LoginFigures { alone, beside_logins, logins, p99_ratio, checks: pairs.checks() })
}

async fn stretch(pairs: &Pairs, rate: u64, duration: Duration) -> Result<Histogram, LoadError> {
    let tally = pairs.tally();
    tally.recording.set(true);
    paced::pace(pairs, rate, duration, &mut Histogram::default()).await?;
    pairs.drain().await;
    tally.recording.set(false);
    Ok(tally.receive_times.take())
}

/// People who log in over and over until stopped.
struct LoginStream {
    tasks: JoinSet<Result<u64, LoadError>>,
    stopping: Rc<Cell<bool>>,
}

impl LoginStream {
    fn start(target: Target, people: &[User]) -> LoginStream {
        let (mut tasks, stopping) = (JoinSet::new(), Rc::new(Cell::new(false)));
        for user in people {
            let (user, stopping) = (user.clone(), Rc::clone(&stopping));
            tasks.spawn_local(async move {
                let mut done = 0;
                while !stopping.get() {
                    users::login(target.server, &user).await?;
                    done += 1;
                }
                Ok(done)
            });
        }
        LoginStream { tasks, stopping }
    }

    /// Lets the logins that run finish, so that what follows is alone, and says how many there were.
    async fn stop(mut self) -> Result<u64, LoadError> {
        self.stopping.set(true);
        let mut logins = 0;
        while let Some(task) = self.tasks.join_next().await {
            logins += task.map_err(|error| LoadError::Protocol(format!("a login task ended: {error}")))??;
        }
        Ok(logins)
    }
}
