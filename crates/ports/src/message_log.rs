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

/// Reads a conversation up to a message.
#[derive(Debug, Clone)]
pub struct MarkRead {
    /// Who reads.
    pub reader: UserId,
    /// Up to which message; one that was sent to the reader.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
    /// Most ids to return: the newest.
    pub max_ids: u32,
    /// Until when it must be stored.
    pub deadline: Instant,
    /// Handed on to [`Commit::Read`], never stored: the reading socket.
    pub except: Option<SocketId>,
}

/// What a reading changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadUpTo {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who had written the messages.
    pub sender: UserId,
    /// How many became read.
    pub count: u64,
    /// The newly read ones, oldest first; at most the newest [`MarkRead::max_ids`].
    pub messages: Vec<MessageId>,
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
    /// Messages were read; there is at least one.
    Read {
        /// Who read.
        reader: UserId,
        /// What changed.
        read: ReadUpTo,
        /// The reading socket.
        except: Option<SocketId>,
    },
}

/// Is told what became durable, so that it can be delivered in the order of the store.
pub trait CommitListener: Send + Sync {
    /// Takes what one group commit made durable, in commit order. MUST NOT block.
    fn committed(&self, commits: Vec<Commit>);
}

/// Writes to conversations. Every change of a conversation goes through here.
///
/// An implementation is given a [`CommitListener`] when it is made, and MUST tell it of each commit
/// exactly once: after it is durable, before the call that caused it answers, and within a conversation
/// in the order of `seq`. A repeat, a refusal and a reading that changes nothing are no commits.
#[async_trait]
pub trait MessageLog: Send + Sync {
    /// Stores a message durably and gives it the next `seq` of its conversation: 1, 2, 3 … without gaps,
    /// whatever fails in between. The order of calls on one conversation (that of their first polls) MUST
    /// be the order of `seq`.
    ///
    /// The same sender, receiver and `client_id` is the same message for as long as it exists: a repeat
    /// MUST be answered with the stored message and `repeated`, also while the first is on its way, and
    /// after a restart. Dropping the future does not take the message back.
    ///
    /// # Errors
    /// [`AppendError::ClientIdTaken`] for a repeat with another text; else the store failed. A queue that is
    /// full answers [`StoreError::Unavailable`], a deadline that passed [`StoreError::Timeout`].
    async fn append(&self, message: NewMessage) -> Result<Appended, AppendError>;

    /// Marks as read, durably, what the other side of the message's conversation has sent to the reader up to that message.
    /// `None` when there is no such message or it was not sent to the reader. What was read stays as it was
    /// (its `read_at` too), and what comes later is untouched.
    ///
    /// # Errors
    /// The store failed.
    async fn mark_read(&self, reading: MarkRead) -> Result<Option<ReadUpTo>, StoreError>;
}
