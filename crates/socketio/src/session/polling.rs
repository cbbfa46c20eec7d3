//! The state of a session while it polls: open requests, what waits for a GET, an upgrade on its way.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use super::{Frame, LinkId, Output, Reply, RequestId};
use crate::engine::{Payload, Refusal, encode_payload, encoded_len};

/// Engine.IO's CLOSE and NOOP packets.
pub(super) const CLOSE: Bytes = Bytes::from_static(b"1");
pub(super) const NOOP: Bytes = Bytes::from_static(b"6");

/// Boxed inside a session, so that one on a WebSocket does not pay for it.
#[derive(Debug, Default)]
pub(super) struct Polling {
    /// The GET that waits.
    pub(super) get: Option<RequestId>,
    /// The POST that is being read or taken in.
    pub(super) post: Option<RequestId>,
    /// Packets of that POST still to be taken in.
    pub(super) body: Option<Payload>,
    queue: VecDeque<Frame>,
    /// Bytes that the queue takes as a payload.
    pub(super) queued: usize,
    pub(super) upgrade: Option<Upgrade>,
}

/// A WebSocket that may take the session over.
#[derive(Debug)]
pub(super) struct Upgrade {
    pub(super) link: LinkId,
    pub(super) due: Instant,
    /// The client has probed the link and is about to stop polling.
    pub(super) probed: bool,
}

impl Polling {
    pub(super) fn push(&mut self, frame: Frame) {
        self.queued += encoded_len(&frame);
        self.queue.push_back(frame);
    }

    /// Answers the waiting GET, if there is something to answer: what is queued, up to `max_payload`
    /// bytes; or, while an upgrade waits for the client to stop polling, nothing (NOOP).
    pub(super) fn flush(&mut self, max_payload: usize) -> Option<Output> {
        let probed = self.upgrade.as_ref().is_some_and(|upgrade| upgrade.probed);
        if self.queue.is_empty() && !probed {
            return None;
        }
        let request = self.get.take()?;
        let body = if self.queue.is_empty() { NOOP } else { self.join(max_payload) };
        Some(Output::Reply { request, reply: Reply::payload(body) })
    }

    /// Takes the longest beginning of the queue that fits; one frame always goes.
    fn join(&mut self, max_payload: usize) -> Bytes {
        let mut size = 0;
        let fitting = self.queue.iter().take_while(|frame| {
            size += encoded_len(frame);
            size <= max_payload.saturating_add(1)
        });
        let count = fitting.count().max(1);
        let payload = encode_payload(self.queue.iter().take(count));
        for frame in self.queue.drain(..count) {
            self.queued -= encoded_len(&frame);
        }
        payload
    }

    /// What is left to send when polling is over.
    pub(super) fn into_queue(self) -> VecDeque<Frame> {
        self.queue
    }

    /// Everything queued and a CLOSE behind it, as the last payload.
    pub(super) fn farewell(&mut self) -> Bytes {
        self.push(Frame::Text(CLOSE));
        encode_payload(&self.queue)
    }
}

impl Reply {
    /// The answer to a GET.
    pub(super) fn payload(body: Bytes) -> Self {
        Self { status: 200, content_type: "text/plain; charset=UTF-8", body }
    }

    /// The answer to a POST. Its type is Node's, which keeps old browsers from offering a download.
    pub(super) fn ok() -> Self {
        Self { status: 200, content_type: "text/html", body: Bytes::from_static(b"ok") }
    }

    /// A POST over the limit.
    pub(super) fn too_large() -> Self {
        Self { status: 413, content_type: "text/plain; charset=UTF-8", body: Bytes::new() }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: refusal.status(),
            content_type: "application/json",
            body: Bytes::from_static(refusal.body().as_bytes()),
        }
    }
}
