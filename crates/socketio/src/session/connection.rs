//! The Engine.IO half of a session: one stream of messages each way over polling, WebSocket and the
//! upgrade between them.

mod links;
mod requests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::heartbeat::{Beat, Heartbeat};
use super::polling::Polling;
use super::{CloseReason, Event, Frame, Input, LinkId, Output, Reply, RequestId, Transport};
use crate::Config;
use crate::engine::{InvalidPacket, Packet, open_packet};

/// Engine.IO's PING packet.
const PING: Bytes = Bytes::from_static(b"2");

/// A message of the client's, whichever way it came.
pub(super) enum Incoming {
    Text(Bytes),
    Binary(Bytes),
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) config: Arc<Config>,
    pub(super) out: VecDeque<Output>,
    /// The latest time that the embedder told.
    pub(super) now: Instant,
    line: Line,
    heartbeat: Heartbeat,
}

/// The transport that carries the session.
#[derive(Debug)]
enum Line {
    Polling(Box<Polling>),
    WebSocket(LinkId),
    Closed,
}

impl Connection {
    pub(super) fn new(config: Arc<Config>, sid: &str, transport: Transport, now: Instant) -> Self {
        let (line, upgrades) = match transport {
            Transport::Polling => (Line::Polling(Box::default()), config.allow_upgrades),
            Transport::WebSocket(link) => (Line::WebSocket(link), false),
        };
        let open = open_packet(sid, upgrades, &config);
        let heartbeat = Heartbeat::new(now, &config);
        let mut connection = Self { config, out: VecDeque::new(), now, line, heartbeat };
        connection.push(open);
        connection
    }

    /// The WebSocket that carries the session.
    pub(super) fn link(&self) -> Option<LinkId> {
        match self.line {
            Line::WebSocket(link) => Some(link),
            Line::Polling(_) | Line::Closed => None,
        }
    }

    /// Takes in what happened; gives back the message that came with it, if one did. A POST's messages
    /// come from [`Self::next_incoming`].
    pub(super) fn handle(&mut self, input: Input) -> Option<Incoming> {
        match input {
            Input::Get { request } => self.get(request),
            Input::PostBegun { request } => self.begin_post(request),
            Input::Post { request, body } => self.post(request, body),
            Input::PostTooLarge { request } => self.post_too_large(request),
            Input::Aborted { request } => self.aborted(request),
            Input::Upgrade { link } => self.begin_upgrade(link),
            Input::Text { link, data } => return self.link_packet(link, Packet::decode(data)),
            Input::Binary { link, data } => return self.link_packet(link, Ok(Packet::Binary(data))),
            Input::LinkClosed { link } => self.link_closed(link),
            Input::Timeout => self.timeout(),
        }
        None
    }

    /// The next message of a POST that is being taken in. Its packets are decoded one at a time, so that
    /// ten thousand of them never stand in memory together.
    pub(super) fn next_incoming(&mut self) -> Option<Incoming> {
        while let Line::Polling(polling) = &mut self.line {
            let Some(packet) = polling.body.as_mut()?.next() else {
                polling.body = None;
                if let Some(request) = polling.post.take() {
                    self.reply(request, Reply::ok());
                }
                return None;
            };
            if let Some(incoming) = self.packet(packet) {
                return Some(incoming);
            }
        }
        None
    }

    /// Answers a waiting GET where there is something to answer.
    pub(super) fn flush(&mut self) {
        if let Line::Polling(polling) = &mut self.line {
            self.out.extend(polling.flush(self.config.max_payload));
        }
    }

    /// Sends a packet of text; see [`Self::push_all`].
    pub(super) fn push(&mut self, text: Bytes) {
        self.push_all([Frame::Text(text)]);
    }

    /// Sends frames that belong together, or queues them for the next GET. A client that lets more than
    /// `max_payload` bytes wait for its GETs is closed as slow.
    pub(super) fn push_all(&mut self, frames: impl IntoIterator<Item = Frame>) {
        if self.is_overfull() {
            self.flush();
        }
        if self.is_overfull() {
            return self.close(CloseReason::Slow);
        }
        match &mut self.line {
            Line::Polling(polling) => frames.into_iter().for_each(|frame| polling.push(frame)),
            Line::WebSocket(link) => {
                let link = *link;
                self.out.extend(frames.into_iter().map(|frame| Output::Send { link, frame }));
            }
            Line::Closed => {}
        }
    }

    /// Ends the session: answers open requests, closes links, tells the embedder.
    pub(super) fn close(&mut self, reason: CloseReason) {
        match std::mem::replace(&mut self.line, Line::Closed) {
            Line::Polling(polling) => self.release(*polling, reason),
            Line::WebSocket(link) if reason != CloseReason::TransportLost => {
                self.out.push_back(Output::CloseLink { link, code: reason.link_code() });
            }
            Line::WebSocket(_) => {}
            Line::Closed => return,
        }
        self.out.push_back(Output::Event(Event::Closed { reason }));
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.line, Line::Closed)
    }

    pub(super) fn writable(&self) -> bool {
        match &self.line {
            Line::Polling(polling) => polling.get.is_some() && polling.queued < self.config.max_payload,
            Line::WebSocket(_) => true,
            Line::Closed => false,
        }
    }

    /// Whether more than one answer's worth waits for GETs.
    fn is_overfull(&self) -> bool {
        matches!(&self.line, Line::Polling(polling) if polling.queued > self.config.max_payload)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.line {
            Line::Polling(polling) => {
                let upgrade = polling.upgrade.as_ref().map(|upgrade| upgrade.due);
                Some(upgrade.map_or(self.heartbeat.due, |due| due.min(self.heartbeat.due)))
            }
            Line::WebSocket(_) => Some(self.heartbeat.due),
            Line::Closed => None,
        }
    }

    fn timeout(&mut self) {
        if let Line::Polling(polling) = &mut self.line
            && polling.upgrade.as_ref().is_some_and(|upgrade| self.now >= upgrade.due)
        {
            self.abandon_upgrade(CloseReason::Server);
        }
        match self.heartbeat.beat(self.now, &self.config) {
            Some(Beat::Ping) => self.push(PING),
            Some(Beat::Dead) => self.close(CloseReason::PingTimeout),
            None => {}
        }
    }

    fn packet(&mut self, packet: Result<Packet, InvalidPacket>) -> Option<Incoming> {
        match packet {
            Ok(Packet::Text(data)) => return Some(Incoming::Text(data)),
            Ok(Packet::Binary(data)) => return Some(Incoming::Binary(data)),
            Ok(Packet::Pong) => self.heartbeat.pong(self.now, &self.config),
            Ok(Packet::Close) => self.close(CloseReason::ClientClosed),
            Ok(Packet::Ping(_)) => self.close(CloseReason::Unexpected),
            Ok(Packet::Open | Packet::Upgrade | Packet::Noop) => {}
            Err(InvalidPacket) => self.close(CloseReason::Malformed),
        }
        None
    }

    fn reply(&mut self, request: RequestId, reply: impl Into<Reply>) {
        self.out.push_back(Output::Reply { request, reply: reply.into() });
    }
}
