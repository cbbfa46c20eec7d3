//! The vocabulary between a session and its embedder.

use std::fmt;

use bytes::Bytes;

use crate::packet::{AckId, Arguments, Namespace};

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
    /// The whole Engine.IO message, the leading `4` included (see [`encode_event`](crate::packet::encode_event)).
    pub text: Bytes,
    /// The binary messages that follow it.
    pub attachments: Vec<Bytes>,
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
    /// The session is over, with all its namespaces. The last event.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// Why a session ended. Official clients come back by themselves after every one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client sent Engine.IO's close packet.
    ClientClosed,
    /// The WebSocket is gone, or a request was cut.
    TransportLost,
    /// A second GET or POST while one was open.
    Overlap,
    /// A packet or payload that can't be read.
    Malformed,
    /// A packet that does not fit the state: an event outside a namespace, a second CONNECT.
    Unexpected,
    /// A body, or attachments, over `max_payload`; more namespaces than `max_namespaces`.
    TooLarge,
    /// No pong in time.
    PingTimeout,
    /// No namespace joined in time.
    ConnectTimeout,
    /// Attachments did not come in time.
    AttachmentsTimeout,
    /// The client does not take what is sent to it.
    Slow,
    /// The embedder's wish.
    Server,
    /// The server is going down.
    Shutdown,
}

impl CloseReason {
    /// The code for a WebSocket's close frame.
    #[must_use]
    pub fn link_code(self) -> u16 {
        match self {
            Self::Malformed | Self::Unexpected => 1002,
            Self::TooLarge => 1009,
            Self::Shutdown => 1001,
            Self::Slow => 1008,
            Self::ClientClosed
            | Self::TransportLost
            | Self::Overlap
            | Self::PingTimeout
            | Self::ConnectTimeout
            | Self::AttachmentsTimeout
            | Self::Server => 1000,
        }
    }

    /// A word for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientClosed => "client_closed",
            Self::TransportLost => "transport_lost",
            Self::Overlap => "overlap",
            Self::Malformed => "malformed",
            Self::Unexpected => "unexpected",
            Self::TooLarge => "too_large",
            Self::PingTimeout => "ping_timeout",
            Self::ConnectTimeout => "connect_timeout",
            Self::AttachmentsTimeout => "attachments_timeout",
            Self::Slow => "slow",
            Self::Server => "server",
            Self::Shutdown => "shutdown",
        }
    }
}

// Bodies hold what people write and tokens: these print lengths only.

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get { request } => write!(f, "Get({request:?})"),
            Self::PostBegun { request } => write!(f, "PostBegun({request:?})"),
            Self::Post { request, body } => write!(f, "Post({request:?}, {} bytes)", body.len()),
            Self::PostTooLarge { request } => write!(f, "PostTooLarge({request:?})"),
            Self::Aborted { request } => write!(f, "Aborted({request:?})"),
            Self::Upgrade { link } => write!(f, "Upgrade({link:?})"),
            Self::Text { link, data } => write!(f, "Text({link:?}, {} bytes)", data.len()),
            Self::Binary { link, data } => write!(f, "Binary({link:?}, {} bytes)", data.len()),
            Self::LinkClosed { link } => write!(f, "LinkClosed({link:?})"),
            Self::Timeout => f.write_str("Timeout"),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({}, {} bytes)", self.status, self.body.len())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(data) => write!(f, "Text({} bytes)", data.len()),
            Self::Binary(data) => write!(f, "Binary({} bytes)", data.len()),
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} bytes, {} attachments)", self.text.len(), self.attachments.len())
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { nsp, auth } => write!(f, "Connect({nsp:?}, auth: {})", auth.is_some()),
            Self::Message { nsp, ack, args, attachments } => {
                write!(f, "Message({nsp:?}, {ack:?}, {args:?}, {} attachments)", attachments.len())
            }
            Self::Ack { nsp, id, args, attachments } => {
                write!(f, "Ack({nsp:?}, {id}, {args:?}, {} attachments)", attachments.len())
            }
            Self::Disconnect { nsp } => write!(f, "Disconnect({nsp:?})"),
            Self::Closed { reason } => write!(f, "Closed({reason:?})"),
        }
    }
}
