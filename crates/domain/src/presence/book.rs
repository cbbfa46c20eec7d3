//! The pure state of presence: which devices a user has, and whose grace is running.

use std::{
    collections::{BTreeSet, HashMap, hash_map},
    sync::Arc,
    time::Instant,
};

use chat_ports::model::{Event, SocketId, Timestamp, UserId};

/// One entry per user with a device or a running grace, so it is bounded by the connections that the
/// transport lets in.
#[derive(Default)]
pub(crate) struct Book {
    users: HashMap<UserId, Entry>,
    /// Users without a device, by the end of their grace.
    graces: BTreeSet<(Instant, UserId)>,
}

struct Entry {
    username: Arc<str>,
    sockets: Vec<SocketId>,
    /// The newest of `sockets`; the last one there was, where there is none.
    newest: SocketId,
    /// Until when the newest lost link may come back.
    grace: Option<Instant>,
    last_seen: Timestamp,
}

/// A user came or went.
pub(crate) struct Change {
    pub(crate) user: UserId,
    pub(crate) last_seen: Timestamp,
    pub(crate) event: Event,
}

/// Somebody who is online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnlineUser<'a> {
    /// Who.
    pub user: UserId,
    /// The displayed name.
    pub username: &'a Arc<str>,
    /// The newest device's socket.
    pub socket: &'a SocketId,
}

/// Everybody who is online, in no order.
pub struct OnlineUsers<'a>(hash_map::Iter<'a, UserId, Entry>);

impl Book {
    pub(crate) fn connect(
        &mut self,
        user: UserId,
        username: &Arc<str>,
        socket: SocketId,
        blocked: &Arc<[UserId]>,
        now: Timestamp,
    ) -> Option<Change> {
        match self.users.entry(user) {
            hash_map::Entry::Occupied(mut known) => {
                let entry = known.get_mut();
                // Whichever device comes, it is taken for the one whose link was lost.
                if let Some(end) = entry.grace.take() {
                    self.graces.remove(&(end, user));
                }
                if !entry.sockets.contains(&socket) {
                    entry.sockets.push(socket.clone());
                }
                entry.newest = socket;
                None
            }
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Entry {
                    username: Arc::clone(username),
                    sockets: vec![socket.clone()],
                    newest: socket.clone(),
                    grace: None,
                    last_seen: now,
                });
                let (username, blocked) = (Arc::clone(username), Arc::clone(blocked));
                let event = Event::Online { user, username, socket, blocked };
                Some(Change { user, last_seen: now, event })
            }
        }
    }

    /// Takes a device away; `until` is the end of its grace, if it has one.
    pub(crate) fn disconnect(
        &mut self,
        user: UserId,
        socket: &SocketId,
        until: Option<Instant>,
        now: Timestamp,
        instant: Instant,
    ) -> Option<Change> {
        let entry = self.users.get_mut(&user)?;
        let place = entry.sockets.iter().position(|known| known == socket)?;
        entry.sockets.remove(place);
        entry.last_seen = now;
        entry.grace = entry.grace.max(until);
        if let Some(newest) = entry.sockets.last() {
            entry.newest = newest.clone();
            return None;
        }
        match entry.grace.filter(|end| *end > instant) {
            Some(end) => {
                self.graces.insert((end, user));
                None
            }
            None => self.leave(user),
        }
    }

    /// Takes one user whose grace is over.
    pub(crate) fn end_grace(&mut self, instant: Instant) -> Option<Change> {
        let (_, user) = self.graces.first().filter(|(end, _)| *end <= instant).copied()?;
        self.graces.pop_first();
        self.leave(user)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.graces.first().map(|(end, _)| *end)
    }

    pub(crate) fn is_online(&self, user: UserId) -> bool {
        self.users.contains_key(&user)
    }

    pub(crate) fn has_device(&self, user: UserId) -> bool {
        self.users.get(&user).is_some_and(|entry| !entry.sockets.is_empty())
    }

    /// When somebody who is online was last seen to come or go.
    pub(crate) fn last_seen(&self, user: UserId) -> Option<Timestamp> {
        self.users.get(&user).map(|entry| entry.last_seen)
    }

    pub(crate) fn online(&self) -> OnlineUsers<'_> {
        OnlineUsers(self.users.iter())
    }

    fn leave(&mut self, user: UserId) -> Option<Change> {
        let Entry { username, last_seen, .. } = self.users.remove(&user)?;
        Some(Change { user, last_seen, event: Event::Offline { user, username } })
    }
}

impl<'a> Iterator for OnlineUsers<'a> {
    type Item = OnlineUser<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (user, entry) = self.0.next()?;
        Some(OnlineUser { user: *user, username: &entry.username, socket: &entry.newest })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for OnlineUsers<'_> {}
