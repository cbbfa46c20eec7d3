//! One client's session: a state machine over polling, WebSocket and the upgrade between them.
//!
//! The embedder feeds [`Input`]s with the time at which they came, drains [`Output`]s until there are
//! none, and feeds [`Input::Timeout`] when [`Session::poll_timeout`] says so.

mod io;

pub use io::{
    CloseReason, Event, Frame, Input, LinkId, Outgoing, Output, Reply, RequestId, Transport,
};

use std::sync::Arc;
use std::time::Instant;

use crate::Config;

/// A session.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    closed: bool,
}

impl Session {
    /// Begins a session under the id `sid`; its first packet, OPEN, is queued.
    #[must_use]
    pub fn new(config: Arc<Config>, _sid: &str, _transport: Transport, _now: Instant) -> Self {
        Self { config, closed: false }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, _now: Instant, _input: Input) {}

    /// What is to be done next.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }

    /// When [`Input::Timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let _ = self.config.ping_interval;
        None
    }

    /// Accepts a namespace that was asked for; false if that is moot by now.
    pub fn accept(&mut self, _now: Instant, _nsp: &str, _socket_id: &str) -> bool {
        false
    }

    /// Refuses a namespace that was asked for; `data` is JSON text.
    pub fn refuse(&mut self, _now: Instant, _nsp: &str, _message: &str, _data: Option<&[u8]>) {}

    /// Ends a namespace by a DISCONNECT packet; the session goes on.
    pub fn disconnect(&mut self, _now: Instant, _nsp: &str) {}

    /// Ends the session.
    pub fn close(&mut self, _now: Instant, _reason: CloseReason) {
        self.closed = true;
    }

    /// Sends a packet.
    pub fn send(&mut self, _now: Instant, _outgoing: Outgoing) {}

    /// Whether a packet would go out now.
    #[must_use]
    pub fn writable(&self) -> bool {
        !self.closed
    }

    /// The WebSocket that carries the session now; `None` while polling does, also during an upgrade.
    #[must_use]
    pub fn link(&self) -> Option<LinkId> {
        None
    }

    /// Whether the session is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}
