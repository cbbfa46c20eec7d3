//! The row about starting: a large store, a crash, and the time until the next server is ready.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::CHEAP_BCRYPT;
use super::judge::{Verdict, checked};
use crate::checks::Checks;
use crate::pairs::{Pairs, Shape};
use crate::procfs;
use crate::scenario::Target;
use crate::scenario::closed;
use crate::server::{Launch, Server};
use crate::users::{self, User};
use chat_client::ClientError as LoadError;
use chat_client::http;

const PAIRS: usize = 200;
const IN_FLIGHT: u64 = 16;
const STARTS: usize = 3;
const LIMIT: Duration = Duration::from_secs(1);

/// Figures of starts after a crash.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RestartFigures {
    messages: u64,
    /// From the start of the process to `/ready`, one for each start; the first one follows the load at once.
    ready_ms: Vec<f64>,
    /// Conversations whose last acknowledged message was not there afterwards.
    conversations_cut: usize,
    rss_after_kib: u64,
    checks: Checks,
}

/// Fills a store with `count` messages over sockets, kills the server as the last one is acknowledged, and
/// starts it again, several times.
///
/// # Errors
/// When the store cannot be filled or a server does not start.
pub(super) async fn measure(launch: &Launch, dir: &Path, count: u64) -> Result<Verdict, LoadError> {
    let server = Server::start(launch, dir, CHEAP_BCRYPT).await?;
    let target = server.target();
    let users = users::register(target.server, PAIRS * 2).await?;
    let pairs = Pairs::open(target.server, &users, Shape { size: 96, client_ids: false }).await?;
    closed::counted(target, &pairs, IN_FLIGHT, count).await?;
    server.kill()?;
    let highest: Vec<u64> = pairs.sides().map(|side| side.highest_acknowledged()).collect();
    let checks = pairs.checks();
    drop(pairs);

    let mut starts = Vec::new();
    for _ in 1..STARTS {
        let server = Server::start(launch, dir, CHEAP_BCRYPT).await?;
        starts.push(server.ready_after());
        server.kill()?;
    }
    let server = Server::start(launch, dir, CHEAP_BCRYPT).await?;
    starts.push(server.ready_after());
    let cut = cut(server.target(), &users, &highest).await?;
    let rss_after_kib = server.target().server_pid.map_or(Ok(0), procfs::rss_kib)?;
    server.stop().await?;

    let slowest = starts.iter().max().copied().unwrap_or_default();
    let ready_ms = starts.iter().map(|start| (start.as_secs_f64() * 1e4).round() / 10.0).collect();
    let measured = format!("{} ms; {cut} conversations cut", slowest.as_millis());
    let beside = format!("slowest of {STARTS} starts; {count} messages, {}", checked(&checks));
    let reached = slowest <= LIMIT && cut == 0 && checks.clean();
    let figures = RestartFigures { messages: count, ready_ms, conversations_cut: cut, rss_after_kib, checks };
    Ok(Verdict::new(reached, measured, beside, &figures))
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Numbered>,
}

#[derive(Deserialize)]
struct Numbered {
    seq: u64,
}

/// Counts the conversations that end before what was acknowledged in them.
async fn cut(target: Target, users: &[User], highest: &[u64]) -> Result<usize, LoadError> {
    let mut cut = 0;
    for ([one, other], acknowledged) in users.as_chunks::<2>().0.iter().zip(highest.as_chunks::<2>().0) {
        let path = format!("/api/chat/history/{}?limit=1", other.id);
        let page: Page = http::get(target.server, &path, &one.token).await?;
        let stored = page.messages.last().map_or(0, |message| message.seq);
        cut += usize::from(acknowledged.iter().any(|&seq| seq > stored));
    }
    Ok(cut)
}
