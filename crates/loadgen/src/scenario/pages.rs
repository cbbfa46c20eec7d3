//! History pages: what the newest one costs the server, and one that lies far back.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::Target;
use super::closed;
use crate::crowd::Crowd;
use crate::message;
use crate::meter::Meter;
use crate::pairs::{Pairs, Shape};
use crate::stats::{Histogram, Percentiles, round};
use crate::users::{self, User};
use chat_client::ClientError as LoadError;
use chat_client::Link;
use chat_client::clock;
use chat_client::packets::{self, Packet};

const PAGE: u64 = 50;
/// Connections that ask, each for one page at a time.
const READERS: usize = 4;
/// Each kind of page is measured in so many turns, so that a slow moment of the machine meets all.
const TURNS: u64 = 4;

/// Options of the page scenario.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Pages {
    /// How many messages lie between the newest and the deep page.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) depth: u64,
    /// Pages of each kind to ask for.
    #[arg(long, default_value_t = 8_000)]
    pub(crate) count: u64,
    /// Seconds of rest after the conversation is filled.
    #[arg(long, default_value_t = 3)]
    pub(crate) settle: u64,
}

/// Figures of history pages of 50.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PagesFigures {
    /// The newest page.
    pub(crate) newest: PageFigures,
    /// The deep page, asked for with `skip`.
    pub(crate) deep_by_skip: PageFigures,
    /// The deep page, asked for with `before`.
    pub(crate) deep_by_cursor: PageFigures,
    /// CPU of the costlier deep page in CPUs of the newest.
    pub(crate) deep_in_newest: Option<f64>,
}

/// Figures of one kind of page.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageFigures {
    /// Pages answered.
    pub(crate) pages: u64,
    /// Server CPU (user and system) for each.
    pub(crate) server_cpu_us_per_page: Option<f64>,
    /// From asking to the whole answer, four askers at once.
    pub(crate) latency: Percentiles,
}

/// Fills one conversation, then asks for its pages over and over; every page's numbers are checked.
///
/// # Errors
/// When a page is refused or holds other messages than it should.
pub(crate) async fn run(target: Target, options: Pages) -> Result<PagesFigures, LoadError> {
    let users = users::register(target.server, 2).await?;
    let total = options.depth + 2 * PAGE;
    fill(target, &users, total).await?;
    tokio::time::sleep(Duration::from_secs(options.settle)).await;
    let readers = Readers::open(target, &users).await?;
    let other = users.get(1).map(|user| Rc::clone(&user.id)).unwrap_or_default();
    let ask = |place: String| format!("{{\"otherUserId\":\"{other}\",\"limit\":{PAGE}{place}}}");
    let deep = total - options.depth;
    let cursor = readers.one(ask(format!(",\"skip\":{}", options.depth - 1)), deep + 1).await?;
    let mut kinds = [
        Kind::new(ask(String::new()), total),
        Kind::new(ask(format!(",\"skip\":{}", options.depth)), deep),
        Kind::new(ask(format!(",\"before\":\"{cursor}\"")), deep),
    ];
    for _ in 0..TURNS {
        for kind in &mut kinds {
            kind.turn(target, &readers, options.count / TURNS).await?;
        }
    }
    let [newest, deep_by_skip, deep_by_cursor] = kinds.map(Kind::figures);
    let deepest = deep_by_skip.server_cpu_us_per_page.zip(deep_by_cursor.server_cpu_us_per_page);
    let deep_in_newest = deepest.zip(newest.server_cpu_us_per_page);
    let deep_in_newest = deep_in_newest.map(|((skip, cursor), newest)| round(skip.max(cursor) / newest, 2));
    Ok(PagesFigures { newest, deep_by_skip, deep_by_cursor, deep_in_newest })
}

/// Sends so many messages in one conversation.
///
/// # Errors
/// When one of them is not sent and received as it should be.
pub(super) async fn fill(target: Target, users: &[User], total: u64) -> Result<(), LoadError> {
    let shape = Shape { size: 96.max(message::MIN_SIZE), client_ids: false };
    let pairs = Pairs::open(target.server, users, shape).await?;
    closed::counted(target, &pairs, 64, total).await?;
    let checks = pairs.checks();
    if checks.clean() {
        Ok(())
    } else {
        Err(LoadError::Protocol(format!("the conversation could not be filled: {checks:?}")))
    }
}

/// One kind of page and what it has cost so far.
struct Kind {
    request: String,
    newest: u64,
    pages: u64,
    server_micros: Option<f64>,
    latency: Histogram,
}

impl Kind {
    fn new(request: String, newest: u64) -> Kind {
        Kind { request, newest, pages: 0, server_micros: Some(0.0), latency: Histogram::default() }
    }

    async fn turn(&mut self, target: Target, readers: &Readers, count: u64) -> Result<(), LoadError> {
        let meter = Meter::read(target.server_pid)?;
        readers.ask(self.request.clone(), self.newest, count).await?;
        let cost = meter.cost()?;
        self.pages += count;
        self.server_micros = self.server_micros.zip(cost.server_micros).map(|(sum, micros)| sum + micros);
        readers.state.borrow_mut().latency.drain(..).for_each(|nanos| self.latency.record(nanos));
        Ok(())
    }

    fn figures(self) -> PageFigures {
        PageFigures {
            pages: self.pages,
            server_cpu_us_per_page: self
                .server_micros
                .map(|micros| round(micros / self.pages.max(1) as f64, 1)),
            latency: self.latency.percentiles(),
        }
    }
}

#[derive(Deserialize)]
struct PageAck<'a> {
    ok: bool,
    #[serde(borrow, default)]
    messages: Vec<PageMessage<'a>>,
}

#[derive(Deserialize)]
struct PageMessage<'a> {
    id: &'a str,
    seq: u64,
}

/// What the readers are asking for right now.
#[derive(Default)]
struct Asking {
    request: String,
    newest: u64,
    left: u64,
    open: u64,
    newest_id: String,
    latency: Vec<u64>,
}

impl Asking {
    fn ask(&mut self, link: &Link, reader: &mut u64) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        self.open += 1;
        *reader = clock::nanos();
        link.queue(|out| {
            packets::begin_event(0, "get_chat_history", out);
            out.extend_from_slice(self.request.as_bytes());
            out.push(b']');
        });
    }

    fn answered(&mut self, arguments: &str) -> Result<(), LoadError> {
        let page: PageAck<'_> =
            packets::first(arguments).map_err(|error| LoadError::protocol(&error.to_string(), arguments))?;
        let due = (self.newest + 1 - PAGE)..=self.newest;
        if !page.ok || !page.messages.iter().map(|message| message.seq).eq(due) {
            return Err(LoadError::protocol("not the page that was asked for", arguments));
        }
        self.newest_id.clear();
        self.newest_id.extend(page.messages.last().map(|message| message.id));
        self.open -= 1;
        Ok(())
    }
}

/// Connections of one user that ask for pages.
struct Readers {
    crowd: Crowd,
    links: Vec<(Rc<Link>, Rc<RefCell<u64>>)>,
    state: Rc<RefCell<Asking>>,
    done: Rc<Notify>,
}

impl Readers {
    async fn open(target: Target, users: &[User]) -> Result<Readers, LoadError> {
        let (state, done) = (Rc::<RefCell<Asking>>::default(), Rc::new(Notify::new()));
        let (mut crowd, mut links) = (Crowd::default(), Vec::new());
        let tokens = users.iter().take(1).cycle().take(READERS).map(|user| Rc::clone(&user.token));
        crowd
            .open(target.server, tokens, |_, link| {
                let asked_at = Rc::new(RefCell::new(0));
                links.push((Rc::clone(&link), Rc::clone(&asked_at)));
                let (state, done) = (Rc::clone(&state), Rc::clone(&done));
                move |packet: Packet<'_>, now: u64| {
                    let Packet::Ack { arguments, .. } = packet else { return Ok(()) };
                    let mut state = state.borrow_mut();
                    state.answered(arguments)?;
                    state.latency.push(now.saturating_sub(*asked_at.borrow()));
                    state.ask(&link, &mut asked_at.borrow_mut());
                    if state.open == 0 {
                        done.notify_one();
                    }
                    Ok(())
                }
            })
            .await?;
        Ok(Readers { crowd, links, state, done })
    }

    /// Asks `count` times for the page whose newest message has the number `newest`.
    async fn ask(&self, request: String, newest: u64, count: u64) -> Result<(), LoadError> {
        {
            let mut state = self.state.borrow_mut();
            (state.request, state.newest, state.left) = (request, newest, count);
            for (link, asked_at) in &self.links {
                state.ask(link, &mut asked_at.borrow_mut());
                link.flush()?;
            }
        }
        loop {
            let waited = tokio::time::timeout(Duration::from_secs(5), self.done.notified()).await;
            self.crowd.check_unbroken()?;
            if waited.is_ok() {
                return Ok(());
            }
        }
    }

    /// Asks once and says the id of the page's newest message.
    async fn one(&self, request: String, newest: u64) -> Result<String, LoadError> {
        self.ask(request, newest, 1).await?;
        let mut state = self.state.borrow_mut();
        state.latency.clear();
        Ok(state.newest_id.clone())
    }
}
