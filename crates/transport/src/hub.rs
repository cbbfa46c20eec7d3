//! The hub: every connected socket of this node by user, and the way of an event to them.
//!
//! An event is encoded once and its bytes are shared by all outboxes. Fan-out never waits: an outbox that is
//! full closes its socket (see [`Outbox`]). Presence goes through the [`roster`], which batches it. For sockets that
//! can recover, what is stored is told with a number, and kept for a while ([`recent`]).

mod encode;
mod news;
mod recent;
mod roster;

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use chat_domain::{
    Circle,
    model::{Event, Message, SocketId, UserId},
    ports::{Clock, EventSink, ReceiptKind},
};
use chat_socketio_actix::Outbox;
use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::sync::Notify;

pub(crate) use encode::message;
use news::News;
use recent::Recent;
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
    /// In which life of the server it came.
    pub(crate) life: u64,
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

/// Every connected socket of this node, by user.
pub struct Hub {
    // Short critical sections that never wait; many, so that users don't meet in one lock.
    shards: [Shard; SHARDS],
    hasher: RandomState,
    // The number of the last event, and the order in which sockets and what is kept for them get events. Taken before a
    // shard's lock; no wait under it.
    last_event: Mutex<u64>,
    /// Bytes kept for sockets that may come back.
    kept: Arc<AtomicUsize>,
    /// In which life of the server event numbers mean something.
    life: u64,
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
        let hasher = RandomState::new();
        Arc::new(Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            last_event: Mutex::new(0),
            kept: Arc::default(),
            life: hasher.hash_one(SHARDS),
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
        let last = self.last_event.lock();
        let mut members = self.shard(user)?.lock();
        let member = members.entry(user).or_default();
        if member.seats.len() >= self.max_sockets_per_user {
            return None;
        }
        let recovers = recovers && !self.recovery_window.is_zero();
        if recovers && member.recent.is_none() {
            member.recent = Some(Box::new(Recent::new(*last, self.recovery_window, &self.kept)));
        }
        member.seats.push(Seat { socket: socket.clone(), outbox: Arc::clone(outbox), recovers });
        self.sockets.fetch_add(1, Ordering::Relaxed);
        Some(Entrance { life: self.life, since: *last, recovers })
    }

    /// Takes up a socket whose link broke, or is about to: the outbox gets what it missed after the event `after`, and from here on the
    /// user's events. False, and nothing done, where anything of it would be missing.
    #[must_use]
    pub(crate) fn resume(
        &self,
        user: UserId,
        (socket, life): (&SocketId, u64),
        outbox: &Arc<Outbox>,
        after: u64,
    ) -> bool {
        if life != self.life {
            return false;
        }
        let now = self.clock.instant();
        let (missed, predecessor) = {
            let last = self.last_event.lock();
            let Some(shard) = self.shard(user) else { return false };
            let mut members = shard.lock();
            let Some(Member { seats, recent: Some(recent) }) = members.get_mut(&user) else { return false };
            let place = seats.iter().position(|seat| seat.socket == *socket && seat.recovers);
            if place.is_none() && seats.len() >= self.max_sockets_per_user || after > *last {
                return false;
            }
            let Some(missed) = recent.missed(after, socket, self.most_missed) else { return false };
            if !recent.find(socket, now) && place.is_none() {
                return false;
            }
            let seat = Seat { socket: socket.clone(), outbox: Arc::clone(outbox), recovers: true };
            let predecessor = place.map(|place| seats.remove(place).outbox);
            seats.push(seat);
            // Nothing is in it yet, and its session waits for this.
            missed.iter().for_each(|bytes| outbox.push(bytes.clone()));
            (missed.len(), predecessor)
        };
        match predecessor {
            Some(predecessor) => {
                self.roster.lock().leave(user, None, &predecessor);
                predecessor.supersede();
            }
            None => drop(self.sockets.fetch_add(1, Ordering::Relaxed)),
        }
        tracing::debug!(%user, missed, "a session is recovered");
        true
    }

    /// Forgets, of a part of the users, what was kept for sockets that did not come back; to be called again and again.
    pub(crate) fn sweep(&self) {
        let now = self.clock.instant();
        let part = self.swept.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let Some(shard) = self.shards.get(part) else { return };
        shard.lock().retain(|_, member| {
            if !member.seats.iter().any(|seat| seat.recovers) {
                member.recent.take_if(|recent| !recent.is_awaited(now));
            }
            !member.seats.is_empty() || member.recent.is_some()
        });
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

    /// Tells a user's sockets of something that is stored, all but one, and keeps it for those that may come back.
    fn tell(&self, user: UserId, except: Option<&SocketId>, news: &News) {
        let Some(shard) = self.shard(user) else { return };
        // Cloned out (one reference count a socket), so that no waker runs under the lock.
        let outboxes: SmallVec<[(Arc<Outbox>, bool); 1]> = match shard.lock().get_mut(&user) {
            Some(member) => {
                if let Some(recent) = &mut member.recent {
                    recent.push(news.told(except));
                }
                let seats = member.seats.iter().filter(|seat| except != Some(&seat.socket));
                seats.map(|seat| (Arc::clone(&seat.outbox), seat.recovers)).collect()
            }
            None => return,
        };
        for (outbox, recovers) in &outboxes {
            outbox.push(if *recovers { news.numbered() } else { news.plain() });
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

    /// Gives something that is stored its number, and tells it while nothing else is told.
    fn spread(&self, bytes: Bytes, tell: impl FnOnce(&News)) {
        let now = self.clock.instant();
        let mut last = self.last_event.lock();
        *last += 1;
        tell(&News::new(*last, now, bytes));
    }

    fn tell_both(&self, message: &Message, bytes: Bytes) {
        self.spread(bytes, |news| {
            self.tell(message.receiver, None, news);
            self.tell(message.sender, None, news);
        });
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
            Event::Message { message, except } => {
                if message.seq == 1 {
                    let now = self.clock.instant();
                    self.roster.lock().acquainted(message.conversation(), now);
                }
                self.spread(encode::message(message), |news| {
                    self.tell(message.receiver, except.as_ref(), news);
                    self.tell(message.sender, except.as_ref(), news);
                });
            }
            Event::Receipt { kind, receiver, sender, messages, except } => {
                for message in messages {
                    match kind {
                        ReceiptKind::Delivered => {
                            self.spread(encode::delivered(*message), |news| self.tell(*sender, None, news));
                        }
                        ReceiptKind::Read => self.spread(encode::read(*message), |news| {
                            self.tell(*sender, None, news);
                            self.tell(*receiver, except.as_ref(), news);
                        }),
                    }
                }
            }
            Event::Edited { message } => self.tell_both(message, encode::edited(message)),
            Event::Deleted { message } => self.tell_both(message, encode::deleted(message.id)),
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
