//! One client's session: a state machine over polling, WebSocket and the upgrade between them.
//!
//! The embedder feeds [`Input`]s with the time at which they came, drains [`Session::poll_output`] until
//! it gives `None`, and feeds [`Input::Timeout`] when [`Session::poll_timeout`] says so. What has arrived
//! is fed before a timeout that is due at the same moment.
//!
//! To send, it asks [`Session::writable`], calls [`Session::send`] as long as that holds, and then drains
//! the outputs: everything sent up to there is joined in one answer on polling.

mod connection;
mod debug;
mod heartbeat;
mod io;
mod membership;
mod partial;
mod polling;
mod reason;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

pub use io::{Event, Frame, Input, LinkId, Outgoing, Output, Reply, RequestId, Transport};
pub use reason::CloseReason;

use crate::packet::{self, Namespace, Packet};
use crate::{Config, Protocol};
use connection::{Connection, Incoming};
use membership::Memberships;
use partial::{Partial, Progress};

/// A session. It holds no memory beyond itself while it is idle on a WebSocket.
#[derive(Debug)]
pub struct Session {
    connection: Connection,
    namespaces: Memberships,
    /// When a session without a namespace ends.
    connect_due: Option<Instant>,
    partial: Option<Box<Partial>>,
}

impl Session {
    /// Begins a session under the id `sid`; its first packet, OPEN, is queued.
    #[must_use]
    pub fn new(config: Arc<Config>, sid: &str, transport: Transport, now: Instant) -> Self {
        let connect_due = (config.protocol == Protocol::SocketIo).then(|| now + config.connect_timeout);
        let connection = Connection::new(config, sid, transport, now);
        Self { connection, namespaces: Memberships::default(), connect_due, partial: None }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, input: Input) {
        while let Some(incoming) = self.connection.next_incoming() {
            self.receive(incoming);
        }
        self.connection.now = now;
        let timeout = matches!(input, Input::Timeout);
        if let Some(incoming) = self.connection.handle(input) {
            self.receive(incoming);
        }
        if timeout {
            self.apply_deadlines(now);
        }
    }

    /// What is to be done next; to be called until it gives `None` after every other call that changes
    /// the session.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.connection.out.pop_front() {
                return Some(output);
            }
            if let Some(incoming) = self.connection.next_incoming() {
                self.receive(incoming);
                continue;
            }
            if self.connection.out.is_empty() {
                self.connection.flush();
            }
            if self.connection.out.is_empty() {
                self.connection.out = VecDeque::new();
                return None;
            }
        }
    }

    /// When [`Input::Timeout`] is due; `None` once the session is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let transport = self.connection.poll_timeout()?;
        let attachments = self.partial.as_ref().map(|partial| partial.due);
        [self.connect_due, attachments].into_iter().flatten().chain([transport]).min()
    }

    /// Accepts a namespace that was asked for, under an id that is public to other clients. False if that
    /// is moot by now: the session is over.
    pub fn accept(&mut self, now: Instant, nsp: &str, socket_id: &str) -> bool {
        self.join(now, nsp, socket_id, None)
    }

    /// Accepts a namespace as [`Self::accept`] does, with a private id for [connection state recovery]: the client brings it
    /// back as `pid` in the payload of a later CONNECT, as `offset` beside it the last argument of the last event that had a string
    /// there. One that is accepted under the `pid` that it brought knows that it is recovered, and has its old id.
    ///
    /// [connection state recovery]: https://socket.io/docs/v4/connection-state-recovery
    pub fn accept_recoverable(&mut self, now: Instant, nsp: &str, socket_id: &str, pid: &str) -> bool {
        self.join(now, nsp, socket_id, Some(pid))
    }

    fn join(&mut self, now: Instant, nsp: &str, socket_id: &str, pid: Option<&str>) -> bool {
        self.connection.now = now;
        if self.connection.is_closed() || !self.namespaces.join(nsp) {
            return false;
        }
        self.connect_due = None;
        self.connection.push(packet::connect(nsp, socket_id, pid));
        !self.connection.is_closed()
    }

    /// Refuses a namespace that was asked for; `data` is JSON text. One that the application does not
    /// know is refused with `Invalid namespace`. The client may ask again.
    pub fn refuse(&mut self, now: Instant, nsp: &str, message: &str, data: Option<&[u8]>) {
        self.connection.now = now;
        if self.namespaces.remove(nsp, false) {
            self.connection.push(packet::connect_error(nsp, message, data));
        }
    }

    /// Ends an accepted namespace by a DISCONNECT packet; the session goes on. Official clients do not
    /// come back by themselves after it.
    pub fn disconnect(&mut self, now: Instant, nsp: &str) {
        self.connection.now = now;
        if self.leave(nsp) {
            self.connection.push(packet::disconnect(nsp));
        }
    }

    /// Ends the session. What still waits for a GET is lost, unless one is open.
    pub fn close(&mut self, now: Instant, reason: CloseReason) {
        self.connection.now = now;
        self.connection.close(reason);
    }

    /// Sends a packet. The embedder sees to it that its namespace is accepted, and that
    /// [`Self::writable`] holds: on polling what is sent regardless waits for the next GET, up to
    /// `max_payload` bytes, past which the session is closed as slow.
    pub fn send(&mut self, now: Instant, outgoing: Outgoing) {
        self.connection.now = now;
        let Outgoing { text, attachments } = outgoing;
        if attachments.is_empty() {
            return self.connection.push(text);
        }
        let header = Some(text).filter(|text| !text.is_empty()).map(Frame::Text);
        self.connection.push_all(header.into_iter().chain(attachments.into_iter().map(Frame::Binary)));
    }

    /// Whether a packet would go out now: the session is on a WebSocket, or a GET waits and there is room
    /// in its answer.
    #[must_use]
    pub fn writable(&self) -> bool {
        self.connection.writable()
    }

    /// The WebSocket that carries the session now; `None` while polling does, also during an upgrade.
    #[must_use]
    pub fn link(&self) -> Option<LinkId> {
        self.connection.link()
    }

    /// Bytes of attachments whose event has not come in whole yet.
    #[must_use]
    pub fn partial_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.bytes)
    }

    /// Whether the session is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.connection.is_closed()
    }

    fn apply_deadlines(&mut self, now: Instant) {
        if self.connect_due.is_some_and(|due| now >= due) {
            self.connection.close(CloseReason::ConnectTimeout);
        }
        if self.partial.as_ref().is_some_and(|partial| now >= partial.due) {
            self.connection.close(CloseReason::AttachmentsTimeout);
        }
    }

    fn receive(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Text(text) if self.is_bare() => self.emit(Event::Text(text)),
            Incoming::Binary(data) if self.is_bare() => self.emit(Event::Binary(data)),
            Incoming::Text(text) => self.text(text),
            Incoming::Binary(data) => self.attachment(data),
        }
    }

    /// Whether it speaks Engine.IO alone.
    fn is_bare(&self) -> bool {
        self.connection.config.protocol == Protocol::EngineIo
    }

    fn text(&mut self, text: Bytes) {
        let decoded = packet::decode(text, &self.connection.config);
        match decoded {
            Ok(packet) if self.partial.is_none() => self.packet(packet),
            _ => self.connection.close(CloseReason::Malformed),
        }
    }

    fn packet(&mut self, packet: Packet) {
        match packet {
            Packet::Connect { nsp, auth } => self.connect(nsp, auth),
            Packet::Disconnect { nsp } => {
                if self.leave(&nsp) {
                    self.emit(Event::Disconnect { nsp });
                } else {
                    self.connection.close(CloseReason::Unexpected);
                }
            }
            Packet::Event { ref nsp, attachments, .. } | Packet::Ack { ref nsp, attachments, .. } => {
                if attachments == 0 || !self.namespaces.is_joined(nsp) {
                    self.deliver(packet, Vec::new());
                } else {
                    let due = self.connection.now + self.connection.config.attachments_timeout;
                    self.partial = Some(Box::new(Partial::new(packet, attachments, due)));
                }
            }
            Packet::ConnectError { .. } => self.connection.close(CloseReason::Unexpected),
        }
    }

    fn connect(&mut self, nsp: Namespace, auth: Option<Bytes>) {
        if self.namespaces.contains(&nsp) {
            return self.connection.close(CloseReason::Unexpected);
        }
        if self.namespaces.len() >= self.connection.config.max_namespaces {
            return self.connection.close(CloseReason::TooLarge);
        }
        self.namespaces.ask(nsp.clone());
        self.emit(Event::Connect { nsp, auth });
    }

    fn attachment(&mut self, data: Bytes) {
        let Some(mut partial) = self.partial.take() else {
            return self.connection.close(CloseReason::Malformed);
        };
        match partial.add(&data, self.connection.config.max_payload) {
            Progress::More => self.partial = Some(partial),
            Progress::TooLarge => self.connection.close(CloseReason::TooLarge),
            Progress::Complete => {
                let Partial { packet, attachments, .. } = *partial;
                self.deliver(packet, attachments);
            }
        }
    }

    /// Hands a whole event or acknowledgement up, if its namespace is joined: it may have been left while
    /// attachments came. An acknowledgement without a number is one for nothing.
    fn deliver(&mut self, packet: Packet, attachments: Vec<Bytes>) {
        let (Packet::Event { nsp, .. } | Packet::Ack { nsp, .. }) = &packet else { return };
        if !self.namespaces.is_joined(nsp) {
            self.connection.close(CloseReason::Unexpected);
        } else if let Packet::Event { nsp, ack, args, .. } = packet {
            self.emit(Event::Message { nsp, ack, args, attachments });
        } else if let Packet::Ack { nsp, id: Some(id), args, .. } = packet {
            self.emit(Event::Ack { nsp, id: id.0, args, attachments });
        }
    }

    fn emit(&mut self, event: Event) {
        self.connection.out.push_back(Output::Event(event));
    }

    /// Leaves a joined namespace. A session that is left without any gets the time of a new one to ask
    /// for the next: nobody stays connected without having been accepted.
    fn leave(&mut self, nsp: &str) -> bool {
        let left = self.namespaces.remove(nsp, true);
        if left && !self.namespaces.any_joined() {
            self.connect_due = Some(self.connection.now + self.connection.config.connect_timeout);
        }
        left
    }
}
