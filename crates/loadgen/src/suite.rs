//! The whole table: each row starts a fresh server, runs a scenario against it and judges the figures.

mod judge;
mod report;
mod restart;

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use self::judge::{Row, Verdict};
use self::report::Report;
use crate::procfs::Machine;
use crate::scenario::closed::{self, Closed};
use crate::scenario::idle::{self, Idle};
use crate::scenario::logins::{self, Logins};
use crate::scenario::paced::{self, Paced};
use crate::scenario::pages::{self, Pages};
use crate::scenario::presence::{self, Presence};
use crate::scenario::sync::{self, Sync};
use crate::scenario::{PairArgs, Target};
use crate::server::{Launch, Server};
use crate::{say, system};
use chat_client::ClientError as LoadError;
use chat_client::clock;

/// Cost of passwords where logins are not what is measured.
const CHEAP_BCRYPT: u32 = 4;
/// Cost of passwords where they are: the server's default.
const DEFAULT_BCRYPT: u32 = 12;

/// Options of the suite.
#[derive(Debug, Clone, Args)]
pub(crate) struct Suite {
    /// The server to start; build it with `--release`.
    #[arg(long, default_value = "target/release/chat-server")]
    binary: PathBuf,
    /// Folder for the servers' data, on a real disk; what an earlier suite left there is removed.
    #[arg(long, default_value = "target/bench")]
    dir: PathBuf,
    /// Where the results go, as JSON; the table goes beside it as `.md`.
    #[arg(long, default_value = "artifacts/bench.json")]
    out: PathBuf,
    /// A Markdown page with the markers `<!-- bench:begin -->` and `<!-- bench:end -->`: the table goes between.
    #[arg(long)]
    docs: Option<PathBuf>,
    /// Runs these rows only.
    #[arg(long, value_delimiter = ',')]
    only: Vec<RowId>,
    /// A MongoDB database in which the servers store, for the rows that measure that. It should be empty.
    #[arg(long)]
    mongodb_uri: Option<String>,
    /// A short run that shows that everything works; its figures mean little.
    #[arg(long)]
    quick: bool,
    /// Processor of the servers.
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// Processor of the load tool.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
    /// Leaves processors to the system.
    #[arg(long)]
    unpinned: bool,
}

/// The rows of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RowId {
    /// Closed loop, 50 pairs, 16 in flight.
    Closed16,
    /// Closed loop, 50 pairs, one in flight.
    Closed1,
    /// Closed loop, 1,000 pairs, 4 in flight.
    Closed1000,
    /// Paced, 100 pairs, 2,000 messages a second.
    Paced,
    /// 10,000 idle connections.
    Idle,
    /// 1,000 users come online while 1,000 are.
    Presence,
    /// History pages of 50.
    Pages,
    /// Catching up with 1,000 messages.
    Sync,
    /// Messages beside logins.
    Logins,
    /// Start after `kill -9` on a million messages.
    Start,
    /// Closed loop on MongoDB, 8 pairs, one in flight: 16 in all.
    Mongo1,
    /// Closed loop on MongoDB, 50 pairs, 16 in flight.
    Mongo16,
}

/// Runs the rows, one after the other, and writes the report. A row that misses its figure, or fails, is told
/// in the report and does not end the suite.
///
/// # Errors
/// When the suite itself cannot work: no server binary, no folder, not enough processors.
pub(crate) async fn run(suite: Suite) -> Result<(), LoadError> {
    let launch = prepare(&suite)?;
    let rows = if suite.only.is_empty() { suite.rows() } else { suite.only.clone() };
    let mut report = Report::new(Machine::look(&suite.dir)?, launch.cores, suite.quick);
    for row in rows {
        let begun = clock::nanos();
        let verdict = match measure(&suite, &launch, row).await {
            Ok(verdict) => verdict,
            Err(error) => Verdict::failed(&error),
        };
        let row = Row { name: row.name(), what: row.what(), must: row.must(), verdict };
        say::note(&format!("{} ({:.0} s)", row.line(), (clock::nanos() - begun) as f64 / 1e9));
        report.rows.push(row);
    }
    report.write(&suite.out, suite.docs.as_deref())
}

fn prepare(suite: &Suite) -> Result<Launch, LoadError> {
    if suite.dir.exists() {
        fs::remove_dir_all(&suite.dir).map_err(LoadError::io(format!("empty {}", suite.dir.display())))?;
    }
    fs::create_dir_all(&suite.dir).map_err(LoadError::io(format!("create {}", suite.dir.display())))?;
    // Before the first server starts, so that it inherits the limit.
    system::allow_connections(suite.idle().connections)?;
    let cores = (!suite.unpinned).then_some((suite.server_core, suite.load_core));
    if let Some((_, load)) = cores {
        system::pin_to(load)?;
    }
    Ok(Launch { binary: suite.binary.clone(), cores, mongodb_uri: None })
}

async fn measure(suite: &Suite, launch: &Launch, row: RowId) -> Result<Verdict, LoadError> {
    let dir = suite.dir.join(row.name());
    if row == RowId::Start {
        return restart::measure(launch, &dir, if suite.quick { 20_000 } else { 1_000_000 }).await;
    }
    let launch = &Launch { mongodb_uri: suite.store_of(row)?, ..launch.clone() };
    let cost = if row == RowId::Logins { DEFAULT_BCRYPT } else { CHEAP_BCRYPT };
    let server = Server::start(launch, &dir, cost).await?;
    let verdict = suite.against(server.target(), row).await?;
    server.stop().await?;
    // A store of a million rows or a log of a failed row is worth keeping; that of a good row is not.
    fs::remove_dir_all(&dir).map_err(LoadError::io(format!("remove {}", dir.display())))?;
    Ok(verdict)
}

impl Suite {
    /// The rows that can be measured.
    fn rows(&self) -> Vec<RowId> {
        let all = RowId::value_variants().iter().copied();
        all.filter(|row| row.is_on_mongodb() == self.mongodb_uri.is_some()).collect()
    }

    /// Where a row's server stores: `None` is its folder.
    fn store_of(&self, row: RowId) -> Result<Option<String>, LoadError> {
        match &self.mongodb_uri {
            _ if !row.is_on_mongodb() => Ok(None),
            None => Err(LoadError::Usage(format!("{} needs --mongodb-uri", row.name()))),
            uri => Ok(uri.clone()),
        }
    }

    async fn against(&self, target: Target, row: RowId) -> Result<Verdict, LoadError> {
        Ok(match row {
            RowId::Closed16 => Verdict::closed(&closed::run(target, self.closed(50, 16)).await?, 16.0),
            RowId::Closed1 => Verdict::closed(&closed::run(target, self.closed(50, 1)).await?, 30.0),
            RowId::Closed1000 => Verdict::closed(&closed::run(target, self.closed(1_000, 4)).await?, 24.0),
            RowId::Paced => Verdict::paced(&paced::run(target, self.paced()).await?),
            RowId::Idle => Verdict::idle(&idle::run(target, self.idle()).await?),
            RowId::Presence => Verdict::presence(&presence::run(target, self.presence()).await?),
            RowId::Pages => Verdict::pages(&pages::run(target, self.pages()).await?),
            RowId::Sync => Verdict::sync(&sync::run(target, self.sync()).await?),
            RowId::Logins => Verdict::logins(&logins::run(target, self.logins()).await?),
            RowId::Mongo1 => Verdict::cpu(&closed::run(target, self.counted(8, 1)).await?, 60.0),
            RowId::Mongo16 => Verdict::cpu(&closed::run(target, self.counted(50, 16)).await?, 60.0),
            RowId::Start => return Err(LoadError::Usage("a restart has no single server".into())),
        })
    }

    fn closed(&self, pairs: usize, in_flight: u64) -> Closed {
        let (warm_up, seconds) = if self.quick { (1, 2) } else { (3, 10) };
        let pairs = PairArgs { pairs, size: 96, client_ids: false };
        Closed { pairs, in_flight, warm_up, seconds, count: None }
    }

    /// A few thousand messages: the server of the tests reads by scan.
    fn counted(&self, pairs: usize, in_flight: u64) -> Closed {
        let count = if self.quick { 500 } else { 4_000 };
        Closed { count: Some(count), ..self.closed(pairs, in_flight) }
    }

    fn paced(&self) -> Paced {
        let (warm_up, seconds) = if self.quick { (1, 2) } else { (3, 20) };
        let pairs = PairArgs { pairs: 100, size: 96, client_ids: false };
        Paced { pairs, rate: 2_000, warm_up, seconds, dir: Some(self.dir.clone()) }
    }

    fn idle(&self) -> Idle {
        Idle { connections: if self.quick { 1_000 } else { 10_000 }, users: 200, settle: 3 }
    }

    fn presence(&self) -> Presence {
        Presence { users: if self.quick { 100 } else { 1_000 } }
    }

    fn pages(&self) -> Pages {
        Pages { depth: 10_000, count: if self.quick { 400 } else { 8_000 }, settle: 3 }
    }

    fn sync(&self) -> Sync {
        Sync { missed: 1_000, walks: if self.quick { 20 } else { 400 }, settle: 3 }
    }

    fn logins(&self) -> Logins {
        Logins { pairs: 10, rate: 500, logins: 4, seconds: if self.quick { 4 } else { 20 } }
    }
}

impl RowId {
    fn is_on_mongodb(self) -> bool {
        matches!(self, RowId::Mongo1 | RowId::Mongo16)
    }

    fn name(self) -> &'static str {
        match self {
            RowId::Closed16 => "closed16",
            RowId::Closed1 => "closed1",
            RowId::Closed1000 => "closed1000",
            RowId::Paced => "paced",
            RowId::Idle => "idle",
            RowId::Presence => "presence",
            RowId::Pages => "pages",
            RowId::Sync => "sync",
            RowId::Logins => "logins",
            RowId::Start => "start",
            RowId::Mongo1 => "mongo1",
            RowId::Mongo16 => "mongo16",
        }
    }

    fn what(self) -> &'static str {
        match self {
            RowId::Closed16 => "closed loop, 50 pairs, 16 in flight each way",
            RowId::Closed1 => "closed loop, 50 pairs, one in flight each way",
            RowId::Closed1000 => "closed loop, 1,000 pairs, 4 in flight each way",
            RowId::Paced => "paced 2,000 msg/s, 100 pairs",
            RowId::Idle => "idle connection, authenticated, websocket, 10,000 of them",
            RowId::Presence => "1,000 users come online while 1,000 are, presence to everyone",
            RowId::Pages => "page of 50, newest and 10,000 deep",
            RowId::Sync => "`sync` of 1,000 missed messages, pages of 500",
            RowId::Logins => "message p99 while 4 logins at cost 12 run without pause",
            RowId::Start => "start on a store of 1 M messages, after `kill -9`",
            RowId::Mongo1 => "closed loop on MongoDB, 8 pairs, one in flight each way",
            RowId::Mongo16 => "closed loop on MongoDB, 50 pairs, 16 in flight each way",
        }
    }

    fn must(self) -> &'static str {
        match self {
            RowId::Closed16 => "≤ 16 µs server CPU a message; 0 lost, 0 doubled, 0 out of order",
            RowId::Closed1 => "≤ 30 µs server CPU a message",
            RowId::Closed1000 => "≤ 24 µs server CPU a message",
            RowId::Paced => "p50 ≤ 3 × one 4 KiB append + fdatasync",
            RowId::Idle => "≤ 18 KiB RSS",
            RowId::Presence => "≤ 800 µs CPU a connection, every `user_online` delivered",
            RowId::Pages => "≤ 100 µs CPU, deep ≤ 1.3 × newest",
            RowId::Sync => "≤ 20 ms CPU, each message once and in order",
            RowId::Logins => "≤ 2 × alone",
            RowId::Start => "≤ 1 s",
            RowId::Mongo1 | RowId::Mongo16 => {
                "≤ 60 µs server CPU a message; 0 lost, 0 doubled, 0 out of order"
            }
        }
    }
}
