//! Who is online, as sockets are told: the snapshot for a new one, and changes in batches.
//!
//! A change that comes after a quiet time goes out at once; while many come, they are collected, encoded once
//! and sent as one batch to everybody. A socket that joins between two batches gets the snapshot of now, and
//! of the next batch only what came after it.

use std::{
    collections::HashMap,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chat_domain::model::{SocketId, UserId};
use chat_socketio_actix::{Item, Outbox};

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
    outbox: Arc<Outbox>,
    /// How much of the waiting batch came before it joined.
    seen: usize,
}

/// Who is online, and whom to tell.
#[derive(Default)]
pub(super) struct Roster {
    entries: Vec<Entry>,
    places: HashMap<UserId, usize>,
    /// By the outbox's address, which is its own as long as the entry holds it.
    members: HashMap<usize, Member>,
    waiting: Vec<Bytes>,
    last_flush: Option<Instant>,
}

fn address(outbox: &Arc<Outbox>) -> usize {
    Arc::as_ptr(outbox).addr()
}

impl Roster {
    /// A user came online.
    pub(super) fn online(&mut self, user: UserId, username: &Arc<str>, socket: &SocketId) {
        self.place(user, username, socket);
        self.waiting.push(encode::presence("user_online", user, username));
    }

    /// A user went offline.
    pub(super) fn offline(&mut self, user: UserId, username: &str) {
        if let Some(place) = self.places.remove(&user) {
            self.entries.swap_remove(place);
            if let Some(moved) = self.entries.get(place) {
                self.places.insert(moved.user, place);
            }
        }
        self.waiting.push(encode::presence("user_offline", user, username));
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

    /// A socket joined: it gets `online_users`, and every change from here on.
    pub(super) fn join(&mut self, user: UserId, socket: &SocketId, outbox: &Arc<Outbox>) {
        self.moved_to(user, socket);
        outbox.push(self.snapshot(user));
        let member = Member { outbox: Arc::clone(outbox), seen: self.waiting.len() };
        self.members.insert(address(outbox), member);
    }

    /// A socket left; `newest` is the user's newest one that remains.
    pub(super) fn leave(&mut self, user: UserId, newest: Option<SocketId>, outbox: &Arc<Outbox>) {
        self.members.remove(&address(outbox));
        if let Some(socket) = newest {
            self.moved_to(user, &socket);
        }
    }

    fn snapshot(&self, except: UserId) -> Bytes {
        event("online_users", |out| {
            let bytes: usize = self.entries.iter().map(|entry| entry.encoded.len() + 1).sum();
            out.reserve_exact(bytes + 3);
            out.push(b'[');
            let start = out.len();
            for entry in self.entries.iter().filter(|entry| entry.user != except) {
                if out.len() > start {
                    out.push(b',');
                }
                out.extend_from_slice(&entry.encoded);
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

    /// Sends the batch to every member.
    pub(super) fn flush(&mut self, now: Instant) {
        if self.waiting.is_empty() {
            return;
        }
        self.last_flush = Some(now);
        let batch: Arc<[Bytes]> = mem::take(&mut self.waiting).into();
        for member in self.members.values_mut() {
            let seen = mem::take(&mut member.seen);
            if seen < batch.len() {
                member.outbox.push(Item::Batch(Arc::clone(&batch), seen));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chat_domain::ports::Clock;

    use super::*;

    fn user(n: u8) -> UserId {
        UserId::from_bytes([n; 12])
    }

    fn socket(n: u8) -> SocketId {
        SocketId::new(format!("s{n}"))
    }

    fn online(roster: &mut Roster, n: u8) {
        roster.online(user(n), &Arc::from(format!("user{n}")), &socket(n));
    }

    fn join(roster: &mut Roster, n: u8) -> Arc<Outbox> {
        let outbox = Arc::new(Outbox::new(1 << 20));
        roster.join(user(n), &socket(n), &outbox);
        outbox
    }

    fn drain(outbox: &Outbox) -> Vec<String> {
        let packets = std::iter::from_fn(|| outbox.pop());
        packets.map(|packet| String::from_utf8(packet.text.to_vec()).unwrap()).collect()
    }

    #[test]
    fn a_new_socket_sees_everybody_but_itself() {
        let mut roster = Roster::default();
        online(&mut roster, 1);
        online(&mut roster, 2);
        let seen = drain(&join(&mut roster, 2));
        assert_eq!(seen.len(), 1);
        assert!(seen[0].contains("user1") && !seen[0].contains("user2"), "{seen:?}");
        online(&mut roster, 3);
        roster.offline(user(1), "user1");
        let seen = drain(&join(&mut roster, 3));
        assert!(seen[0].contains("user2") && !seen[0].contains("user1"), "{seen:?}");
    }

    #[test]
    fn of_a_batch_a_socket_gets_what_came_after_it_joined() {
        let now = chat_testkit::ManualClock::default().instant();
        let mut roster = Roster::default();
        online(&mut roster, 1);
        let first = join(&mut roster, 1);
        online(&mut roster, 2);
        let second = join(&mut roster, 2);
        online(&mut roster, 3);
        drain(&first);
        drain(&second);
        roster.flush(now);
        assert_eq!(drain(&first).len(), 2);
        let seen = drain(&second);
        assert!(seen.len() == 1 && seen[0].contains("user3"), "{seen:?}");
        roster.flush(now);
        assert!(drain(&first).is_empty());
    }

    #[test]
    fn batches_keep_their_pause_and_the_first_goes_at_once() {
        let now = chat_testkit::ManualClock::default().instant();
        let mut roster = Roster::default();
        online(&mut roster, 1);
        assert!(roster.is_due(now));
        roster.flush(now);
        online(&mut roster, 2);
        assert!(!roster.is_due(now));
        assert!(roster.is_due(now + SHORTEST_PAUSE));
    }

    #[test]
    fn an_entry_names_the_newest_socket() {
        let mut roster = Roster::default();
        online(&mut roster, 1);
        let (old, new) = (join(&mut roster, 1), Arc::new(Outbox::new(1000)));
        roster.join(user(1), &socket(9), &new);
        online(&mut roster, 2);
        assert!(drain(&join(&mut roster, 2))[0].contains("\"s9\""));
        roster.leave(user(1), Some(socket(1)), &new);
        assert!(drain(&join(&mut roster, 2))[0].contains("\"s1\""));
        drop(old);
    }
}
