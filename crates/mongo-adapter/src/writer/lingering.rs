//! Messages that nobody waits for any more and that may be stored all the same.

use std::time::{Duration, Instant};

use chat_ports::model::ConversationId;
use foldhash::{HashMap, HashMapExt, HashSet};

use super::entry::Entry;
use crate::documents::Dedup;

/// How often they are looked for.
const PERIOD: Duration = Duration::from_secs(1);
/// For how long at least. Past it one look more decides, when MongoDB answers.
const KEPT: Duration = Duration::from_secs(60);

/// Messages that were answered with an error and may be stored, or become so later. They are looked for,
/// and told if they are found. Bounded in number, and in time while MongoDB answers: past either the sender's own
/// repeat, or a reader's next page, finds them.
pub(super) struct Lingering {
    late: HashMap<(ConversationId, Dedup), Late>,
    most: usize,
}

struct Late {
    entry: Entry,
    until: Instant,
    next: Instant,
}

impl Lingering {
    pub(super) fn new(most: usize) -> Self {
        Self { late: HashMap::new(), most }
    }

    /// Keeps a message, if there is room.
    pub(super) fn keep(&mut self, entry: Entry, now: Instant) {
        if self.late.len() < self.most {
            let name = (entry.conversation, entry.dedup.clone());
            self.late.insert(name, Late { entry, until: now + KEPT, next: now + PERIOD });
        }
    }

    /// Takes a message out, for a sender who sent it again or because it is settled.
    pub(super) fn remove(&mut self, name: &(ConversationId, Dedup)) -> Option<Entry> {
        self.late.remove(name).map(|late| late.entry)
    }

    /// Whether one could not be looked for as long as it should have been.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.late.values().any(|late| now >= late.until)
    }

    /// The conversations of those that are due.
    pub(super) fn due(&self, now: Instant) -> impl Iterator<Item = ConversationId> {
        self.late.values().filter(move |late| late.next <= now).map(|late| late.entry.conversation)
    }

    /// Those of some conversations.
    pub(super) fn of(&self, conversations: &HashSet<ConversationId>) -> impl Iterator<Item = &Entry> {
        let entries = self.late.values().map(|late| &late.entry);
        entries.filter(|entry| conversations.contains(&entry.conversation))
    }

    /// One was not found, and its conversation's highest number was this one before: where another has
    /// taken its place, or it was looked for long enough, it never will be.
    pub(super) fn missed(&mut self, name: &(ConversationId, Dedup), highest: u64, now: Instant) {
        if let Some(late) = self.late.get_mut(name) {
            late.next = now + PERIOD;
            if highest >= late.entry.risk || now >= late.until {
                self.late.remove(name);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.late.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.late.len()
    }
}
