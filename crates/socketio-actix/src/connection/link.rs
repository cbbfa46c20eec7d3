//! A WebSocket's way out: frames wait here, encoded, until its task takes them.

use std::{mem, task::Waker};

use bytes::{Bytes, BytesMut};
use chat_socketio::{Frame, LinkId, websocket};

/// A WebSocket of a session.
pub(super) struct Link {
    pub(super) id: LinkId,
    out: BytesMut,
    /// Bytes that were taken and are being written.
    taken: usize,
    /// Bytes of what has not come in whole.
    pub(super) unfinished: usize,
    closed: bool,
    waker: Option<Waker>,
}

impl Link {
    pub(super) fn new(id: LinkId) -> Self {
        Self { id, out: BytesMut::new(), taken: 0, unfinished: 0, closed: false, waker: None }
    }

    /// Appends a message.
    pub(super) fn send(&mut self, frame: &Frame) {
        match frame {
            Frame::Text(text) => self.frame(websocket::Opcode::Text, text),
            Frame::Binary(bytes) => self.frame(websocket::Opcode::Binary, bytes),
        }
    }

    /// Appends a frame.
    pub(super) fn frame(&mut self, opcode: websocket::Opcode, payload: &[u8]) {
        if !self.closed {
            websocket::encode(opcode, payload, &mut self.out);
            self.wake();
        }
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

    /// How many bytes wait.
    pub(super) fn backlog(&self) -> usize {
        self.out.len()
    }

    /// How many bytes wait or are being written.
    pub(super) fn held(&self) -> usize {
        self.out.len() + self.taken
    }

    /// Takes what waits, when what was taken before is written, if anything does; the flag tells whether nothing will come after it.
    pub(super) fn take(&mut self) -> (Option<Bytes>, bool) {
        self.taken = self.out.len();
        let out = (!self.out.is_empty()).then(|| mem::take(&mut self.out).freeze());
        (out, self.closed)
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
