//! What an operator can set of the transport.

use std::time::Duration;

use chat_domain::model::Limits;
use chat_socketio_actix::{Budget, Options, Origins, protocol::Config};

use crate::TrustedProxies;

/// Settings of the transport. Durations are wall time, sizes are bytes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The Engine.IO and Socket.IO limits and times.
    pub engine: Config,
    /// Most bytes that wait for one socket; past them it is closed as slow. Default 1 MiB.
    pub outbox_bytes: usize,
    /// What all clients together may have sent of bodies, messages and attachments that are not whole yet; past it
    /// whoever has sent most is closed, and comes back. Default 8 MiB.
    pub incoming_bytes: usize,
    /// What all clients together may leave unread; past it whoever left most is closed as slow. Default 32 MiB.
    pub outgoing_bytes: usize,
    /// Most sockets of one user; one more is refused with `forbidden`. Default 50.
    pub max_sockets_per_user: usize,
    /// Most sessions of one address; the handshake of one more is refused with `rate_limited`. Default 10,000.
    pub max_sockets_per_address: usize,
    /// How long after its link broke a session can be recovered; zero for never. Default 120 s.
    pub recovery_window: Duration,
    /// Sends of one socket that may be on their way to the store at once. Default 64.
    pub max_sends_in_flight: usize,
    /// Events of one socket that wait their turn; past them the socket is not read. Default 512.
    pub max_queued_events: usize,
    /// How long a request may take, from its arrival. Default 5 s.
    pub send_timeout: Duration,
    /// Most bytes of a REST body. Default 64 KiB.
    pub max_body_bytes: usize,
    /// How long a request's body may take to come in. Default 30 s.
    pub body_timeout: Duration,
    /// Which foreign origins browsers may come from.
    pub origins: Origins,
    /// Whose `X-Forwarded-For` tells where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// Whether `?token=` on the handshake counts. Default off: it lands in logs.
    pub query_token: bool,
    /// Whether `GET /api/users` lists anybody. Default on.
    pub users_list: bool,
    /// What input may be.
    pub limits: Limits,
    /// The version that `/health` tells.
    pub version: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: Config::default(),
            outbox_bytes: 1024 * 1024,
            incoming_bytes: 8 * 1024 * 1024,
            outgoing_bytes: 24 * 1024 * 1024,
            max_sockets_per_user: 50,
            max_sockets_per_address: 10_000,
            recovery_window: Duration::from_secs(120),
            max_sends_in_flight: 64,
            max_queued_events: 512,
            send_timeout: Duration::from_secs(5),
            max_body_bytes: 64 * 1024,
            body_timeout: Duration::from_secs(30),
            origins: Origins::SameOrigin,
            trusted_proxies: TrustedProxies::default(),
            query_token: false,
            users_list: true,
            limits: Limits::default(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

impl Settings {
    /// What of it the Socket.IO server heeds.
    pub(crate) fn socket_io(&self) -> Options {
        Options {
            engine: self.engine.clone(),
            outbox_bytes: self.outbox_bytes,
            incoming: Budget::new(self.incoming_bytes),
            outgoing: Budget::new(self.outgoing_bytes),
            max_queued_events: self.max_queued_events,
            queue_timeout: self.send_timeout,
            body_timeout: self.body_timeout,
            origins: self.origins.clone(),
            ..Options::default()
        }
    }
}
