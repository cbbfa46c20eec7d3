//! Sockets that come back: what they missed is told by the store, as far as it is not kept here, and the rest from what is kept.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use chat_domain::{
    RecoveryTicket,
    model::Event,
    ports::{CommitNumber, Numbering},
};
use chat_socketio_actix::Outbox;

use super::{
    Hub, Member, SHARDS, Seat, news,
    offset::{self, Offset, Tag},
    recent::Recent,
};

/// What a socket that comes back missed.
pub(crate) struct Missed {
    /// The number of the last event that it knows.
    pub(crate) after: u64,
    /// What the store told again of it.
    pub(crate) again: Vec<Event>,
    /// Up to which event that is, or past the last.
    pub(crate) upto: u64,
}

impl Hub {
    /// Goes on with a store's numbers, once it has some; before the first socket comes.
    pub(crate) fn continue_from(&self, numbering: impl FnOnce() -> Option<Numbering>) {
        if self.store_life.get().is_none()
            && let Some(numbering) = numbering()
        {
            let mut stream = self.stream.lock();
            if self.store_life.set(numbering.life).is_ok() {
                stream.last = stream.last.max(news::behind(numbering.last));
            }
        }
    }

    /// The commit of an event of this number.
    pub(crate) const fn commit_of(event: u64) -> CommitNumber {
        news::commit_of(event)
    }

    /// The number that lies behind all events of a commit.
    pub(crate) const fn behind(commit: CommitNumber) -> u64 {
        news::behind(commit)
    }

    /// Reads what a client says up to where it knows; `None` for what no server wrote.
    pub(crate) fn read_offset(&self, text: &str) -> Option<Offset> {
        offset::read(text, Tag::of(self.life()))
    }

    /// The life in which event numbers mean something.
    pub(super) fn life(&self) -> u64 {
        self.store_life.get().copied().unwrap_or(self.boot)
    }

    /// Prepares for a socket that comes back: from here on what its user is told is kept. The number of the event up to which the store
    /// must tell what it missed, where it missed more than is kept.
    pub(crate) fn expect(&self, ticket: &RecoveryTicket, after: u64) -> Option<u64> {
        if ticket.life != self.life() || self.store_life.get().is_none() || self.recovery_window.is_zero() {
            return None;
        }
        let now = self.clock.instant();
        let stream = self.stream.lock();
        let mut members = self.shard(ticket.user)?.lock();
        let member = members.entry(ticket.user).or_default();
        let recent =
            member.recent.get_or_insert_with(|| Box::new(Recent::new(stream.last, self.recovery_window)));
        let is_new = ticket.boot != self.boot
            && now < self.started + self.recovery_window
            && !member.seats.iter().any(|seat| seat.socket == ticket.socket)
            && !recent.knows(&ticket.socket, now);
        if is_new {
            // Its link broke with the last life of the server, at the latest when this one began.
            recent.lose(ticket.socket.clone(), self.started);
        }
        let floor = recent.floor().max(stream.kept.floor());
        (after < floor).then_some(floor)
    }

    /// Takes up a socket whose link broke, or is about to: the outbox gets what the store told again, what is kept past the event `after`,
    /// and from here on the user's events. False, and nothing done, where anything of it would be missing.
    #[must_use]
    pub(crate) fn resume(&self, ticket: &RecoveryTicket, outbox: &Arc<Outbox>, missed: &Missed) -> bool {
        let RecoveryTicket { user, socket, life, .. } = ticket;
        if *life != self.life() {
            return false;
        }
        let now = self.clock.instant();
        let again = news::again(*user, &missed.again, missed.after, Tag::of(*life));
        let room = self.most_missed.checked_sub(again.iter().map(Bytes::len).sum());
        let predecessor = {
            let stream = self.stream.lock();
            let (Some(room), Some(shard)) = (room, self.shard(*user)) else { return false };
            let mut members = shard.lock();
            let Some(Member { seats, recent: Some(recent) }) = members.get_mut(user) else { return false };
            let place = seats.iter().position(|seat| seat.socket == *socket && seat.recovers);
            if place.is_none() && seats.len() >= self.max_sockets_per_user || missed.after > stream.last {
                return false;
            }
            let upto = missed.upto.min(stream.last);
            if upto < recent.floor().max(stream.kept.floor()) {
                return false;
            }
            let concerned = (*user, recent.last);
            let Some(kept) = stream.kept.missed(concerned, socket, upto, room) else { return false };
            if !recent.find(socket, now) && place.is_none() {
                return false;
            }
            let predecessor = place.map(|place| seats.remove(place).outbox);
            seats.push(Seat { socket: socket.clone(), outbox: Arc::clone(outbox), recovers: true });
            // Nothing is in it yet, and its session waits for this.
            again.into_iter().chain(kept).for_each(|bytes| outbox.push(bytes));
            predecessor
        };
        match predecessor {
            Some(predecessor) => {
                self.roster.lock().leave(*user, None, &predecessor);
                predecessor.supersede();
            }
            None => drop(self.sockets.fetch_add(1, Ordering::Relaxed)),
        }
        true
    }

    /// Forgets, of a part of the users, what was kept for sockets that did not come back; to be called again and again.
    pub(crate) fn sweep(&self) {
        let now = self.clock.instant();
        self.stream.lock().kept.forget_older(self.recovery_window, now);
        let part = self.swept.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let Some(shard) = self.shards.get(part) else { return };
        shard.lock().retain(|_, member| {
            if !member.seats.iter().any(|seat| seat.recovers) {
                member.recent.take_if(|recent| !recent.is_awaited(now));
            }
            !member.seats.is_empty() || member.recent.is_some()
        });
    }
}
