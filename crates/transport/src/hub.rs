//! The hub: every connected socket of this node by user, and the way of an event to them.
//!
//! An event is encoded once and its bytes are shared by all outboxes. Fan-out never waits: an outbox that is
//! full closes its socket (see [`Outbox`]). Presence goes through the [`roster`], which batches it.

mod encode;
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
use roster::Roster;
pub(crate) use roster::Since;

use crate::Settings;

const SHARDS: usize = 64;
type UserSockets = SmallVec<[Seat; 1]>;

/// A connected socket.
struct Seat {
    socket: SocketId,
    outbox: Arc<Outbox>,
}

/// Every connected socket of this node, by user.
pub struct Hub {
    // Short critical sections that never wait; many, so that users don't meet in one lock.
    shards: [Mutex<HashMap<UserId, UserSockets>>; SHARDS],
    hasher: RandomState,
    // One lock for presence: a socket's snapshot and its place in the stream of changes are one step.
    roster: Mutex<Roster>,
    presence_waits: Notify,
    clock: Arc<dyn Clock>,
    sockets: AtomicUsize,
    max_sockets_per_user: usize,
}

impl Hub {
    /// An empty hub.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            roster: Mutex::default(),
            presence_waits: Notify::new(),
            clock,
            sockets: AtomicUsize::new(0),
            max_sockets_per_user: settings.max_sockets_per_user,
        })
    }

    /// How many sockets are connected.
    pub fn sockets(&self) -> usize {
        self.sockets.load(Ordering::Relaxed)
    }

    fn shard(&self, user: UserId) -> Option<&Mutex<HashMap<UserId, UserSockets>>> {
        let hash = usize::try_from(self.hasher.hash_one(user) % SHARDS as u64).unwrap_or(0);
        self.shards.get(hash)
    }

    /// From here on the outbox gets the user's events. False, and nothing done, where the user has as many
    /// sockets as is allowed.
    #[must_use]
    pub(crate) fn enter(&self, user: UserId, socket: &SocketId, outbox: &Arc<Outbox>) -> bool {
        let Some(shard) = self.shard(user) else { return false };
        let mut users = shard.lock();
        let sockets = users.entry(user).or_default();
        let room = sockets.len() < self.max_sockets_per_user;
        if room {
            sockets.push(Seat { socket: socket.clone(), outbox: Arc::clone(outbox) });
            self.sockets.fetch_add(1, Ordering::Relaxed);
        }
        room
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

    /// The socket gets nothing any more.
    pub(crate) fn detach(&self, user: UserId, outbox: &Arc<Outbox>) {
        let mut newest = None;
        if let Some(shard) = self.shard(user) {
            let mut users = shard.lock();
            let Some(sockets) = users.get_mut(&user) else { return };
            let before = sockets.len();
            sockets.retain(|seat| !Arc::ptr_eq(&seat.outbox, outbox));
            if sockets.len() == before {
                return;
            }
            newest = sockets.last().map(|seat| seat.socket.clone());
            if sockets.is_empty() {
                users.remove(&user);
            }
        }
        self.sockets.fetch_sub(1, Ordering::Relaxed);
        self.roster.lock().leave(user, newest, outbox);
    }

    fn send_to(&self, user: UserId, except: Option<&SocketId>, bytes: &Bytes) {
        self.each(user, except, |outbox| outbox.push(bytes.clone()));
    }

    fn send_to_both(&self, message: &Message, bytes: &Bytes) {
        self.send_to(message.receiver, None, bytes);
        self.send_to(message.sender, None, bytes);
    }

    fn each(&self, user: UserId, except: Option<&SocketId>, push: impl Fn(&Outbox)) {
        let Some(shard) = self.shard(user) else { return };
        // Cloned out (one reference count a socket), so that no waker runs under the lock.
        let outboxes: SmallVec<[Arc<Outbox>; 1]> = match shard.lock().get(&user) {
            Some(seats) => {
                let seats = seats.iter().filter(|seat| except != Some(&seat.socket));
                seats.map(|seat| Arc::clone(&seat.outbox)).collect()
            }
            None => return,
        };
        for outbox in &outboxes {
            push(outbox);
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
            Event::Message { message, except } => {
                if message.seq == 1 {
                    let now = self.clock.instant();
                    self.roster.lock().acquainted(message.conversation(), now);
                }
                let bytes = encode::message(message);
                self.send_to(message.receiver, except.as_ref(), &bytes);
                self.send_to(message.sender, except.as_ref(), &bytes);
            }
            Event::Receipt { kind, receiver, sender, messages, except } => {
                for message in messages {
                    match kind {
                        ReceiptKind::Delivered => self.send_to(*sender, None, &encode::delivered(*message)),
                        ReceiptKind::Read => {
                            let bytes = encode::read(*message);
                            self.send_to(*sender, None, &bytes);
                            self.send_to(*receiver, except.as_ref(), &bytes);
                        }
                    }
                }
            }
            Event::Edited { message } => self.send_to_both(message, &encode::edited(message)),
            Event::Deleted { message } => self.send_to_both(message, &encode::deleted(message.id)),
            Event::Blocking { block, blocks } => {
                let now = self.clock.instant();
                self.roster.lock().blocking(block, *blocks, now);
            }
            Event::Typing { sender, username, receiver, is_typing } => {
                let bytes = encode::typing(*sender, username, *is_typing);
                self.each(*receiver, None, |outbox| outbox.push_volatile(bytes.clone()));
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
