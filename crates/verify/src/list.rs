//! The messages that a device shows: a list for each conversation, kept by the rules for clients.

use std::collections::{BTreeMap, BTreeSet};

use crate::wire::Message;

/// What a device knows of its conversations. A later reading never takes back what an earlier one said.
#[derive(Debug, Clone, Default)]
pub(crate) struct List {
    me: String,
    conversations: BTreeMap<String, BTreeMap<u64, Message>>,
    places: BTreeMap<String, (String, u64)>,
    /// What was told of messages that are not here yet: an answer that is older may still bring them.
    early: Early,
}

#[derive(Debug, Clone, Default)]
struct Early {
    deleted: BTreeSet<String>,
    read: BTreeSet<String>,
    delivered: BTreeSet<String>,
}

/// What stands where a time is not known: an event told of it without one.
const SOME_TIME: &str = "told";

impl List {
    /// An empty list of this user.
    #[must_use]
    pub(crate) fn of(me: &str) -> Self {
        Self { me: me.to_owned(), ..Self::default() }
    }

    /// A conversation, by `seq`.
    pub(crate) fn conversation(&self, other: &str) -> impl DoubleEndedIterator<Item = &Message> {
        self.conversations.get(other).into_iter().flat_map(BTreeMap::values)
    }

    /// All messages.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Message> {
        self.conversations.values().flat_map(BTreeMap::values)
    }

    /// A message by its id.
    #[must_use]
    pub(crate) fn find(&self, id: &str) -> Option<&Message> {
        let (other, seq) = self.places.get(id)?;
        self.conversations.get(other)?.get(seq)
    }

    /// Puts a message in its place, or adds to what is known of it.
    pub(crate) fn put(&mut self, message: &Message) {
        let other = message.other(&self.me).to_owned();
        let mut message = message.clone();
        if self.early.deleted.contains(&message.id) {
            erase(&mut message);
        }
        let read = self.early.read.contains(&message.id);
        if read || self.early.delivered.contains(&message.id) {
            mark(&mut message, read);
        }
        self.places.insert(message.id.clone(), (other.clone(), message.seq));
        let list = self.conversations.entry(other).or_default();
        let merged = match list.get(&message.seq) {
            Some(known) if known.id == message.id => merge(known, message),
            _ => message,
        };
        list.insert(merged.seq, merged);
    }

    /// A message was deleted.
    pub(crate) fn erase(&mut self, id: &str) {
        match self.find_mut(id) {
            Some(message) => erase(message),
            None => drop(self.early.deleted.insert(id.to_owned())),
        }
    }

    /// A message, and what its sender wrote before it, was delivered or read.
    pub(crate) fn mark(&mut self, id: &str, read: bool) {
        let Some((other, seq)) = self.places.get(id).cloned() else {
            let early = if read { &mut self.early.read } else { &mut self.early.delivered };
            early.insert(id.to_owned());
            return;
        };
        let Some(sender) = self.find(id).map(|message| message.sender_id.clone()) else { return };
        let Some(list) = self.conversations.get_mut(&other) else { return };
        for (_, message) in list.range_mut(..=seq).filter(|(_, message)| message.sender_id == sender) {
            mark(message, read);
        }
    }

    fn find_mut(&mut self, id: &str) -> Option<&mut Message> {
        let (other, seq) = self.places.get(id)?;
        self.conversations.get_mut(other)?.get_mut(seq)
    }
}

fn erase(message: &mut Message) {
    message.text.clear();
    message.edited_at = None;
    message.deleted_at.get_or_insert_with(|| SOME_TIME.to_owned());
}

fn mark(message: &mut Message, read: bool) {
    message.delivered_at.get_or_insert_with(|| SOME_TIME.to_owned());
    message.is_read |= read;
}

fn merge(known: &Message, mut read: Message) -> Message {
    if known.edited_at > read.edited_at {
        read.text.clone_from(&known.text);
        read.edited_at.clone_from(&known.edited_at);
    }
    if known.delivered_at.is_some() {
        mark(&mut read, known.is_read);
    }
    if known.deleted_at.is_some() || read.deleted_at.is_some() {
        erase(&mut read);
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, seq: u64) -> Message {
        Message {
            id: id.into(),
            seq,
            sender_id: "bob".into(),
            receiver_id: "ann".into(),
            text: id.into(),
            is_read: false,
            client_id: None,
            delivered_at: None,
            edited_at: None,
            deleted_at: None,
        }
    }

    #[test]
    fn a_later_reading_takes_nothing_back() {
        let mut list = List::of("ann");
        list.put(&message("a", 1));
        list.put(&message("b", 2));
        list.mark("b", true);
        list.erase("a");
        list.put(&message("a", 1));
        let all: Vec<_> = list.all().map(|m| (m.text.as_str(), m.is_read, m.deleted_at.is_some())).collect();
        assert_eq!(all, [("", true, true), ("b", true, false)]);
    }

    #[test]
    fn what_was_told_of_a_message_before_it_came_is_not_forgotten() {
        let mut list = List::of("ann");
        list.erase("a");
        list.mark("a", true);
        list.put(&message("a", 1));
        assert!(list.find("a").is_some_and(|m| m.text.is_empty() && m.is_read && m.delivered_at.is_some()));
    }
}
