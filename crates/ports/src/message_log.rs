//! The port that the hot path goes through: what is written to conversations.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;

use crate::{
    StoreError,
    model::{ClientId, ConversationId, Message, MessageId, MessageText, SocketId, Timestamp, UserId},
};

/// A message to be stored. The store gives it its `seq`.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Its id.
    pub id: MessageId,
    /// Who writes.
    pub sender: UserId,
    /// To whom; never the sender.
    pub receiver: UserId,
    /// The text.
    pub text: MessageText,
    /// When the server took it.
    pub timestamp: Timestamp,
    /// The sender's own name for it.
    pub client_id: Option<ClientId>,
    /// Until when it must be stored; what still waits then is given up.
    pub deadline: Instant,
    /// Handed on to [`Commit::Sent`], never stored: the socket that need not be told.
    pub except: Option<SocketId>,
}

impl NewMessage {
    /// The message with its place in the conversation.
    #[must_use]
    pub fn into_message(self, seq: u64) -> Message {
        let Self { id, sender, receiver, text, timestamp, client_id, deadline: _, except: _ } = self;
        Message {
            id,
            seq,
            sender,
            receiver,
            text: text.into_string(),
            timestamp,
            delivered_at: None,
            read_at: None,
            edited_at: None,
            deleted_at: None,
            client_id: client_id.map(ClientId::into_string),
            first_text: None,
        }
    }
}

/// What became of a message to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The message as stored: for a repeat, the first one in its current state.
    pub message: Arc<Message>,
    /// Whether it had been stored before.
    pub repeated: bool,
}

/// A message that was not stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The `clientId` was used before, to the same receiver, for another text.
    #[error("the client id was used for another text")]
    ClientIdTaken,
    /// The store failed; whether it is stored may be unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a receiver lets be known of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptKind {
    /// They reached one of the receiver's devices.
    Delivered,
    /// The receiver has read them, and so they were delivered.
    Read,
}

/// Marks a conversation as delivered or read, up to a message.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Which mark.
    pub kind: ReceiptKind,
    /// Whose receipt it is: to whom the messages were sent.
    pub receiver: UserId,
    /// Up to which message; one that was sent to the receiver.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
    /// Most ids to return: the newest.
    pub max_ids: u32,
    /// Until when it must be stored.
    pub deadline: Instant,
    /// Handed on to [`Commit::Receipt`], never stored: the receiving socket.
    pub except: Option<SocketId>,
}

/// What a receipt changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptSpan {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who had written the messages.
    pub sender: UserId,
    /// How many got the mark by this receipt.
    pub count: u64,
    /// They, oldest first; at most the newest [`Receipt::max_ids`].
    pub messages: Vec<MessageId>,
}

/// Gives a message another text.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Which one.
    pub message: MessageId,
    /// The new text.
    pub text: MessageText,
    /// When.
    pub at: Timestamp,
    /// Until when it must be stored.
    pub deadline: Instant,
}

/// Takes a message's text away.
#[derive(Debug, Clone)]
pub struct Delete {
    /// Which one.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
    /// Until when it must be stored.
    pub deadline: Instant,
}

/// Something that became durable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Commit {
    /// A message was stored.
    Sent {
        /// The message.
        message: Arc<Message>,
        /// The socket that need not be told.
        except: Option<SocketId>,
    },
    /// Messages were delivered or read; there is at least one.
    Receipt {
        /// Which mark they got.
        kind: ReceiptKind,
        /// Whose receipt it was.
        receiver: UserId,
        /// What changed.
        span: ReceiptSpan,
        /// The receiving socket.
        except: Option<SocketId>,
    },
    /// A message got another text.
    Edited {
        /// The message as it is now.
        message: Arc<Message>,
    },
    /// A message was deleted.
    Deleted {
        /// What is left of it.
        message: Arc<Message>,
    },
}

/// Where a commit stands among all of a store that numbers them: from one that is told to the next it never falls, also over restarts.
/// Below 2⁴⁴.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitNumber(pub u64);

/// A commit as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// What became durable.
    pub commit: Commit,
    /// Its number, where the store [numbers](crate::Replays) commits.
    pub number: Option<CommitNumber>,
}

impl From<Commit> for Committed {
    fn from(commit: Commit) -> Self {
        Self { commit, number: None }
    }
}

/// Is told what became durable, so that it can be delivered in the order of the store.
pub trait CommitListener: Send + Sync {
    /// Takes what one group commit made durable, in commit order. MUST NOT block.
    fn committed(&self, commits: Vec<Committed>);
}

/// Writes to conversations. Every change of a conversation goes through here.
///
/// An implementation is given a [`CommitListener`] when it is made, and MUST tell it of each commit
/// exactly once: after it is durable, before the call that caused it answers, and within a conversation
/// in the order of `seq`. A repeat, a refusal, a receipt and a deletion that change nothing are no commits.
/// Every call is durable when it answers. A deadline that passed is answered with [`StoreError::Timeout`].
#[async_trait]
pub trait MessageLog: Send + Sync {
    /// Stores a message durably and gives it the next `seq` of its conversation: 1, 2, 3 … without gaps,
    /// whatever fails in between. The order of calls on one conversation (that of their first polls) MUST
    /// be the order of `seq`.
    ///
    /// The same sender, receiver and `client_id` is the same message for as long as it exists: a repeat
    /// MUST be answered with the stored message and `repeated`, also while the first is on its way, and
    /// after a restart. What counts is the text as it was first sent: an edit makes no repeat another message,
    /// and of a deleted message any text is a repeat. Dropping the future does not take the message back.
    ///
    /// # Errors
    /// [`AppendError::ClientIdTaken`] for a repeat with another text; else the store failed. A queue that is
    /// full answers [`StoreError::Unavailable`], a deadline that passed [`StoreError::Timeout`].
    async fn append(&self, message: NewMessage) -> Result<Appended, AppendError>;

    /// Marks as delivered or read what the other side of the message's conversation has sent to the receiver up to that
    /// message. `None` when there is no such message or it was not sent to the receiver. What had the mark keeps it as it
    /// was (its time too), and what comes later is untouched. A message that is read is delivered as well: with
    /// the reading, where nothing said so before; delivering it afterwards changes nothing.
    ///
    /// # Errors
    /// The store failed.
    async fn receipt(&self, receipt: Receipt) -> Result<Option<ReceiptSpan>, StoreError>;

    /// Gives a message another text and `edited_at`, and answers with it. `None` when there is no such message or it is
    /// deleted: a deletion MUST win over an edit that comes beside it. Of two edits the one that is stored later MUST have the
    /// later `edited_at`, whatever the clock said ([`Message::edit_time`]).
    ///
    /// # Errors
    /// The store failed.
    async fn edit(&self, edit: Edit) -> Result<Option<Arc<Message>>, StoreError>;

    /// Deletes a message for everybody: its text is empty from then on, `edited_at` is gone and `deleted_at` set; its place, marks and
    /// `client_id` stay. No file or collection of the store keeps the text; what still holds it beside (a log, free pages) is
    /// overwritten soon after, in a time that the implementation tells. `None` when there is no such message; one that is deleted stays as it is.
    ///
    /// # Errors
    /// The store failed.
    async fn delete(&self, delete: Delete) -> Result<Option<Arc<Message>>, StoreError>;
}
