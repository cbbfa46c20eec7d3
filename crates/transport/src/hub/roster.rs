//! Who is online, as sockets are told: the snapshot for a new one, and changes in batches.
//!
//! A change that comes after a quiet time goes out at once; while many come, they are collected, encoded once
//! and sent as one batch to everybody. A socket that joins between two batches gets the snapshot of now, and
//! of the next batch only what came after it. Who may not know of whom ([`Relations`]) gets the batch without that; where only
//! contacts hear of each other, a change goes to those who watch its user, and costs nobody else.

mod relations;

use std::{
    collections::HashMap,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chat_domain::{
    Circle,
    model::{Block, ConversationId, SocketId, UserId},
};
use chat_socketio_actix::{Item, Outbox};
use smallvec::SmallVec;

use self::relations::Relations;
pub(crate) use self::relations::Since;
use super::encode;
use crate::wire::event;

/// The shortest time between two batches.
const SHORTEST_PAUSE: Duration = Duration::from_millis(40);
/// What a batch may cost a member, so that presence takes a bounded share of a core.
const PAUSE_PER_MEMBER: Duration = Duration::from_micros(40);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

struct Entry {
    user: UserId,
    username: Arc<str>,
    encoded: Box<[u8]>,
}

struct Member {
    user: UserId,
    outbox: Arc<Outbox>,
    /// The first change that came after it joined, counted from the beginning.
    from: u64,
}

/// Somebody came or went.
struct Change {
    user: UserId,
    bytes: Bytes,
}

/// Who is online, and whom to tell.
#[derive(Default)]
pub(super) struct Roster {
    entries: Vec<Entry>,
    places: HashMap<UserId, usize>,
    /// By the outbox's address, which is its own as long as the entry holds it.
    members: HashMap<usize, Member>,
    /// The members of each user, for what goes to them alone.
    devices: HashMap<UserId, SmallVec<[usize; 1]>>,
    relations: Relations,
    waiting: Vec<Change>,
    /// How many changes have been sent.
    sent: u64,
    last_flush: Option<Instant>,
}

fn address(outbox: &Arc<Outbox>) -> usize {
    Arc::as_ptr(outbox).addr()
}

impl Roster {
    /// Where relations stand: what changes after a circle was read is laid over it when its socket joins.
    pub(super) fn since(&self) -> Since {
        self.relations.since()
    }

    /// A user came online, who blocks these.
    pub(super) fn online(
        &mut self,
        user: UserId,
        username: &Arc<str>,
        socket: &SocketId,
        blocked: &Arc<[UserId]>,
    ) {
        self.relations.came(user, blocked);
        self.place(user, username, socket);
        self.waiting.push(Change { user, bytes: encode::presence("user_online", user, username) });
    }

    /// A user went offline.
    pub(super) fn offline(&mut self, user: UserId, username: &str) {
        if let Some(place) = self.places.remove(&user) {
            self.entries.swap_remove(place);
            if let Some(moved) = self.entries.get(place) {
                self.places.insert(moved.user, place);
            }
        }
        self.waiting.push(Change { user, bytes: encode::presence("user_offline", user, username) });
    }

    /// Somebody blocks somebody, or no longer: each sees the other go, or come.
    pub(super) fn blocking(&mut self, block: &Block, blocks: bool, now: Instant) {
        self.relate(block.blocker, block.blocked, now, |relations| relations.block(block, blocks));
    }

    /// Two users have a conversation from now on: where only contacts hear of each other, these do.
    pub(super) fn acquainted(&mut self, conversation: ConversationId, now: Instant) {
        let (a, b) = conversation.users();
        if [a, b].iter().all(|user| self.relations.contacts(*user).is_none()) {
            return self.relations.acquaint(a, b);
        }
        self.relate(a, b, now, |relations| relations.acquaint(a, b));
    }

    fn relate(&mut self, a: UserId, b: UserId, now: Instant, change: impl FnOnce(&mut Relations)) {
        // What waits is told by the rules under which it happened.
        self.flush(now);
        let pairs = [(a, b), (b, a)];
        let before = pairs.map(|(observer, user)| self.relations.shows(observer, user));
        change(&mut self.relations);
        for ((observer, user), before) in pairs.into_iter().zip(before) {
            let after = self.relations.shows(observer, user);
            let username = self.places.get(&user).and_then(|place| self.entries.get(*place));
            if let Some(username) = username.map(|entry| Arc::clone(&entry.username))
                && before != after
            {
                let name = if after { "user_online" } else { "user_offline" };
                self.tell(observer, &encode::presence(name, user, &username));
            }
        }
    }

    fn tell(&self, user: UserId, bytes: &Bytes) {
        for member in self.devices.get(&user).into_iter().flatten() {
            if let Some(member) = self.members.get(member) {
                member.outbox.push(bytes.clone());
            }
        }
    }

    fn place(&mut self, user: UserId, username: &Arc<str>, socket: &SocketId) {
        let encoded = encode::online_entry(user, username, socket);
        let entry = Entry { user, username: Arc::clone(username), encoded };
        match self.places.get(&user).and_then(|place| self.entries.get_mut(*place)) {
            Some(known) => *known = entry,
            None => {
                self.places.insert(user, self.entries.len());
                self.entries.push(entry);
            }
        }
    }

    fn moved_to(&mut self, user: UserId, socket: &SocketId) {
        let known = self.places.get(&user).and_then(|place| self.entries.get(*place));
        if let Some(username) = known.map(|entry| Arc::clone(&entry.username)) {
            self.place(user, &username, socket);
        }
    }

    /// A socket joined, whose user's circle was read `since` then: it gets `online_users`, and every change from here on. False, and
    /// nothing done, where more has changed since than is remembered.
    #[must_use]
    pub(super) fn join(
        &mut self,
        user: UserId,
        socket: &SocketId,
        outbox: &Arc<Outbox>,
        circle: &Circle,
        since: Since,
    ) -> bool {
        if !self.relations.enter(user, circle, since) {
            return false;
        }
        self.moved_to(user, socket);
        outbox.push(self.snapshot(user));
        let from = self.sent + self.waiting.len() as u64;
        self.members.insert(address(outbox), Member { user, outbox: Arc::clone(outbox), from });
        self.devices.entry(user).or_default().push(address(outbox));
        true
    }

    /// A socket left; `newest` is the user's newest one that remains.
    pub(super) fn leave(&mut self, user: UserId, newest: Option<SocketId>, outbox: &Arc<Outbox>) {
        let address = address(outbox);
        if self.members.remove(&address).is_some()
            && let Some(devices) = self.devices.get_mut(&user)
        {
            devices.retain(|device| *device != address);
            if devices.is_empty() {
                self.devices.remove(&user);
                self.relations.leave(user);
            }
        }
        if let Some(socket) = newest {
            self.moved_to(user, &socket);
        }
    }

    fn snapshot(&self, observer: UserId) -> Bytes {
        event("online_users", |out| {
            out.push(b'[');
            let start = out.len();
            let mut write = |entry: &Entry| {
                if self.relations.shows(observer, entry.user) {
                    if out.len() > start {
                        out.push(b',');
                    }
                    out.extend_from_slice(&entry.encoded);
                }
            };
            match self.relations.contacts(observer) {
                Some(contacts) => {
                    let places = contacts.iter().filter_map(|contact| self.places.get(contact));
                    places.filter_map(|place| self.entries.get(*place)).for_each(write);
                }
                None => self.entries.iter().for_each(&mut write),
            }
            out.push(b']');
        })
    }

    fn pause(&self) -> Duration {
        let members = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        PAUSE_PER_MEMBER.saturating_mul(members).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
    }

    /// Whether the batch may go out now.
    #[must_use]
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.wait(now).is_zero()
    }

    /// How long the batch still has to wait.
    #[must_use]
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.last_flush.map_or(Duration::ZERO, |last| (last + self.pause()).saturating_duration_since(now))
    }

    /// Sends the batch to every member who may know of it.
    pub(super) fn flush(&mut self, now: Instant) {
        if self.waiting.is_empty() {
            return;
        }
        self.last_flush = Some(now);
        let changes = mem::take(&mut self.waiting);
        if self.relations.has_open() {
            self.send_to_everybody(&changes);
        }
        for (change, number) in changes.iter().zip(self.sent..) {
            for observer in self.relations.watchers(change.user) {
                self.send_one(*observer, change, number);
            }
        }
        self.sent += changes.len() as u64;
        changes.iter().filter(|change| !self.places.contains_key(&change.user)).for_each(|change| {
            self.relations.went(change.user);
        });
    }

    /// The batch is shared by all who may know of all of it.
    fn send_to_everybody(&self, changes: &[Change]) {
        let batch: Arc<[Bytes]> = changes.iter().map(|change| change.bytes.clone()).collect();
        let hidden = self.relations.hidden_by(changes.iter().map(|change| change.user));
        for member in self.members.values() {
            let seen = usize::try_from(member.from.saturating_sub(self.sent)).unwrap_or(usize::MAX);
            if seen >= batch.len() || self.relations.contacts(member.user).is_some() {
                continue;
            }
            if !hidden.contains(&member.user) && !self.relations.blocks_any(member.user) {
                member.outbox.push(Item::Batch(Arc::clone(&batch), seen));
                continue;
            }
            for change in changes.iter().skip(seen) {
                if self.relations.shows(member.user, change.user) {
                    member.outbox.push(change.bytes.clone());
                }
            }
        }
    }

    fn send_one(&self, observer: UserId, change: &Change, number: u64) {
        if !self.relations.shows(observer, change.user) {
            return;
        }
        let devices = self.devices.get(&observer).into_iter().flatten();
        for member in devices.filter_map(|device| self.members.get(device)) {
            if member.from <= number {
                member.outbox.push(change.bytes.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
