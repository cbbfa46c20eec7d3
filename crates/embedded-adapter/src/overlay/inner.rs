//! What is behind the lock of the overlay.

use std::{
    collections::{BTreeSet, HashSet},
    mem,
    sync::Arc,
    time::Instant,
};

use chat_ports::model::{ConversationId, MessageId, UserId};
use foldhash::HashMap;

use super::{
    DedupKey, ENTRY_BYTES, Numbered, Staged,
    recent::{Recent, owners, text_bytes},
};
use crate::record::{Entry, Row};

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) conversations: HashMap<ConversationId, Recent>,
    pub(super) ids: HashMap<MessageId, (ConversationId, u32)>,
    /// With std's keyed hasher: clients choose these names.
    pub(super) dedup: HashSet<DedupKey>,
    pub(super) owners: BTreeSet<(UserId, ConversationId)>,
    pub(super) entries: usize,
    pub(super) bytes: usize,
    pub(super) pending: Vec<Numbered>,
    pub(super) pending_since: Option<Instant>,
    /// Whether somebody waits for memory to be empty.
    pub(super) draining: bool,
    pub(super) closing: bool,
    /// The number of the last entry that was taken in.
    pub(super) last_entry: u64,
    /// How many of the pending ones take a text away.
    pub(super) erasing: usize,
}

impl Inner {
    /// Whether a text that is to go stands in the log.
    pub(super) const fn is_erasing(&self) -> bool {
        self.erasing > 0
    }

    pub(super) fn take_in(&mut self, staged: Staged) {
        let Staged { numbered, state } = staged;
        let conversation = numbered.entry.conversation();
        let recent = self.conversations.entry(conversation).or_insert_with(|| {
            self.owners.extend(owners(&conversation).map(|user| (user, conversation)));
            Recent::new(state)
        });
        recent.state = state;
        self.entries += 1;
        match &numbered.entry {
            Entry::Sent(row) => {
                self.bytes += row_bytes(row);
                self.ids.insert(row.message.id, (conversation, row.place.seq));
                if row.message.client_id.is_some() {
                    self.dedup.insert(DedupKey(Arc::clone(&row.message)));
                }
                recent.push_row(numbered.n, row.clone());
            }
            Entry::Marked(mark) => {
                self.bytes += ENTRY_BYTES;
                recent.push_mark(numbered.n, mark);
            }
            Entry::Changed(changed) => {
                self.bytes += ENTRY_BYTES + text_bytes(&changed.change);
                self.erasing += 1;
                recent.push_change(numbered.n, changed);
            }
        }
        self.last_entry = numbered.n;
        self.pending.push(numbered);
    }

    pub(super) fn take_pending(&mut self, most: usize) -> Vec<Numbered> {
        if self.pending.len() > most {
            let rest = self.pending.split_off(most);
            let taken = mem::replace(&mut self.pending, rest);
            self.erasing -= taken.iter().filter(|entry| entry.erases()).count();
            return taken;
        }
        self.erasing = 0;
        self.pending_since = None;
        self.draining = false;
        let room = self.pending.len();
        mem::replace(&mut self.pending, Vec::with_capacity(room))
    }

    /// Removes swept entries of a conversation, `left` rows at most; whether that was all of them.
    pub(super) fn remove(&mut self, conversation: &ConversationId, swept: u64, left: &mut usize) -> bool {
        *left = left.saturating_sub(1);
        let Some(recent) = self.conversations.get_mut(conversation) else { return true };
        while let Some(row) = recent.pop_row(swept) {
            self.entries -= 1;
            self.bytes -= row_bytes(&row);
            self.ids.remove(&row.message.id);
            if row.message.client_id.is_some() {
                self.dedup.remove(&DedupKey(row.message));
            }
            *left = left.saturating_sub(1);
            if *left == 0 {
                return false;
            }
        }
        let (count, bytes) = recent.drop_swept(swept);
        self.entries -= count;
        self.bytes -= count * ENTRY_BYTES + bytes;
        if recent.is_empty() {
            self.conversations.remove(conversation);
            owners(conversation).into_iter().for_each(|user| {
                self.owners.remove(&(user, *conversation));
            });
        }
        true
    }
}

fn row_bytes(row: &Row) -> usize {
    ENTRY_BYTES + row.message.text.len() + row.message.client_id.as_ref().map_or(0, String::len)
}
