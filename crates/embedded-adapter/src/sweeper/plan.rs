//! The order of a sweep: by conversation, and within one by number.

use chat_ports::model::{ConversationId, MessageId, Timestamp};

use crate::{overlay::Numbered, record::Entry, state::ConversationState};

/// Entries by conversation.
pub(super) struct Plan<'a> {
    pub(super) groups: Vec<Group<'a>>,
}

/// What a sweep does to one conversation.
pub(super) struct Group<'a> {
    pub(super) conversation: ConversationId,
    /// Its number in the tables; 0 until it has one.
    pub(super) cid: i64,
    pub(super) is_new: bool,
    pub(super) state: ConversationState,
    /// Its last message before and after.
    pub(super) before: Option<Last>,
    pub(super) after: Option<Last>,
    pub(super) entries: Vec<&'a Numbered>,
}

/// What places a conversation in its users' lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) timestamp: Timestamp,
    pub(super) id: MessageId,
}

impl<'a> Plan<'a> {
    /// Groups entries, which are in the order of their numbers.
    pub(super) fn of(entries: &'a [Numbered]) -> Self {
        let mut order: Vec<_> = entries.iter().map(|entry| (entry.entry.conversation(), entry)).collect();
        order.sort_unstable_by_key(|(conversation, entry)| (*conversation, entry.n));
        let groups = order.chunk_by(|a, b| a.0 == b.0).filter_map(Group::of).collect();
        Self { groups }
    }

    /// The conversations.
    pub(super) fn conversations(&self) -> impl Iterator<Item = ConversationId> {
        self.groups.iter().map(|group| group.conversation)
    }
}

impl<'a> Group<'a> {
    fn of(chunk: &[(ConversationId, &'a Numbered)]) -> Option<Self> {
        let (conversation, _) = chunk.first()?;
        let entries: Vec<_> = chunk.iter().map(|(_, entry)| *entry).collect();
        let last = |entry: &&Numbered| match &entry.entry {
            Entry::Sent(row) => Some(Last { timestamp: row.message.timestamp, id: row.message.id }),
            Entry::Marked(_) | Entry::Changed(_) => None,
        };
        let after = entries.iter().rev().find_map(last);
        Some(Self {
            conversation: *conversation,
            cid: 0,
            is_new: true,
            state: ConversationState::default(),
            before: None,
            after,
            entries,
        })
    }
}
