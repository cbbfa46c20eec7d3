//! What happens in the chat and others are told of.

use std::sync::Arc;

use super::{Message, MessageId, SocketId, UserId};

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
    },
    /// Messages became read.
    Read {
        /// Who read them; the other devices are told as well.
        reader: UserId,
        /// Who had written them.
        sender: UserId,
        /// The newly read ones, oldest first; at most the newest
        /// [`Limits::max_read_events`](super::Limits::max_read_events).
        messages: Vec<MessageId>,
        /// The reading socket.
        except: Option<SocketId>,
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
    /// Everybody but this user.
    Others(UserId),
}

impl Event {
    /// Whom it concerns.
    #[must_use]
    pub fn audience(&self) -> Audience {
        match self {
            Self::Message { message, .. } => Audience::Both(message.receiver, message.sender),
            Self::Read { reader, sender, .. } => Audience::Both(*sender, *reader),
            Self::Typing { receiver, .. } => Audience::One(*receiver),
            Self::Online { user, .. } | Self::Offline { user, .. } => Audience::Others(*user),
        }
    }
}
