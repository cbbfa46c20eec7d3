//! The vocabulary between a session and its embedder.

use bytes::Bytes;

use super::CloseReason;
use crate::packet::{
    AckId, Arguments, Namespace, encode_ack, encode_binary_ack, encode_binary_event, encode_event,
};

/// An HTTP request of a polling session, numbered by the embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

/// A WebSocket, numbered by the embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkId(pub u64);

/// How a session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// By a GET, which is fed next, as [`Input::Get`].
    Polling,
    /// On a WebSocket.
    WebSocket(LinkId),
}

/// What happened to a session.
#[non_exhaustive]
pub enum Input {
    /// The client waits for packets.
    Get {
        /// The request to be answered.
        request: RequestId,
    },
    /// A POST's headers have come and its body is being read. Optional; it lets the session see two POSTs
    /// at once, and one that is cut short.
    PostBegun {
        /// The request to be answered.
        request: RequestId,
    },
    /// A POST is whole.
    Post {
        /// The request to be answered.
        request: RequestId,
        /// Its body.
        body: Bytes,
    },
    /// A POST's body is larger than `max_payload`.
    PostTooLarge {
        /// The request to be answered.
        request: RequestId,
    },
    /// The client cut a request before its answer.
    Aborted {
        /// The request, which gets no answer any more.
        request: RequestId,
    },
    /// A WebSocket with this session's id.
    Upgrade {
        /// The new link.
        link: LinkId,
    },
    /// A WebSocket text message, valid UTF-8.
    Text {
        /// The link it came on.
        link: LinkId,
        /// The message.
        data: Bytes,
    },
    /// A WebSocket binary message.
    Binary {
        /// The link it came on.
        link: LinkId,
        /// The message.
        data: Bytes,
    },
    /// A WebSocket is gone, whoever closed it.
    LinkClosed {
        /// The link.
        link: LinkId,
    },
    /// The time that [`Session::poll_timeout`](super::Session::poll_timeout) named has come. What has
    /// arrived until then is fed first.
    Timeout,
}

/// What the embedder is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Answer a request.
    Reply {
        /// The request.
        request: RequestId,
        /// The answer.
        reply: Reply,
    },
    /// Send a message on a WebSocket.
    Send {
        /// The link.
        link: LinkId,
        /// The message.
        frame: Frame,
    },
    /// Close a WebSocket, after all that was sent on it.
    CloseLink {
        /// The link.
        link: LinkId,
        /// The close frame's code.
        code: u16,
    },
    /// Something that the application wants to know.
    Event(Event),
}

/// An HTTP answer; the embedder adds `Cache-Control: no-store` and CORS headers.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// One WebSocket message, or one packet of a polling payload.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// An Engine.IO packet in text, its type included.
    Text(Bytes),
    /// An attachment.
    Binary(Bytes),
}

/// A Socket.IO packet to be sent: its header and its attachments, never parted by another packet.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Outgoing {
    /// The whole Engine.IO message, the leading `4` included (see [`encode_event`](crate::packet::encode_event)); empty
    /// where there are only binary messages.
    pub text: Bytes,
    /// The binary messages that follow it.
    pub attachments: Vec<Bytes>,
}

impl Outgoing {
    /// An event, with what is attached to it: where that belongs, `args` holds placeholders, as those of
    /// [`encode_binary_event`](crate::packet::encode_binary_event).
    #[must_use]
    pub fn event(nsp: &str, name: &str, args: &[&[u8]], ack: Option<u64>, attachments: Vec<Bytes>) -> Self {
        let text = match attachments.len() {
            0 => encode_event(nsp, name, args, ack),
            count => encode_binary_event(nsp, name, args, ack, count),
        };
        Self { text, attachments }
    }

    /// An acknowledgement, with what is attached to it, as in [`event`](Self::event).
    #[must_use]
    pub fn ack(nsp: &str, id: AckId, args: &[&[u8]], attachments: Vec<Bytes>) -> Self {
        let text = match attachments.len() {
            0 => encode_ack(nsp, id, args),
            count => encode_binary_ack(nsp, id, args, count),
        };
        Self { text, attachments }
    }

    /// A message in text, for a session that speaks Engine.IO alone.
    #[must_use]
    pub fn text(text: &[u8]) -> Self {
        Self::from(Bytes::from([b"4", text].concat()))
    }

    /// A message in bytes, for a session that speaks Engine.IO alone.
    #[must_use]
    pub fn binary(data: Bytes) -> Self {
        Self { text: Bytes::new(), attachments: vec![data] }
    }
}

impl From<Bytes> for Outgoing {
    fn from(text: Bytes) -> Self {
        Self { text, attachments: Vec::new() }
    }
}

/// What the client did, or what became of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The client asks to join a namespace; answered by `accept` or `refuse`.
    Connect {
        /// The namespace.
        nsp: Namespace,
        /// A JSON object's text.
        auth: Option<Bytes>,
    },
    /// An event, with all its attachments.
    Message {
        /// An accepted namespace.
        nsp: Namespace,
        /// The number to acknowledge it by, where the client asks for that.
        ack: Option<AckId>,
        /// Its name and arguments.
        args: Arguments,
        /// What the placeholders in the arguments stand for.
        attachments: Vec<Bytes>,
    },
    /// The acknowledgement of an event of ours. The session does not know which numbers were given out:
    /// one for nothing is to be ignored.
    Ack {
        /// An accepted namespace.
        nsp: Namespace,
        /// The event's number.
        id: u64,
        /// Its arguments.
        args: Arguments,
        /// What the placeholders in the arguments stand for.
        attachments: Vec<Bytes>,
    },
    /// The client left a namespace; the session goes on.
    Disconnect {
        /// The namespace.
        nsp: Namespace,
    },
    /// A message in text, of a session that speaks Engine.IO alone.
    Text(Bytes),
    /// A message in bytes, of a session that speaks Engine.IO alone.
    Binary(Bytes),
    /// The session is over, with all its namespaces. The last event.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}
