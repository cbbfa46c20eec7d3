//! What the server asks of an application, and what it hands to it.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use actix_web::{HttpResponse, dev::RequestHead};
use chat_socketio::{Event, Outgoing, Session};

use crate::{HttpError, Item, Outbox};

/// An application behind a Socket.IO server. One value serves all its sessions.
pub trait Application: Send + Sync + 'static {
    /// What it keeps for one session.
    type Client: Client;

    /// A session begins with this request.
    ///
    /// # Errors
    /// The response, where it may not: too many are open, or come at once.
    fn open(self: &Arc<Self>, request: &RequestHead) -> Result<Self::Client, Box<HttpResponse>>;

    /// The time, which never goes back.
    fn now(&self) -> Instant;

    /// The answer to a request that is not served for a reason that Engine.IO has no code for.
    fn refuse(&self, error: HttpError) -> HttpResponse {
        error.response()
    }
}

/// What an application keeps for one session. It is called under the session's lock, so nothing in it may block.
pub trait Client: Send + 'static {
    /// The client did something, or the session is over ([`Event::Closed`], the last event: what is sent in answer
    /// to it reaches nobody). [`Event::Connect`] is answered by [`Session::accept`] or [`Session::refuse`], now or
    /// later.
    fn on_event(&mut self, io: &mut Io<'_>, event: Event);

    /// Goes on with one thing that is under way and answers it if it is done; pending where nothing is. Not called
    /// while the client does not read its answers, unless [`Self::poll_timeout`] is due; what is due then must be
    /// ended by it.
    fn poll(&mut self, io: &mut Io<'_>, cx: &mut Context<'_>) -> Poll<()> {
        let _nothing_is_under_way = (io, cx);
        Poll::Pending
    }

    /// Another task polls from now on: the next [`Self::poll`] must leave its waker with all that is under way.
    fn driver_changed(&mut self) {}

    /// How many events were taken and are not yet answered. Past [`Options::max_queued_events`] the client is not
    /// read; a session that is being closed waits until there is none.
    ///
    /// [`Options::max_queued_events`]: crate::Options::max_queued_events
    fn pending(&self) -> usize {
        0
    }

    /// When something is to be done though nothing comes in.
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Does what is due by time alone; called when [`Self::poll_timeout`] has come.
    fn on_timeout(&mut self, io: &mut Io<'_>) {
        let _nothing_is_due = io;
    }
}

/// What a [`Client`] acts through.
#[non_exhaustive]
pub struct Io<'a> {
    /// The state machine: accepts and refuses namespaces, disconnects them, closes. What is sent past the outbox by
    /// [`Session::send`] overtakes what waits there.
    pub session: &'a mut Session,
    /// What waits to be sent. Whoever holds a clone of it can send to this session from anywhere.
    pub outbox: &'a mut Arc<Outbox>,
    /// The time.
    pub now: Instant,
    /// When what is being handled came in: before `now` where it had to wait.
    pub arrived: Instant,
    /// The server is about to close this session: what is under way is finished, nothing new should begin.
    pub leaving: bool,
}

impl Io<'_> {
    /// Sends a packet, behind what waits already.
    pub fn send(&self, packet: impl Into<Outgoing>) {
        self.outbox.push(Item::from(packet.into()));
    }

    /// Gives the session an empty outbox and returns the old one: what others push into that one from now on, and
    /// what waits there, reaches nobody.
    pub fn renew_outbox(&mut self) -> Arc<Outbox> {
        let empty = Arc::new(self.outbox.renewed());
        mem::replace(self.outbox, empty)
    }
}
