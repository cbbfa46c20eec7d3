//! A session over a WebSocket: what is done in each turn, whatever carries the bytes.
//!
//! One task does it all: read frames, feed the session, poll what is under way, hand out encoded frames. Two
//! things can carry the bytes: an actix response's body ([`mounted`]) and a TCP connection of our own
//! ([`owned`]).

mod mounted;
mod owned;

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use bytes::{Bytes, BytesMut};
use chat_socketio::{
    Input, LinkId,
    websocket::{Decoder, Message, Opcode},
};

use super::{Connection, Core};
use crate::{Application, Client};

pub(crate) use mounted::MountedWebSocket;
pub(crate) use owned::OwnedWebSocket;

/// Where a WebSocket's bytes come from.
trait Source {
    /// Appends what has come in. Ready with false when nothing more will come.
    fn poll_read(&mut self, buffer: &mut BytesMut, cx: &mut Context<'_>) -> Poll<bool>;
}

/// A WebSocket that carries, or wants to carry, a session.
struct WebSocket<A: Application> {
    connection: Arc<Connection<A>>,
    link: LinkId,
    decoder: Decoder,
    /// Nothing more comes in: the client has closed, broken a rule or gone.
    deaf: bool,
}

/// What came of a turn.
struct Turn {
    /// Frames to be sent.
    out: Option<Bytes>,
    /// Nothing will come after them.
    last: bool,
    /// What is still being written has no share of the memory any more.
    lost: bool,
    /// When to take the next turn though nothing happens.
    next: Option<Instant>,
}

impl<A: Application> WebSocket<A> {
    fn new(connection: Arc<Connection<A>>, link: LinkId) -> Self {
        let decoder = Decoder::new(connection.app.options.engine.max_payload);
        Self { connection, link, decoder, deaf: false }
    }

    /// Does all that can be done now. With `take` the frames that wait are handed out; then those handed out before have
    /// been written. `held` tells what of the buffer is this connection's.
    fn turn(
        &mut self,
        buffer: &mut BytesMut,
        held: fn(&BytesMut) -> usize,
        source: &mut impl Source,
        take: bool,
        cx: &mut Context<'_>,
    ) -> Turn {
        let connection = Arc::clone(&self.connection);
        let mut core = connection.lock();
        if take && let Some(link) = core.link(self.link) {
            link.written();
        }
        let mut full = true;
        let mut drives = false;
        while full {
            full = self.read(&mut core, buffer, source, cx);
            self.account(&mut core, held(buffer));
            drives = core.session.link() == Some(self.link) && !core.ended;
            if drives {
                connection.drive(&mut core, cx);
            }
            // Nobody but this turn reads on when what was full has emptied meanwhile.
            full = full && self.has_room(&core);
        }
        let next = core.next_timeout().filter(|_| drives && !core.ended);
        let Some(link) = core.link(self.link) else {
            self.forget(buffer);
            return Turn { out: None, last: true, lost: false, next: None };
        };
        link.register(cx.waker());
        let (out, last) = if take { link.take() } else { (None, link.is_closed()) };
        if last {
            self.forget(buffer);
            self.account(&mut core, 0);
        }
        core.account();
        Turn { out, last, lost: core.outgoing.is_revoked() || core.outbox.is_lost(), next }
    }

    /// Nothing of what came in is of use any more.
    fn forget(&mut self, buffer: &mut BytesMut) {
        buffer.clear();
        self.decoder = Decoder::new(0);
    }

    /// Tells how much of a message has come that is not whole yet.
    fn account(&self, core: &mut Core<A>, buffered: usize) {
        let unfinished = if self.deaf { 0 } else { buffered + self.decoder.partial_bytes() };
        if let Some(link) = core.link(self.link) {
            link.unfinished = unfinished;
        }
        core.account();
    }

    /// Whether more may be read: not too many events wait, and the client takes what is sent to it. A link that
    /// is still upgrading is not held up by the events that came over polling.
    fn has_room(&self, core: &Core<A>) -> bool {
        let carries = core.session.link() == Some(self.link);
        let most_queued = self.connection.app.options.max_queued_events;
        core.takes() && !(carries && core.client.pending() >= most_queued)
    }

    /// Reads what has come in; true when it stopped for want of room.
    fn read(
        &mut self,
        core: &mut Core<A>,
        buffer: &mut BytesMut,
        source: &mut impl Source,
        cx: &mut Context<'_>,
    ) -> bool {
        while !self.deaf && !core.is_closing(self.link) {
            if !self.has_room(core) {
                return true;
            }
            match self.decoder.decode(buffer) {
                Ok(Some(message)) => self.on_message(core, message),
                Ok(None) => match source.poll_read(buffer, cx) {
                    Poll::Ready(true) => {}
                    Poll::Ready(false) => self.hang_up(core, None),
                    Poll::Pending => return false,
                },
                Err(violation) => {
                    tracing::debug!(%violation, "a WebSocket broke a rule");
                    self.hang_up(core, Some(violation.close_code()));
                }
            }
        }
        false
    }

    fn on_message(&mut self, core: &mut Core<A>, message: Message) {
        let link = self.link;
        match message {
            Message::Text(data) => self.input(core, Input::Text { link, data }),
            Message::Binary(data) => self.input(core, Input::Binary { link, data }),
            Message::Ping(data) => {
                if let Some(link) = core.link(link) {
                    link.frame(Opcode::Pong, &data);
                }
            }
            Message::Pong(_) => {}
            Message::Close(code) => self.hang_up(core, Some(code.unwrap_or(1000))),
        }
    }

    fn input(&self, core: &mut Core<A>, input: Input) {
        let now = self.connection.app.application.now();
        core.session.handle(now, input);
        // Events go into the pipeline at once, so that its length bounds what is read.
        self.connection.settle(core, now, None);
    }

    fn hang_up(&mut self, core: &mut Core<A>, code: Option<u16>) {
        self.deaf = true;
        let link = self.link;
        if let (Some(link), Some(code)) = (core.link(link), code) {
            link.close(code);
        }
        self.input(core, Input::LinkClosed { link });
        if let Some(link) = core.link(link) {
            link.close(1000);
        }
    }
}

impl<A: Application> Drop for WebSocket<A> {
    fn drop(&mut self) {
        let mut core = self.connection.lock();
        let link = self.link;
        if !self.deaf {
            self.connection.feed(&mut core, Input::LinkClosed { link });
        }
        core.links.retain(|other| other.id != link);
        core.wake_driver();
    }
}
