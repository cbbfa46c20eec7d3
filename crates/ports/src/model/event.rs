//! What happens in the chat and others are told of.

use std::sync::Arc;

use super::{Block, Message, MessageId, SocketId, UserId};
use crate::{CommitNumber, ReceiptKind};

/// Something that connected sockets are told of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message became durable.
    Message {
        /// The message as stored.
        message: Arc<Message>,
        /// The sending socket, where its acknowledgement tells it already.
        except: Option<SocketId>,
        /// The number of its commit, where the store numbers them.
        number: Option<CommitNumber>,
    },
    /// Messages became delivered or read.
    Receipt {
        /// Which.
        kind: ReceiptKind,
        /// To whom they were sent; of a reading the other devices are told as well.
        receiver: UserId,
        /// Who had written them.
        sender: UserId,
        /// They, oldest first; at most the newest
        /// [`Limits::max_receipt_events`](super::Limits::max_receipt_events).
        messages: Vec<MessageId>,
        /// The receiving socket.
        except: Option<SocketId>,
        /// The number of its commit, where the store numbers them.
        number: Option<CommitNumber>,
    },
    /// A message got another text.
    Edited {
        /// The message as it is now.
        message: Arc<Message>,
        /// The number of its commit, where the store numbers them.
        number: Option<CommitNumber>,
    },
    /// A message was deleted.
    Deleted {
        /// What is left of it.
        message: Arc<Message>,
        /// The number of its commit, where the store numbers them.
        number: Option<CommitNumber>,
    },
    /// Somebody blocks somebody, or no longer. Clients are not told; what is kept in memory is brought up to date.
    Blocking {
        /// Who blocks, whom, and since when.
        block: Block,
        /// Whether it is so from now on.
        blocks: bool,
    },
    /// Somebody types, or stopped. Volatile: it may be dropped.
    Typing {
        /// Who types.
        sender: UserId,
        /// The typist's displayed name.
        username: Arc<str>,
        /// To whom.
        receiver: UserId,
        /// Whether it began or ended.
        is_typing: bool,
    },
    /// A user's first device came.
    Online {
        /// Who.
        user: UserId,
        /// The displayed name.
        username: Arc<str>,
        /// The device's socket.
        socket: SocketId,
        /// Whom the user blocks: they are not told.
        blocked: Arc<[UserId]>,
    },
    /// A user's last device went, and did not come back within the grace time.
    Offline {
        /// Who.
        user: UserId,
        /// The displayed name.
        username: Arc<str>,
    },
}

/// Whom an event concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Audience {
    /// All devices of two users.
    Both(UserId, UserId),
    /// All devices of one user.
    One(UserId),
    /// Everybody but this user who may know of it: nobody whom the user blocks or who blocks the user.
    Others(UserId),
}

impl Event {
    /// Whom it concerns.
    #[must_use]
    pub fn audience(&self) -> Audience {
        match self {
            Self::Message { message, .. } => Audience::Both(message.receiver, message.sender),
            Self::Edited { message, .. } | Self::Deleted { message, .. } => {
                Audience::Both(message.receiver, message.sender)
            }
            Self::Receipt { receiver, sender, .. } => Audience::Both(*sender, *receiver),
            Self::Blocking { block, .. } => Audience::Both(block.blocked, block.blocker),
            Self::Typing { receiver, .. } => Audience::One(*receiver),
            Self::Online { user, .. } | Self::Offline { user, .. } => Audience::Others(*user),
        }
    }
}
