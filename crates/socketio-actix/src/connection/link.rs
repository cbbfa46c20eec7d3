//! A WebSocket's way out: frames wait here, encoded, until its task takes them.

use std::{collections::VecDeque, mem, task::Waker};

use bytes::{Bytes, BytesMut};
use chat_socketio::{Frame, LinkId, websocket};

/// Bytes from which on a payload is not copied: it may be shared by many links.
const LARGE: usize = 16 * 1024;

/// A WebSocket of a session.
pub(super) struct Link {
    pub(super) id: LinkId,
    /// What goes out before `out`: large payloads as they are, and the small frames between them.
    queue: VecDeque<Bytes>,
    out: BytesMut,
    /// Bytes that were taken and are being written.
    taken: usize,
    /// Bytes of it all that no other link shares.
    own: usize,
    /// Bytes of what has not come in whole.
    pub(super) unfinished: usize,
    closed: bool,
    waker: Option<Waker>,
}

impl Link {
    pub(super) fn new(id: LinkId) -> Self {
        Self {
            id,
            queue: VecDeque::new(),
            out: BytesMut::new(),
            taken: 0,
            own: 0,
            unfinished: 0,
            closed: false,
            waker: None,
        }
    }

    /// Appends a message.
    pub(super) fn send(&mut self, frame: &Frame) {
        let (opcode, payload) = match frame {
            Frame::Text(text) => (websocket::Opcode::Text, text),
            Frame::Binary(bytes) => (websocket::Opcode::Binary, bytes),
        };
        if payload.len() < LARGE {
            self.frame(opcode, payload);
        } else if !self.closed {
            websocket::encode_header(opcode, payload.len(), &mut self.out);
            self.own += self.out.len() + if payload.is_unique() { payload.len() } else { 0 };
            self.queue.extend([mem::take(&mut self.out).freeze(), payload.clone()]);
            self.wake();
        }
    }

    /// Appends a frame.
    pub(super) fn frame(&mut self, opcode: websocket::Opcode, payload: &[u8]) {
        if !self.closed {
            websocket::encode(opcode, payload, &mut self.out);
            self.wake();
        }
    }

    /// Whether nothing will come any more behind what was taken.
    fn is_finished(&self) -> bool {
        self.closed && self.queue.is_empty() && self.out.is_empty()
    }

    /// Appends a close frame; nothing goes out after it.
    pub(super) fn close(&mut self, code: u16) {
        if !self.closed {
            websocket::encode_close(code, &mut self.out);
            self.closed = true;
            self.wake();
        }
    }

    /// Whether its close frame has been written.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many bytes wait, or were taken and are being written.
    pub(super) fn backlog(&self) -> usize {
        self.queue.iter().map(Bytes::len).sum::<usize>() + self.out.len() + self.taken
    }

    /// How many of them are held for this link alone, at most.
    pub(super) fn own(&self) -> usize {
        self.own + self.out.len()
    }

    /// What was taken is written.
    pub(super) fn written(&mut self) {
        self.taken = 0;
        if self.queue.is_empty() {
            self.own = 0;
        }
    }

    /// Takes what waits, if anything does; the flag tells whether nothing will come after it.
    pub(super) fn take(&mut self) -> (Option<Bytes>, bool) {
        let out = self.queue.pop_front().or_else(|| {
            self.queue = VecDeque::new();
            self.own += self.out.len();
            (!self.out.is_empty()).then(|| mem::take(&mut self.out).freeze())
        });
        self.taken = out.as_ref().map_or(0, Bytes::len);
        (out, self.is_finished())
    }

    /// Leaves the waker of the task that takes.
    pub(super) fn register(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
