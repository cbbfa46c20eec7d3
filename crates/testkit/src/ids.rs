//! Ids that count up.

use std::sync::atomic::{AtomicU64, Ordering};

use chat_ports::{
    IdSource,
    model::{MessageId, ObjectId, UserId},
};

/// Makes the ids 1, 2, 3 … in ObjectId layout: unique within one source.
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

impl SequentialIds {
    /// A source that begins with 1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A new user's id.
    pub fn user(&self) -> UserId {
        UserId(self.next_id())
    }

    /// A new message's id.
    pub fn message(&self) -> MessageId {
        MessageId(self.next_id())
    }
}

impl IdSource for SequentialIds {
    fn next_id(&self) -> ObjectId {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let mut bytes = [0; 12];
        bytes.iter_mut().skip(4).zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
        ObjectId::from_bytes(bytes)
    }
}
