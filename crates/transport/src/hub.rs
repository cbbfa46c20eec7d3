//! The hub: every connected socket of this node by user, and the way of an event to them.
//!
//! An event is encoded once and its bytes are shared by all outboxes. Fan-out never waits: an outbox that is
//! full closes its socket (see [`Outbox`]). Presence goes through the [`roster`], which batches it. For sockets that
//! can recover, what is stored is told with a number, and kept for a while ([`kept`]).

mod encode;
mod kept;
mod news;
mod offset;
mod recent;
mod recovery;
mod roster;

use std::{
    hash::BuildHasher,
    mem,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use chat_domain::{
    Circle,
    model::{Event, SocketId, UserId},
    ports::{Clock, EventSink},
};
use chat_socketio_actix::Outbox;
use foldhash::{HashMap, fast::RandomState};
use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::sync::Notify;

pub(crate) use encode::message;
use kept::{Kept, Links, Told};
use news::{News, Notice};
pub(crate) use offset::Offset;
use offset::Tag;
use recent::Recent;
pub(crate) use recovery::Missed;
use roster::Roster;
pub(crate) use roster::Since;

use crate::Settings;

const SHARDS: usize = 64;
type Shard = Mutex<HashMap<UserId, Member>>;

/// A connected socket.
struct Seat {
    socket: SocketId,
    outbox: Arc<Outbox>,
    /// Whether its client can recover: then events say by which number.
    recovers: bool,
}

/// What a socket that came to the hub is to know.
pub(crate) struct Entrance {
    /// The life in which event numbers mean something.
    pub(crate) life: u64,
    /// The life of the server in which it came.
    pub(crate) boot: u64,
    /// Behind which event.
    pub(crate) since: u64,
    /// Whether it may be recovered.
    pub(crate) recovers: bool,
}

/// A user with a socket, or one that may come back.
#[derive(Default)]
struct Member {
    seats: SmallVec<[Seat; 1]>,
    /// There if a socket can recover, or could.
    recent: Option<Box<Recent>>,
}

/// What is told, one event after the other.
#[derive(Default)]
struct Stream {
    /// The number of the last event.
    last: u64,
    kept: Kept,
}

/// Every connected socket of this node, by user.
pub struct Hub {
    // Short critical sections that never wait; many, so that users don't meet in one lock.
    shards: [Shard; SHARDS],
    hasher: RandomState,
    // The order in which sockets and what is kept for them get events. Taken before a shard's lock; no wait under it.
    stream: Mutex<Stream>,
    /// The life of the server, by chance.
    boot: u64,
    /// When it began.
    started: Instant,
    /// The life of the store, where that numbers commits: then events have numbers that mean something after a restart as well.
    store_life: OnceLock<u64>,
    // One lock for presence: a socket's snapshot and its place in the stream of changes are one step.
    roster: Mutex<Roster>,
    presence_waits: Notify,
    clock: Arc<dyn Clock>,
    sockets: AtomicUsize,
    max_sockets_per_user: usize,
    recovery_window: Duration,
    /// Most bytes that a recovered socket is sent at once.
    most_missed: usize,
    /// Which shard is looked through next for what nobody comes back to.
    swept: AtomicUsize,
}

impl Hub {
    /// An empty hub.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Arc<Self> {
        let hasher = RandomState::default();
        Arc::new(Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            stream: Mutex::default(),
            boot: std::hash::RandomState::new().hash_one(SHARDS),
            started: clock.instant(),
            store_life: OnceLock::new(),
            hasher,
            roster: Mutex::default(),
            presence_waits: Notify::new(),
            clock,
            sockets: AtomicUsize::new(0),
            max_sockets_per_user: settings.max_sockets_per_user,
            recovery_window: settings.recovery_window,
            most_missed: settings.outbox_bytes / 2,
            swept: AtomicUsize::new(0),
        })
    }

    /// How many sockets are connected.
    pub fn sockets(&self) -> usize {
        self.sockets.load(Ordering::Relaxed)
    }

    fn shard(&self, user: UserId) -> Option<&Shard> {
        let hash = usize::try_from(self.hasher.hash_one(user) % SHARDS as u64).unwrap_or(0);
        self.shards.get(hash)
    }

    /// From here on the outbox gets the user's events. `None`, and nothing done, where the user has as many
    /// sockets as is allowed.
    #[must_use]
    pub(crate) fn enter(
        &self,
        user: UserId,
        socket: &SocketId,
        outbox: &Arc<Outbox>,
        recovers: bool,
    ) -> Option<Entrance> {
        let stream = self.stream.lock();
        let mut members = self.shard(user)?.lock();
        let member = members.entry(user).or_default();
        if member.seats.len() >= self.max_sockets_per_user {
            return None;
        }
        let recovers = recovers && !self.recovery_window.is_zero();
        if recovers && member.recent.is_none() {
            member.recent = Some(Box::new(Recent::new(stream.last, self.recovery_window)));
        }
        member.seats.push(Seat { socket: socket.clone(), outbox: Arc::clone(outbox), recovers });
        self.sockets.fetch_add(1, Ordering::Relaxed);
        Some(Entrance { life: self.life(), boot: self.boot, since: stream.last, recovers })
    }

    /// Where blocks and contacts stand, for a circle that is about to be read.
    pub(crate) fn since(&self) -> Since {
        self.roster.lock().since()
    }

    /// From here on the outbox gets presence as well, `online_users` first, of those of whom its user may know. False, and nothing done,
    /// where so much has changed since the circle was read that it has to be read again.
    #[must_use]
    pub(crate) fn join(
        &self,
        user: UserId,
        socket: &SocketId,
        outbox: &Arc<Outbox>,
        (circle, since): (&Circle, Since),
    ) -> bool {
        self.roster.lock().join(user, socket, outbox, circle, since)
    }

    /// The socket gets nothing any more; false if it was not here, or another one has taken its place. It `may_return` unless it
    /// left its namespace.
    pub(crate) fn detach(&self, user: UserId, outbox: &Arc<Outbox>, may_return: bool) -> bool {
        let now = self.clock.instant();
        let newest = {
            let Some(shard) = self.shard(user) else { return false };
            let mut members = shard.lock();
            let Some(member) = members.get_mut(&user) else { return false };
            let place = member.seats.iter().position(|seat| Arc::ptr_eq(&seat.outbox, outbox));
            let Some(seat) = place.map(|place| member.seats.remove(place)) else { return false };
            if let Some(recent) = &mut member.recent
                && seat.recovers
                && may_return
            {
                recent.lose(seat.socket, now);
            }
            if !member.seats.iter().any(|seat| seat.recovers) {
                member.recent.take_if(|recent| !recent.is_awaited(now));
            }
            let newest = member.seats.last().map(|seat| seat.socket.clone());
            if newest.is_none() && member.recent.is_none() {
                members.remove(&user);
            }
            newest
        };
        self.sockets.fetch_sub(1, Ordering::Relaxed);
        self.roster.lock().leave(user, newest, outbox);
        true
    }

    /// Tells a user's sockets of something that is stored, all but one. Where one may come back: links the event, which is then to be
    /// kept.
    fn tell(&self, user: UserId, except: Option<&SocketId>, news: &News, kept: &Kept, links: &mut Links) {
        let Some(shard) = self.shard(user) else { return };
        // Cloned out (one reference count a socket), so that no waker runs under the lock.
        let outboxes: SmallVec<[(Arc<Outbox>, bool); 1]> = match shard.lock().get_mut(&user) {
            Some(member) => {
                if let Some(recent) = &mut member.recent {
                    links.push((user, mem::replace(&mut recent.last, kept.next_place())));
                }
                let seats = member.seats.iter().filter(|seat| except != Some(&seat.socket));
                seats.map(|seat| (Arc::clone(&seat.outbox), seat.recovers)).collect()
            }
            None => return,
        };
        for (outbox, recovers) in &outboxes {
            outbox.push(if *recovers { news.numbered().clone() } else { news.plain() });
        }
    }

    /// Sends a user's sockets what may be dropped.
    fn send_volatile(&self, user: UserId, bytes: &Bytes) {
        let Some(shard) = self.shard(user) else { return };
        let outboxes: SmallVec<[Arc<Outbox>; 1]> = match shard.lock().get(&user) {
            Some(member) => member.seats.iter().map(|seat| Arc::clone(&seat.outbox)).collect(),
            None => return,
        };
        for outbox in &outboxes {
            outbox.push_volatile(bytes.clone());
        }
    }

    /// Tells of something that is stored, each notice by its number, while nothing else is told.
    fn spread(&self, event: &Event) {
        let (notices, commit) = news::notices(event);
        let (now, tag) = (self.clock.instant(), Tag::of(self.life()));
        let mut stream = self.stream.lock();
        let Stream { last, kept } = &mut *stream;
        for (index, Notice { encoded, to, except }) in (0_u64..).zip(notices) {
            let number = commit.map_or(0, |commit| news::first_of(commit) + index);
            *last = number.max(*last + 1);
            let (news, mut links) = (News::new(*last, tag, encoded), Links::new());
            to.iter().for_each(|user| self.tell(*user, except, &news, kept, &mut links));
            if !links.is_empty() {
                kept.push(&Told { number: *last, at: now, bytes: news.numbered(), except }, links);
            }
        }
    }

    fn announce(&self, change: impl FnOnce(&mut Roster)) {
        let now = self.clock.instant();
        let mut roster = self.roster.lock();
        change(&mut roster);
        if roster.is_due(now) {
            roster.flush(now);
        } else {
            drop(roster);
            self.presence_waits.notify_one();
        }
    }

    /// Sends batched presence when it is due; runs as long as the server does.
    pub(crate) async fn batch_presence(&self) {
        loop {
            self.presence_waits.notified().await;
            let wait = self.roster.lock().wait(self.clock.instant());
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
            let now: Instant = self.clock.instant();
            self.roster.lock().flush(now);
        }
    }
}

impl EventSink for Hub {
    fn deliver(&self, event: &Event) {
        match event {
            Event::Message { message, .. } => {
                if message.seq == 1 {
                    let now = self.clock.instant();
                    self.roster.lock().acquainted(message.conversation(), now);
                }
                self.spread(event);
            }
            Event::Receipt { .. } | Event::Edited { .. } | Event::Deleted { .. } => self.spread(event),
            Event::Blocking { block, blocks } => {
                let now = self.clock.instant();
                self.roster.lock().blocking(block, *blocks, now);
            }
            Event::Typing { sender, username, receiver, is_typing } => {
                self.send_volatile(*receiver, &encode::typing(*sender, username, *is_typing));
            }
            Event::Online { user, username, socket, blocked } => {
                self.announce(|roster| roster.online(*user, username, socket, blocked));
            }
            Event::Offline { user, username } => self.announce(|roster| roster.offline(*user, username)),
            // A newer domain may publish what this transport has no words for.
            _ => tracing::debug!("an event without a wire form was dropped"),
        }
    }
}
