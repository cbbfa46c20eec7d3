//! The log's entries: what each says.

mod encoding;

use std::sync::Arc;

use chat_ports::{
    ReceiptKind,
    model::{ConversationId, Message, TextDigest, Timestamp},
};

use crate::state::{Place, Who};

/// A message with all that its table row has. `message.delivered_at` and `read_at` are set only if it was so before it was
/// moved in: else who has got and read up to where stands in the marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) message: Arc<Message>,
    pub(crate) place: Place,
}

impl Row {
    /// Which side wrote it.
    pub(crate) fn sender(&self) -> Who {
        Who::is(self.message.sender, &self.message.conversation())
    }
}

/// Somebody has got or read everything up to a message, since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) kind: ReceiptKind,
    pub(crate) conversation: ConversationId,
    pub(crate) receiver: Who,
    /// Up to which `seq` all had the mark before.
    pub(crate) after: u32,
    /// The message's `seq`; it was sent to the receiver.
    pub(crate) seq: u32,
    /// How many of the messages sent to the receiver have the mark with it: its place among them, unless
    /// some past it had it before.
    pub(crate) nth: u32,
    pub(crate) at: Timestamp,
}

/// What a message became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It has another text.
    Edited { text: Arc<str>, at: Timestamp, first_text: TextDigest },
    /// It has none any more.
    Deleted { at: Timestamp },
}

impl Change {
    /// Makes it so.
    pub(crate) fn apply(&self, message: &mut Message) {
        match self {
            // A deletion wins, whichever of the two was read later.
            Self::Edited { .. } if message.is_deleted() => {}
            Self::Edited { text, at, first_text } => {
                message.text = text.as_ref().to_owned();
                (message.edited_at, message.first_text) = (Some(*at), Some(*first_text));
            }
            Self::Deleted { at } => *message = message.tombstone(*at),
        }
    }
}

/// A change, and of which message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) conversation: ConversationId,
    /// Who wrote it.
    pub(crate) sender: Who,
    pub(crate) seq: u32,
    pub(crate) change: Change,
}

/// What a log entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Sent(Row),
    Marked(Mark),
    Changed(Changed),
}

impl Entry {
    /// The conversation that it changes.
    pub(crate) fn conversation(&self) -> ConversationId {
        match self {
            Self::Sent(row) => row.message.conversation(),
            Self::Marked(mark) => mark.conversation,
            Self::Changed(changed) => changed.conversation,
        }
    }
}
