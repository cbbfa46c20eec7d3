//! Look-ups: which are due, and what their findings settle.

use std::{sync::Arc, time::Instant};

use chat_ports::model::Message;
use foldhash::{HashSet, HashSetExt};

use super::{
    core::{Core, Key, LOOK_CONVERSATIONS, Look, Looked, MAX_PAUSE, Name, PAUSE, Ticket, WARY},
    entry::Entry,
};

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
        found.into_iter().for_each(|(name, ticket, message)| self.found(&name, ticket, message));
    }

    /// Somebody's message stands under this name.
    fn found(&mut self, name: &Name, ticket: Option<Ticket>, message: &Arc<Message>) {
        let highest = self.numbers.get(&name.0).unwrap_or_default();
        self.numbers.put(name.0, highest.max(message.seq));
        let asked = self.holder(name, ticket);
        let entry = match asked {
            Some(ticket) => self.remove(ticket),
            None => self.lingering.remove(name),
        };
        let Some(entry) = entry else { return };
        if entry.message.id == message.id {
            return self.effects.stored(message.clone(), entry.except, entry.waiters);
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
