//! The numbers of commits: which are given out, which are told, and how far everything of a user is told.
//!
//! Whoever writes something that is to be told takes a number first and leaves it in the document: so what came after a
//! number is found again after a restart. Numbers rise with each write, also over restarts, because a process reserves them in `meta`.
//!
//! Writes don't end in the order in which they begin. So a commit is told with the greatest number that was told so far, and with
//! whether that is exact: whether nothing of its two users with a lower number is still on its way, or may come yet.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bson::doc;
use chat_ports::{
    Commit, CommitListener, CommitNumber, Committed, Numbering,
    model::{Timestamp, UserId},
};
use mongodb::options::ReturnDocument;
use parking_lot::Mutex;

use crate::{connection::Collections, error::Fault};

/// The document in `meta` that says which numbers are reserved.
const RESERVED: &str = "commits";
/// How many a process reserves at once.
const RESERVE: i64 = 1 << 20;
/// How long numbers are not exact after a write whose outcome was unknown: longer than it is looked for.
const DOUBT: Duration = Duration::from_secs(90);
/// How many writes that are on their way are looked at for a user. Where more are, the number is not exact.
const MOST_LOOKED_AT: usize = 64;

/// What a write takes before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) number: u64,
    /// The primary's time; it rises as the numbers do.
    pub(crate) changed_at: Timestamp,
}

/// How far everything of a user is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Up to this number.
    At(u64),
    /// It will be known when what is on its way has come.
    Soon,
    /// It is not known.
    Unknown,
}

/// The numbers of this process.
#[derive(Debug, Default)]
pub(crate) struct Commits(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The life of the database; nothing before the store has worked.
    life: Option<i64>,
    /// The last number that was taken.
    taken: u64,
    /// Up to which number may be taken. It may be taken more than once, and is never exact.
    reserved: u64,
    /// The greatest number that was told.
    told: u64,
    /// The greatest that was told as not exact. It stays so: what is told never falls.
    inexact: u64,
    /// Writes that are on their way, and whom they concern. As many as one insert and the lanes have.
    under_way: BTreeMap<u64, [UserId; 2]>,
    /// Until when something may come whose outcome was unknown.
    doubt: Option<Instant>,
}

impl Commits {
    /// Begins, with numbers that nobody has had.
    pub(crate) fn begin(&self, life: i64, reserved: u64) {
        let mut state = self.0.lock();
        state.life = Some(life);
        state.extend(reserved);
        state.told = state.taken;
    }

    /// Goes on with numbers that nobody has had.
    pub(crate) fn extend(&self, reserved: u64) {
        self.0.lock().extend(reserved);
    }

    /// Whether numbers will soon be short.
    pub(crate) fn is_short(&self) -> bool {
        let state = self.0.lock();
        state.reserved - state.taken < RESERVE.unsigned_abs() / 2
    }

    /// The life of the database, as it was at the start.
    pub(crate) fn life(&self) -> Option<i64> {
        self.0.lock().life
    }

    /// For a write that concerns these two, and tells of it.
    pub(crate) fn take(&self, users: [UserId; 2], now: impl FnOnce() -> Timestamp) -> Stamp {
        let mut state = self.0.lock();
        let number = state.next();
        state.under_way.insert(number, users);
        Stamp { number, changed_at: now() }
    }

    /// For a write of something whose outcome was in doubt.
    pub(crate) fn take_in_doubt(&self, now: impl FnOnce() -> Timestamp, here: Instant) -> Stamp {
        let mut state = self.0.lock();
        state.doubt = Some(here + DOUBT);
        Stamp { number: state.next(), changed_at: now() }
    }

    /// A write changed nothing, and never will.
    pub(crate) fn void(&self, number: u64) {
        self.0.lock().under_way.remove(&number);
    }

    /// Whether a write changed something is unknown: it may do so later.
    pub(crate) fn doubt(&self, number: u64, now: Instant) {
        let mut state = self.0.lock();
        state.under_way.remove(&number);
        state.doubt = Some(now + DOUBT);
    }

    /// What was in doubt can't be looked for, and stays so.
    pub(crate) fn prolong(&self, now: Instant) {
        self.0.lock().doubt = Some(now + DOUBT);
    }

    /// Tells what became durable under these numbers. What the numbers say is true while the listener is told, so it is told under the lock.
    pub(crate) fn tell(&self, listener: &dyn CommitListener, commits: Vec<(Commit, u64)>, now: Instant) {
        let mut state = self.0.lock();
        let tell = |(commit, number)| {
            let number = Some(state.tell(&commit, number, now));
            Committed { commit, number }
        };
        listener.committed(commits.into_iter().map(tell).collect());
    }

    /// How far commits are numbered.
    pub(crate) fn numbering(&self) -> Option<Numbering> {
        let state = self.0.lock();
        let life = state.life?.cast_unsigned();
        Some(Numbering { life, last: exactly(state.told) })
    }

    /// Whether this number, the last that was told, is a user's place.
    pub(crate) fn is_settled(&self, user: UserId, last: CommitNumber, now: Instant) -> bool {
        let state = self.0.lock();
        number_of(last) == Some(state.told) && state.cut(user, now) == Cut::At(state.told)
    }

    /// How far everything of a user is told.
    pub(crate) fn cut(&self, user: UserId, now: Instant) -> Cut {
        self.0.lock().cut(user, now)
    }
}

impl State {
    fn extend(&mut self, reserved: u64) {
        self.reserved = reserved;
        self.taken = reserved - RESERVE.unsigned_abs();
    }

    fn next(&mut self) -> u64 {
        self.taken = (self.taken + 1).min(self.reserved);
        self.taken
    }

    fn tell(&mut self, commit: &Commit, number: u64, now: Instant) -> CommitNumber {
        self.under_way.remove(&number);
        let is_last = number >= self.told;
        self.told = self.told.max(number);
        let users = match commit {
            Commit::Sent { message, .. } | Commit::Edited { message } | Commit::Deleted { message } => {
                Some([message.sender, message.receiver])
            }
            // How much of it has come is only known by its own number.
            Commit::Receipt { span, .. } if !is_last && span.messages.len() > 1 => None,
            Commit::Receipt { receiver, span, .. } => Some([span.sender, *receiver]),
            _ => None,
        };
        // Where this number was told as not exact it takes another one, which no write has.
        let place = if self.inexact == self.told { self.taken + 1 } else { self.told };
        let is_exact = users.is_some_and(|users| !self.awaits(&users, place)) && !self.is_doubtful(now);
        if is_exact && place < self.reserved {
            self.told = place;
            self.taken = self.taken.max(place);
            return exactly(place);
        }
        self.inexact = self.told;
        behind(self.told)
    }

    /// Whether something may come yet under a number that was told, and nobody knows of whom.
    fn is_doubtful(&self, now: Instant) -> bool {
        self.told >= self.reserved || self.doubt.is_some_and(|until| now < until)
    }

    /// Whether something of one of these is on its way with a number up to this one.
    fn awaits(&self, users: &[UserId], upto: u64) -> bool {
        let mut earlier = self.under_way.range(..=upto);
        let mut looked_at = earlier.by_ref().take(MOST_LOOKED_AT);
        looked_at.any(|(_, both)| both.iter().any(|user| users.contains(user))) || earlier.next().is_some()
    }

    fn cut(&self, user: UserId, now: Instant) -> Cut {
        if self.is_doubtful(now) {
            Cut::Unknown
        } else if self.awaits(&[user], self.told) {
            Cut::Soon
        } else {
            Cut::At(self.told)
        }
    }
}

/// The number as it is told, where it is exact.
pub(crate) const fn exactly(number: u64) -> CommitNumber {
    CommitNumber(number << 1)
}

/// The number as it is told where it is not: behind everything that is told with this one.
pub(crate) const fn behind(number: u64) -> CommitNumber {
    CommitNumber(number << 1 | 1)
}

/// The number that was told, if it is exact.
pub(crate) fn number_of(told: CommitNumber) -> Option<u64> {
    (told.0 & 1 == 0).then_some(told.0 >> 1)
}

/// Reserves numbers that nobody has had: up to the one that is answered.
pub(crate) async fn reserve(collections: &Collections) -> Result<u64, Fault> {
    let more = doc! { "$inc": { "value": RESERVE } };
    let reserving = collections
        .meta
        .find_one_and_update(doc! { "_id": RESERVED }, more)
        .upsert(true)
        .return_document(ReturnDocument::After)
        .max_time(collections.operation_timeout);
    let reserved = collections.limit(reserving).await?;
    let value = reserved.and_then(|document| document.get_i64("value").ok());
    value.filter(|value| *value >= RESERVE).map(i64::unsigned_abs).ok_or(Fault::Answer("commits"))
}

#[cfg(test)]
mod tests;
