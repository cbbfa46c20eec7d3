//! The pure state of typing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use chat_ports::model::{Event, UserId};

use crate::Identity;

/// How often the same state may be told again.
const REPEAT_AFTER: Duration = Duration::from_secs(1);

/// Most changes of a pair that are told in that time, however many devices make them. After it the last one is told.
const MAX_CHANGES: u8 = 10;

/// Most pairs that are remembered.
const MAX_PAIRS: usize = 100_000;

/// A typist, then to whom.
type Pair = (UserId, UserId);

/// What each pair was told last. Full, it drops the typing of pairs that it does not know yet.
pub(crate) struct Book {
    timeout: Duration,
    pairs: BTreeMap<Pair, State>,
    /// One entry per pair: when to look at it, which is not later than the end of its typing.
    looks: BTreeSet<(Instant, Pair)>,
}

struct State {
    username: Arc<str>,
    is_typing: bool,
    /// What was told last.
    told: bool,
    told_at: Instant,
    /// How many changes were told since when.
    changes: u8,
    since: Instant,
    /// When the typing ends by itself; when a stop may be told again.
    until: Instant,
    /// Where it stands in `looks`: left behind by repeats, which are many.
    look: Instant,
}

impl Book {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, pairs: BTreeMap::new(), looks: BTreeSet::new() }
    }

    /// The event that this makes, if it is one.
    pub(crate) fn set(
        &mut self,
        who: &Identity,
        receiver: UserId,
        is_typing: bool,
        now: Instant,
    ) -> Option<Event> {
        let pair = (who.user, receiver);
        let until = now + if is_typing { self.timeout } else { REPEAT_AFTER };
        if let Some(state) = self.pairs.get_mut(&pair) {
            (state.is_typing, state.until) = (is_typing, until);
            if !state.tell(now) {
                let look = state.next_look();
                // Repeats leave it where it stands; a change that is held back is told sooner.
                if look < state.look {
                    self.looks.remove(&(state.look, pair));
                    self.looks.insert((look, pair));
                    state.look = look;
                }
                return None;
            }
        } else if self.pairs.len() < MAX_PAIRS {
            let username = Arc::clone(&who.username);
            self.pairs.insert(pair, State::told(username, is_typing, now, until));
            self.looks.insert((until, pair));
        } else {
            return None;
        }
        Some(event(pair, &who.username, is_typing))
    }

    /// Ends what is over, and tells what was held back.
    pub(crate) fn expire(&mut self, now: Instant, mut publish: impl FnMut(Event)) {
        while let Some((_, pair)) = self.looks.first().filter(|(at, _)| *at <= now).copied() {
            self.looks.pop_first();
            match self.pairs.get_mut(&pair) {
                Some(state) if state.until > now => {
                    if state.is_typing != state.told && state.tell(now) {
                        publish(event(pair, &state.username, state.is_typing));
                    }
                    state.look = state.next_look();
                    self.looks.insert((state.look, pair));
                }
                Some(_) | None => self.end(pair, &mut publish),
            }
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.looks.first().map(|(at, _)| *at)
    }

    /// Ends all of a typist's.
    pub(crate) fn leave(&mut self, user: UserId, mut publish: impl FnMut(Event)) {
        let (least, most) = (UserId::from_bytes([0; 12]), UserId::from_bytes([255; 12]));
        let range = (user, least)..=(user, most);
        let pairs: Vec<Pair> = self.pairs.range(range).map(|(pair, _)| *pair).collect();
        for pair in pairs {
            self.end(pair, &mut publish);
        }
    }

    /// Ends one pair's.
    pub(crate) fn end(&mut self, pair: Pair, publish: &mut impl FnMut(Event)) {
        let Some(state) = self.pairs.remove(&pair) else { return };
        self.looks.remove(&(state.look, pair));
        if state.told {
            publish(event(pair, &state.username, false));
        }
    }
}

impl State {
    /// What is told of a pair for the first time.
    fn told(username: Arc<str>, is_typing: bool, now: Instant, until: Instant) -> Self {
        Self {
            username,
            is_typing,
            told: is_typing,
            told_at: now,
            changes: 1,
            since: now,
            until,
            look: until,
        }
    }

    /// Notes that the state is told now, unless it is too soon for that.
    fn tell(&mut self, now: Instant) -> bool {
        if self.is_typing == self.told {
            if now < self.told_at + REPEAT_AFTER {
                return false;
            }
        } else {
            if now >= self.since + REPEAT_AFTER {
                (self.since, self.changes) = (now, 0);
            }
            if self.changes >= MAX_CHANGES {
                return false;
            }
            self.changes += 1;
        }
        (self.told, self.told_at) = (self.is_typing, now);
        true
    }

    /// When it is to be looked at: at its end, or when the change that is held back may be told.
    fn next_look(&self) -> Instant {
        if self.is_typing == self.told { self.until } else { self.until.min(self.since + REPEAT_AFTER) }
    }
}

fn event((sender, receiver): Pair, username: &Arc<str>, is_typing: bool) -> Event {
    Event::Typing { sender, username: Arc::clone(username), receiver, is_typing }
}
