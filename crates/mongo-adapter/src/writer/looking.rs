//! Look-ups: which are due, and what their findings settle.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chat_ports::{
    Commit,
    model::{ConversationId, Message, MessageId},
};
use foldhash::{HashMap, HashSet, HashSetExt};

use super::{
    core::{Core, Ticket},
    entry::Entry,
};
use crate::documents::Dedup;

/// Conversations of one look-up.
const LOOK_CONVERSATIONS: usize = 64;
/// How long a conversation waits before it is looked up again, when the last time settled nothing;
/// doubled each time, up to the most.
const PAUSE: Duration = Duration::from_millis(4);
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// How many messages are looked up before they are sent, once repeats have been met: after an
/// outage many come, and each would stop an insert.
const WARY: usize = 256;
/// What to look up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// The conversations whose highest number is asked for, before the names are looked up.
    pub(super) conversations: Vec<ConversationId>,
    /// The names.
    pub(super) keys: Vec<Key>,
}

/// A name under which a message may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) conversation: ConversationId,
    pub(super) dedup: Dedup,
    /// Our message of that name. If it is the one that is found, `changedAt` is set anew before it is
    /// answered: readers may have passed its old one.
    pub(super) id: MessageId,
    /// Who asks, unless nobody waits any more.
    pub(super) ticket: Option<Ticket>,
}

/// A name within its conversation.
pub(super) type Name = (ConversationId, Dedup);

/// What was found, at read concern majority.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// The highest number of each conversation that was asked for; 0 for none.
    pub(super) highest: HashMap<ConversationId, u64>,
    /// The messages that stand under the names.
    pub(super) found: HashMap<Name, Arc<Message>>,
    /// The number that those of them bear now which are ours.
    pub(super) renewed: u64,
    /// What another process left behind, and is to be told before anything else.
    pub(super) late: Vec<(Commit, u64)>,
}

impl Core {
    /// What is to be looked up next, if anything is due and no look-up is on its way.
    pub(super) fn looks(&mut self, now: Instant) -> Option<Look> {
        let waits = self.pause.is_some_and(|(until, _)| now < until);
        if waits || !self.looking.is_empty() {
            return None;
        }
        self.choose(now);
        if self.looking.is_empty() {
            return None;
        }
        for conversation in &self.looking {
            self.numbers.forget(conversation);
        }
        Some(Look { conversations: self.looking.iter().copied().collect(), keys: self.keys() })
    }

    /// Picks conversations: those with messages that wait for a number, in order, then those where
    /// something may have been stored late.
    fn choose(&mut self, now: Instant) {
        let mut passed = HashSet::new();
        for entry in self.entries.values() {
            if self.looking.len() >= LOOK_CONVERSATIONS {
                return;
            }
            let conversation = entry.conversation;
            let due = entry.look || (entry.is_wanted() && passed.insert(conversation));
            if !due || self.flying.contains(&conversation) {
                continue;
            }
            let paused = self.pauses.get(&conversation).is_some_and(|(until, _)| now < *until);
            if !paused && (entry.look || self.numbers.get(&conversation).is_none()) {
                self.looking.insert(conversation);
            }
        }
        let room = LOOK_CONVERSATIONS - self.looking.len();
        let flying = &self.flying;
        let late = self.lingering.due(now).filter(|conversation| !flying.contains(conversation));
        self.looking.extend(late.take(room));
    }

    /// Every name under which something may stand in front of what is new: as many as wait or linger, so
    /// that findings can be told in order.
    fn keys(&self) -> Vec<Key> {
        let key = |entry: &Entry, ticket| Key {
            conversation: entry.conversation,
            dedup: entry.dedup.clone(),
            id: entry.message.id,
            ticket,
        };
        let late = self.lingering.of(&self.looking).map(|entry| key(entry, None));
        let asking = self.entries.iter().filter(|(_, entry)| entry.look || entry.risk > 0);
        let asked = asking.filter(|(_, entry)| self.looking.contains(&entry.conversation));
        late.chain(asked.map(|(ticket, entry)| key(entry, Some(*ticket)))).collect()
    }

    /// Takes what the look-up found.
    pub(super) fn looked(&mut self, look: &Look, looked: &Looked, now: Instant) {
        self.looking.clear();
        self.pause = None;
        self.pauses.retain(|_, (until, _)| now < *until + MAX_PAUSE);
        for (conversation, highest) in &looked.highest {
            self.numbers.put(*conversation, *highest);
        }
        let mut found = Vec::new();
        for key in &look.keys {
            let name = (key.conversation, key.dedup.clone());
            match looked.found.get(&name) {
                Some(message) => found.push((name, key.ticket, message)),
                None => self.missed(&name, key.ticket, looked, now),
            }
        }
        // Within a conversation they are told in the order of numbers.
        found.sort_by_key(|(_, _, message)| message.seq);
        for (name, ticket, message) in found {
            self.found(&name, ticket, message, looked.renewed);
        }
    }

    /// Somebody's message stands under this name.
    fn found(&mut self, name: &Name, ticket: Option<Ticket>, message: &Arc<Message>, commit: u64) {
        let highest = self.numbers.get(&name.0).unwrap_or_default();
        self.numbers.put(name.0, highest.max(message.seq));
        let asked = self.holder(name, ticket);
        let entry = match asked {
            Some(ticket) => self.remove(ticket),
            None => self.lingering.remove(name),
        };
        let Some(entry) = entry else { return };
        if entry.message.id == message.id {
            return self.effects.stored(message.clone(), commit, entry.except, entry.waiters);
        }
        self.wary = WARY;
        entry.waiters.repeated(&entry.message.text, message, &mut self.effects.answers);
    }

    /// Nothing stands under this name that a majority has.
    fn missed(&mut self, name: &Name, ticket: Option<Ticket>, looked: &Looked, now: Instant) {
        let highest = looked.highest.get(&name.0).copied().unwrap_or_default();
        let asked = self.holder(name, ticket);
        let Some(entry) = asked.and_then(|ticket| self.entries.get_mut(&ticket)) else {
            return self.lingering.missed(name, highest, now);
        };
        if highest < entry.collided {
            // What it met is not yet known to a majority: neither whose it is nor its number.
            let pause = self.pauses.get(&name.0).map_or(PAUSE, |(_, pause)| (*pause * 2).min(MAX_PAUSE));
            self.pauses.insert(name.0, (now + pause, pause));
            return;
        }
        entry.look = false;
        entry.collided = 0;
    }

    /// Who waits under this name now: meanwhile it may have been given up, or sent again.
    fn holder(&self, name: &Name, ticket: Option<Ticket>) -> Option<Ticket> {
        let asked = ticket.filter(|ticket| self.entries.contains_key(ticket));
        asked.or_else(|| self.reserved.get(name).copied())
    }

    /// The look-up failed: it is tried again after a pause.
    pub(super) fn looked_in_vain(&mut self, now: Instant) {
        self.looking.clear();
        let pause = self.pause.map_or(PAUSE, |(_, pause)| (pause * 2).min(MAX_PAUSE));
        self.pause = Some((now + pause, pause));
    }
}
