//! The settings of a session: times and limits, each with its default.

use std::time::Duration;

/// Times and limits of a session. One value is shared by all sessions of a server.
///
/// ```
/// use std::time::Duration;
/// let config = chat_socketio::Config { ping_interval: Duration::from_secs(10), ..Default::default() };
/// assert_eq!(config.max_payload, 1_000_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What a session speaks. Socket.IO.
    pub protocol: Protocol,
    /// Time from the handshake, or from the last pong, to the next ping. 25 s.
    pub ping_interval: Duration,
    /// Time from a ping to the end of the session when no pong comes. 20 s.
    pub ping_timeout: Duration,
    /// How long a session may stay without an accepted namespace. 10 s.
    pub connect_timeout: Duration,
    /// Time from a second transport's arrival to its upgrade packet; past it polling goes on alone. 10 s.
    pub upgrade_timeout: Duration,
    /// Time from a binary packet's header to its last attachment. 10 s.
    pub attachments_timeout: Duration,
    /// Bytes of one WebSocket message, of one polling request's body, and of all attachments of one
    /// packet together; it is announced to the client. It also bounds what one polling answer joins
    /// and what waits for the next one. 1,000,000.
    pub max_payload: usize,
    /// Attachments of one packet. 10.
    pub max_attachments: usize,
    /// Arguments of one event (its name not counted) or acknowledgement. 16.
    pub max_args: usize,
    /// Nesting of a packet's JSON, its outermost array or object counted. 128, which is also the most.
    pub max_depth: usize,
    /// Namespaces that one session may have joined or asked for. 32.
    pub max_namespaces: usize,
    /// Bytes of a namespace's name. 256.
    pub max_namespace_bytes: usize,
    /// Whether a polling session may become a WebSocket one. True.
    pub allow_upgrades: bool,
}

/// What a session speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Socket.IO: namespaces, events, acknowledgements, attachments.
    SocketIo,
    /// Engine.IO alone: every message is handed up as it came, in [`Event::Text`](crate::Event::Text) and
    /// [`Event::Binary`](crate::Event::Binary). There are no namespaces, and no time to join one.
    EngineIo,
}

impl Default for Config {
    fn default() -> Self {
        let deadline = Duration::from_secs(10);
        Self {
            protocol: Protocol::SocketIo,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            connect_timeout: deadline,
            upgrade_timeout: deadline,
            attachments_timeout: deadline,
            max_payload: 1_000_000,
            max_attachments: 10,
            max_args: 16,
            max_depth: 128,
            max_namespaces: 32,
            max_namespace_bytes: 256,
            allow_upgrades: true,
        }
    }
}
