//! The highest number of each conversation, as far as it is remembered.

use std::mem;

use chat_ports::model::ConversationId;
use foldhash::{HashMap, HashMapExt};

/// A bounded cache in two generations: what was not in use during one is forgotten with it.
pub(super) struct Numbers {
    young: HashMap<ConversationId, u64>,
    old: HashMap<ConversationId, u64>,
    most: usize,
}

impl Numbers {
    /// Remembers up to this many conversations.
    pub(super) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), most }
    }

    pub(super) fn get(&mut self, conversation: &ConversationId) -> Option<u64> {
        if let Some(highest) = self.young.get(conversation) {
            return Some(*highest);
        }
        let highest = self.old.remove(conversation)?;
        self.put(*conversation, highest);
        Some(highest)
    }

    pub(super) fn put(&mut self, conversation: ConversationId, highest: u64) {
        if self.young.len() * 2 >= self.most {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(conversation, highest);
    }

    pub(super) fn forget(&mut self, conversation: &ConversationId) {
        self.young.remove(conversation);
        self.old.remove(conversation);
    }

    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}
