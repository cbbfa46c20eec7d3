//! Catching up: what it costs the server to tell a device what it missed.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{Target, pages};
use crate::crowd::Crowd;
use crate::meter::Meter;
use crate::stats::{Histogram, Percentiles, round};
use crate::users::{self, User};
use chat_client::ClientError as LoadError;
use chat_client::Link;
use chat_client::clock;
use chat_client::packets::{self, Packet};

/// Events of a page.
const PAGE: u64 = 500;

/// Options of the sync scenario.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Sync {
    /// Messages that were missed.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) missed: u64,
    /// How often the same device catches up.
    #[arg(long, default_value_t = 400)]
    pub(crate) walks: u64,
    /// Seconds of rest after the messages are sent.
    #[arg(long, default_value_t = 3)]
    pub(crate) settle: u64,
}

/// Figures of catching up.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncFigures {
    /// Messages missed.
    pub(crate) missed: u64,
    /// How often they were told.
    pub(crate) walks: u64,
    /// Server CPU (user and system) for each time, milliseconds.
    pub(crate) server_cpu_ms_per_walk: Option<f64>,
    /// From asking for the first page to the whole of the last.
    pub(crate) latency: Percentiles,
}

/// Takes a cursor, has messages sent, and catches up with them over and over; every walk's numbers are checked.
///
/// # Errors
/// When a page is refused, or a walk does not have each message once and in order.
pub(crate) async fn run(target: Target, options: Sync) -> Result<SyncFigures, LoadError> {
    let users = users::register(target.server, 2).await?;
    let device = Device::open(target, &users).await?;
    let cursor = device.ask("{}".to_owned()).await?.cursor;
    pages::fill(target, &users, options.missed).await?;
    tokio::time::sleep(Duration::from_secs(options.settle)).await;
    let mut latency = Histogram::default();
    let meter = Meter::read(target.server_pid)?;
    for _ in 0..options.walks {
        let begun = clock::nanos();
        device.walk(&cursor, options.missed).await?;
        latency.record(clock::nanos() - begun);
    }
    let micros = meter.cost()?.server_micros;
    Ok(SyncFigures {
        missed: options.missed,
        walks: options.walks,
        server_cpu_ms_per_walk: micros.map(|micros| round(micros / 1_000.0 / options.walks.max(1) as f64, 2)),
        latency: latency.percentiles(),
    })
}

#[derive(Debug, Default, Deserialize)]
struct Page {
    ok: bool,
    #[serde(default)]
    events: Vec<Event>,
    #[serde(default)]
    cursor: String,
    #[serde(default)]
    complete: bool,
}

#[derive(Debug, Deserialize)]
struct Event {
    message: Numbered,
}

#[derive(Debug, Deserialize)]
struct Numbered {
    seq: u64,
}

/// One connection that asks and waits for the answer.
struct Device {
    crowd: Crowd,
    link: Rc<Link>,
    page: Rc<RefCell<Page>>,
    answered: Rc<Notify>,
}

impl Device {
    async fn open(target: Target, users: &[User]) -> Result<Device, LoadError> {
        let (page, answered) = (Rc::<RefCell<Page>>::default(), Rc::new(Notify::new()));
        let (mut crowd, mut links) = (Crowd::default(), Vec::new());
        let tokens = users.iter().take(1).map(|user| Rc::clone(&user.token));
        crowd
            .open(target.server, tokens, |_, link| {
                links.push(link);
                let (page, answered) = (Rc::clone(&page), Rc::clone(&answered));
                move |packet: Packet<'_>, _: u64| {
                    let Packet::Ack { arguments, .. } = packet else { return Ok(()) };
                    let read = packets::first(arguments);
                    *page.borrow_mut() =
                        read.map_err(|error| LoadError::protocol(&error.to_string(), arguments))?;
                    answered.notify_one();
                    Ok(())
                }
            })
            .await?;
        let link = links.pop().ok_or_else(|| LoadError::Usage("no connection".into()))?;
        Ok(Device { crowd, link, page, answered })
    }

    async fn ask(&self, request: String) -> Result<Page, LoadError> {
        self.link.queue(|out| {
            packets::begin_event(0, "sync", out);
            out.extend_from_slice(request.as_bytes());
            out.push(b']');
        });
        self.link.flush()?;
        let waited = tokio::time::timeout(Duration::from_secs(15), self.answered.notified()).await;
        self.crowd.check_unbroken()?;
        let page = self.page.take();
        if waited.is_ok() && page.ok {
            return Ok(page);
        }
        Err(LoadError::Protocol("a page of sync was refused, or did not come".into()))
    }

    /// All pages since a cursor.
    async fn walk(&self, cursor: &str, missed: u64) -> Result<(), LoadError> {
        let (mut since, mut known) = (cursor.to_owned(), 0);
        loop {
            let page = self.ask(format!("{{\"since\":\"{since}\",\"limit\":{PAGE}}}")).await?;
            for event in &page.events {
                known += 1;
                if event.message.seq != known {
                    return Err(LoadError::Protocol(format!(
                        "{} came where {known} was due",
                        event.message.seq
                    )));
                }
            }
            if page.complete && known == missed {
                return Ok(());
            } else if page.complete {
                return Err(LoadError::Protocol(format!("{known} messages came of {missed}")));
            }
            since = page.cursor;
        }
    }
}
