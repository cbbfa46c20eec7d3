//! Why sessions end.

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
    /// All clients together hold more than may be, and this one most of it.
    Overload,
    /// The client did more than it may, and did not heed being told so.
    Flood,
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
            Self::Slow | Self::Flood => 1008,
            Self::Overload => 1013,
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
            Self::Overload => "overload",
            Self::Flood => "flood",
            Self::Server => "server",
            Self::Shutdown => "shutdown",
        }
    }
}
