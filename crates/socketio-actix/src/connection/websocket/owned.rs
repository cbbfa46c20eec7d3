//! A WebSocket on a connection of its own, plain or in TLS, taken over from the HTTP dispatcher.
//!
//! Nothing of HTTP stays behind, reads go through one buffer per thread, and an idle connection holds none. A
//! client that does not read is noticed here: when its session ends, what it did not take within
//! [`LINGER`] is dropped with the connection; at once where it has lost its share of the memory.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    io, mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes, BytesMut};
use chat_socketio::LinkId;
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::{Source, Turn, WebSocket};
use crate::{
    Application,
    connection::{Connection, alarm::Alarm},
    serve::Stream,
};

/// How long an ended connection may take to take its last bytes, and to close its side.
const LINGER: Duration = Duration::from_secs(2);
/// Size of the buffer that all connections of a thread read through.
const READ_BUFFER: usize = 64 * 1024;

/// Bytes of an unfinished frame from which on it is read where it is.
const LARGE_REST: usize = 16 * 1024;

thread_local! {
    static BUFFER: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(READ_BUFFER));
}

/// A WebSocket on a TCP connection of its own.
pub(crate) struct OwnedWebSocket<A: Application> {
    socket: WebSocket<A>,
    io: Stream,
    /// What an unfinished frame has left behind.
    rest: BytesMut,
    out: Bytes,
    alarm: Alarm,
    /// When an ended connection is given up.
    ends: Option<Instant>,
}

impl<A: Application> OwnedWebSocket<A> {
    /// Takes a connection over: `head` is the response that opens it, `rest` what came behind the request.
    pub(crate) fn new(
        connection: Arc<Connection<A>>,
        link: LinkId,
        io: Stream,
        head: Bytes,
        rest: BytesMut,
    ) -> Self {
        // Copied to its own size: the dispatcher's buffer is a large one.
        let rest = BytesMut::from(&*rest);
        let socket = WebSocket::new(connection, link);
        Self { socket, io, rest, out: head, alarm: Alarm::default(), ends: None }
    }

    /// Carries the session until one side ends it.
    pub(crate) async fn run(mut self) {
        let closed = poll_fn(|cx| self.poll(cx)).await;
        if let (Ok(()), Some(until)) = (closed, self.ends) {
            // Unread bytes would turn the close into a reset that overtakes the close frame.
            poll_fn(|cx| self.poll_close(until, cx)).await;
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let blocked = self.poll_flush(cx)?.is_pending();
            let Turn { out, last, lost, next } = self.turn(!blocked, cx);
            if let Some(out) = out {
                self.out = out;
                continue;
            }
            if !last {
                if self.alarm.poll(next, cx).is_pending() {
                    return Poll::Pending;
                }
                continue;
            }
            let now = self.socket.connection.app.application.now();
            let ends = *self.ends.get_or_insert(now + LINGER);
            if !blocked {
                return Poll::Ready(Ok(()));
            }
            if lost || now >= ends {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            if self.alarm.poll(Some(ends), cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// One turn through the thread's buffer; only an unfinished frame stays with the connection. A large one is
    /// read where it is: copying it to and fro for every piece would be quadratic.
    fn turn(&mut self, take: bool, cx: &mut Context<'_>) -> Turn {
        if self.rest.len() >= LARGE_REST {
            // Grown by doubling: what it takes is up to twice what is in it.
            let held = BytesMut::capacity;
            let turn = self.socket.turn(&mut self.rest, held, &mut Incoming(&mut self.io), take, cx);
            if self.rest.is_empty() || self.socket.deaf {
                self.rest = BytesMut::new();
            }
            return turn;
        }
        BUFFER.with_borrow_mut(|buffer| {
            buffer.clear();
            if buffer.capacity() > 4 * READ_BUFFER {
                // A large frame's is not kept for the thread's lifetime.
                *buffer = BytesMut::new();
            }
            buffer.reserve(READ_BUFFER.max(self.rest.len()));
            buffer.extend_from_slice(&mem::take(&mut self.rest));
            let turn = self.socket.turn(buffer, BytesMut::len, &mut Incoming(&mut self.io), take, cx);
            if !buffer.is_empty() && !self.socket.deaf {
                self.rest = BytesMut::from(&**buffer);
            }
            turn
        })
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let written = match Pin::new(&mut self.io).poll_write(cx, &self.out) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(written) => written?,
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(written);
        }
        // An idle connection holds no buffer.
        self.out = Bytes::new();
        // TLS keeps what the connection below did not take.
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Closes our side, then waits a moment for the other's.
    fn poll_close(&mut self, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        // An alarm that was set for something earlier rings once before.
        while self.alarm.poll(Some(until), cx).is_ready() {
            if self.socket.connection.app.application.now() >= until {
                return Poll::Ready(());
            }
        }
        match Pin::new(&mut self.io).poll_shutdown(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
        let ended = BUFFER.with_borrow_mut(|buffer| {
            loop {
                buffer.clear();
                buffer.reserve(READ_BUFFER);
                match Incoming(&mut self.io).poll_read(buffer, cx) {
                    Poll::Ready(true) => {}
                    Poll::Ready(false) => return true,
                    Poll::Pending => return false,
                }
            }
        });
        if ended { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// The reading side. tokio spares the second system call where the first left room in the buffer.
struct Incoming<'a>(&'a mut Stream);

impl Source for Incoming<'_> {
    fn poll_read(&mut self, buffer: &mut BytesMut, cx: &mut Context<'_>) -> Poll<bool> {
        let read = pin!(self.0.read_buf(buffer));
        read.poll(cx).map(|read| read.is_ok_and(|bytes| bytes > 0))
    }
}
