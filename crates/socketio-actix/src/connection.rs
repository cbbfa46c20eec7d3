//! One Engine.IO session and all that hangs on it: the state machine, the application's client, the outbox.
//!
//! Whoever has something for the session (a request, a WebSocket's bytes, a timer, a finished event) locks
//! the [`Core`], feeds it and *settles* it: outputs go to whom they concern until nothing is left to do. One task at
//! a time *drives*: it polls what is under way and keeps the timer. That is the WebSocket's task once there is
//! one, before it the session's own (see [`polling`]).
//!
//! Locks: the core's may be held while the outbox's and the application's own are taken, never the other way
//! round; nothing waits under any of them.

mod alarm;
mod link;
mod polling;
mod websocket;

use std::{
    sync::Arc,
    task::{Context, Waker},
    time::{Duration, Instant},
};

use actix_web::{HttpResponse, dev::RequestHead};
use bytes::Bytes;
use chat_socketio::{CloseReason, Event, Input, LinkId, Output, Reply, RequestId, Session, Transport};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;

use self::link::Link;
use crate::{Application, Client, Io, Outbox, Share, random_id, server::Shared};

pub(crate) use polling::Answer;
pub(crate) use websocket::{MountedWebSocket, OwnedWebSocket};

/// Bytes that may wait for a WebSocket to take them before the outbox is left alone: as few as cost no speed, for what
/// waits there is a copy.
const LINK_HIGH_WATER: usize = 16 * 1024;
/// Bytes that are moved from the outbox into one answer of long-polling.
const POLLING_HIGH_WATER: usize = 64 * 1024;

/// One Engine.IO session.
pub(crate) struct Connection<A: Application> {
    sid: Box<str>,
    core: Mutex<Core<A>>,
    app: Arc<Shared<A>>,
}

/// What the lock of a connection guards.
pub(crate) struct Core<A: Application> {
    session: Session,
    client: A::Client,
    outbox: Arc<Outbox>,
    links: Vec<Link>,
    waiters: Vec<(RequestId, oneshot::Sender<Reply>)>,
    next_request: u64,
    next_link: u64,
    driver: Option<Waker>,
    /// When what is being fed came in, where that was earlier than now.
    arrived: Option<Instant>,
    leaving: bool,
    ended: bool,
    /// What has not come in whole, and what the links have not written yet.
    incoming: Share,
    outgoing: Share,
}

impl<A: Application> Connection<A> {
    /// Opens a session over long-polling. Its own task drives it until a WebSocket takes over.
    ///
    /// # Errors
    /// The application's refusal.
    pub(crate) fn open_polling(
        app: &Arc<Shared<A>>,
        head: &RequestHead,
    ) -> Result<Arc<Self>, Box<HttpResponse>> {
        let connection = Self::open(app, Transport::Polling, head)?;
        actix_web::rt::spawn(polling::drive(Arc::clone(&connection)));
        Ok(connection)
    }

    /// Opens a session over a WebSocket, which drives it.
    ///
    /// # Errors
    /// The application's refusal.
    pub(crate) fn open_websocket(
        app: &Arc<Shared<A>>,
        head: &RequestHead,
    ) -> Result<(Arc<Self>, LinkId), Box<HttpResponse>> {
        let link = LinkId(0);
        let connection = Self::open(app, Transport::WebSocket(link), head)?;
        connection.core.lock().links.push(Link::new(link));
        Ok((connection, link))
    }

    fn open(
        app: &Arc<Shared<A>>,
        transport: Transport,
        head: &RequestHead,
    ) -> Result<Arc<Self>, Box<HttpResponse>> {
        let client = app.application.open(head)?;
        let sid: Box<str> = random_id().into();
        let now = app.application.now();
        let connection = Arc::new(Self {
            core: Mutex::new(Core {
                session: Session::new(Arc::clone(&app.engine), &sid, transport, now),
                client,
                outbox: Arc::new(Outbox::new(app.options.outbox_bytes, &app.options.outgoing)),
                links: Vec::new(),
                waiters: Vec::new(),
                next_request: 0,
                next_link: 1,
                driver: None,
                arrived: None,
                leaving: false,
                ended: false,
                incoming: app.options.incoming.share(),
                outgoing: app.options.outgoing.share(),
            }),
            sid,
            app: Arc::clone(app),
        });
        app.sessions.insert(&connection);
        Ok(connection)
    }

    /// The session's id: a secret, the key of its HTTP requests.
    pub(crate) fn sid(&self) -> &str {
        &self.sid
    }

    /// Feeds a request, and tells where its answer will come. Dropping the answer's future tells the session
    /// that the client has gone.
    pub(crate) fn request(self: &Arc<Self>, input: impl FnOnce(RequestId) -> Input) -> Answer<A> {
        let (sender, receiver) = oneshot::channel();
        let mut core = self.core.lock();
        let request = RequestId(core.next_request);
        core.next_request += 1;
        core.waiters.push((request, sender));
        self.feed(&mut core, input(request));
        drop(core);
        Answer::new(Arc::clone(self), request, receiver)
    }

    /// Adds a WebSocket that wants to take the session over.
    pub(crate) fn upgrade(&self) -> LinkId {
        let mut core = self.core.lock();
        let link = LinkId(core.next_link);
        core.next_link += 1;
        core.links.push(Link::new(link));
        self.feed(&mut core, Input::Upgrade { link });
        link
    }

    /// Begins the end: what is under way is finished, then the transport is closed and the client returns.
    pub(crate) fn leave(&self) {
        let mut core = self.core.lock();
        core.leaving = true;
        self.settle(&mut core, self.app.application.now(), None);
        core.wake_driver();
    }

    /// Whether there is room for a further body's events.
    pub(crate) fn has_room(&self) -> bool {
        self.core.lock().client.pending() < self.app.options.max_queued_events
    }

    /// Ends the session of a client that does not take its answers.
    pub(crate) fn close_as_slow(&self) {
        let mut core = self.core.lock();
        core.session.close(self.app.application.now(), CloseReason::Slow);
        self.settle(&mut core, self.app.application.now(), None);
        core.wake_driver();
    }

    /// Does what was due some time ago and was not done: a mounted WebSocket stands still, timers included,
    /// while its client does not read.
    pub(crate) fn catch_up(&self, patience: Duration) {
        let now = self.app.application.now();
        let mut core = self.core.lock();
        let late = core.next_timeout().is_some_and(|at| at + patience <= now);
        if !core.ended && (late || core.outbox.verdict().is_some() || core.outgoing.is_revoked()) {
            self.apply_timeouts(&mut core, now);
            self.settle(&mut core, now, None);
            core.wake_driver();
        }
    }

    /// Feeds an input from outside the driver.
    fn feed(&self, core: &mut Core<A>, input: Input) {
        let now = self.app.application.now();
        core.session.handle(now, input);
        self.settle(core, now, None);
        core.wake_driver();
    }

    /// Does all that can be done now. With a context (that of the driver) it polls what is under way, too.
    fn settle(&self, core: &mut Core<A>, now: Instant, mut cx: Option<&mut Context<'_>>) {
        loop {
            // First, because a GET during an upgrade is answered at once, by NOOP where nothing is queued.
            let mut moved = self.drain_outbox(core, now, 0);
            let mut progress = moved > 0;
            while let Some(output) = core.session.poll_output() {
                progress = true;
                let is_event = matches!(output, Output::Event(_));
                self.apply(core, now, output);
                if is_event {
                    // What follows in the same body may end the session: what was answered before still goes out.
                    moved = self.drain_outbox(core, now, moved);
                }
            }
            if let Some(cx) = cx.as_deref_mut() {
                progress |= self.answer(core, now, cx);
            }
            if !progress && !self.close_if_due(core, now) {
                break;
            }
        }
        core.account();
        if core.ended {
            // Whoever still waits has got no reply from the session.
            core.waiters.clear();
        }
    }

    fn apply(&self, core: &mut Core<A>, now: Instant, output: Output) {
        match output {
            Output::Reply { request, reply } => {
                if let Some(at) = core.waiters.iter().position(|(waiting, _)| *waiting == request) {
                    // A client that has gone meanwhile needs no answer.
                    let _unheard = core.waiters.swap_remove(at).1.send(reply);
                }
            }
            Output::Send { link, frame } => {
                if let Some(link) = core.link(link) {
                    link.send(&frame);
                }
            }
            Output::CloseLink { link, code } => {
                if let Some(link) = core.link(link) {
                    link.close(code);
                }
            }
            Output::Event(Event::Closed { reason }) => self.end(core, now, reason),
            Output::Event(event) => core.tell(now, event),
            // A newer session may say what this transport has no ears for.
            _ => {}
        }
    }

    /// Moves what waits in the outbox into the session, as far as the transport can take it beside the bytes that were
    /// moved just before; gives their sum.
    fn drain_outbox(&self, core: &mut Core<A>, now: Instant, mut moved: usize) -> usize {
        let most = if core.session.link().is_some() { LINK_HIGH_WATER } else { POLLING_HIGH_WATER };
        while core.session.writable() && moved + core.link_backlog() < most {
            let Some(packet) = core.outbox.pop() else { break };
            moved += packet.text.len() + packet.attachments.iter().map(Bytes::len).sum::<usize>();
            core.session.send(now, packet);
        }
        moved
    }

    /// Answers what is finished. While the client does not read its answers they are held back until their
    /// deadline; from then on the outbox's bound decides.
    fn answer(&self, core: &mut Core<A>, now: Instant, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        while core.outbox.bytes() + core.link_backlog() < LINK_HIGH_WATER
            || core.client.poll_timeout().is_some_and(|at| at <= now)
        {
            let (client, mut io) = core.split(now);
            if client.poll(&mut io, cx).is_pending() {
                break;
            }
            progress = true;
        }
        progress
    }

    fn close_if_due(&self, core: &mut Core<A>, now: Instant) -> bool {
        let reason = if let Some(verdict) = core.outbox.verdict() {
            verdict
        } else if core.outgoing.is_revoked() {
            CloseReason::Slow
        } else if core.incoming.is_revoked() {
            CloseReason::Overload
        } else if core.leaving && core.client.pending() == 0 {
            CloseReason::Shutdown
        } else {
            return false;
        };
        let closes = !core.session.is_closed();
        if closes {
            core.session.close(now, reason);
        }
        closes
    }

    /// The session is over: nobody is told of anything any more, and what is under way goes on alone.
    fn end(&self, core: &mut Core<A>, now: Instant, reason: CloseReason) {
        if std::mem::replace(&mut core.ended, true) {
            return;
        }
        tracing::debug!(?reason, "session closed");
        core.tell(now, Event::Closed { reason });
        self.app.sessions.remove(&self.sid);
        for link in &mut core.links {
            link.close(1000);
        }
        core.wake_driver();
    }

    /// Lets the driver do what is due, and leaves its waker wherever something may come from.
    fn drive(&self, core: &mut Core<A>, cx: &mut Context<'_>) {
        let now = self.app.application.now();
        self.apply_timeouts(core, now);
        if !core.driver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            core.wake_driver();
            core.driver = Some(cx.waker().clone());
            core.client.driver_changed();
        }
        loop {
            self.settle(core, now, Some(&mut *cx));
            // Registered last and looked at once more, so that nothing pushed meanwhile is missed.
            let waits = core.outbox.register(cx.waker()) | core.lost(cx);
            if !waits || !core.session.writable() || core.link_backlog() >= LINK_HIGH_WATER || core.ended {
                break;
            }
        }
    }

    fn apply_timeouts(&self, core: &mut Core<A>, now: Instant) {
        if core.session.poll_timeout().is_some_and(|at| at <= now) {
            core.session.handle(now, Input::Timeout);
        }
        if core.client.poll_timeout().is_some_and(|at| at <= now) {
            let (client, mut io) = core.split(now);
            client.on_timeout(&mut io);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Core<A>> {
        self.core.lock()
    }
}

impl<A: Application> Core<A> {
    /// When something is to be done though nothing comes in.
    fn next_timeout(&self) -> Option<Instant> {
        self.session.poll_timeout().into_iter().chain(self.client.poll_timeout()).min()
    }

    /// The application's client, and what it acts through.
    fn split(&mut self, now: Instant) -> (&mut A::Client, Io<'_>) {
        let Self { session, client, outbox, arrived, leaving, .. } = self;
        (client, Io { session, outbox, now, arrived: arrived.unwrap_or(now), leaving: *leaving })
    }

    /// Tells the application.
    fn tell(&mut self, now: Instant, event: Event) {
        let (client, mut io) = self.split(now);
        client.on_event(&mut io, event);
    }

    fn link(&mut self, id: LinkId) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.id == id)
    }

    /// Whether nothing more is to be read from a link: it is being closed, or the session is about to be.
    fn is_closing(&mut self, id: LinkId) -> bool {
        self.incoming.is_revoked() || self.link(id).is_none_or(|link| link.is_closed())
    }

    /// Whether the client takes what is sent to it, as far as one can see.
    fn takes(&self) -> bool {
        self.link_backlog() < LINK_HIGH_WATER
    }

    /// Bytes that the WebSocket has not taken yet.
    fn link_backlog(&self) -> usize {
        self.links.iter().map(Link::backlog).sum()
    }

    /// Tells the budgets what is held for this client.
    fn account(&mut self) {
        let coming: usize = self.links.iter().map(|link| link.unfinished).sum();
        self.incoming.set(coming + self.session.partial_bytes());
        self.outgoing.set(self.links.iter().map(Link::own).sum());
    }

    /// Whether a share is lost; leaves the waker to be told when one is.
    fn lost(&self, cx: &mut Context<'_>) -> bool {
        // Both are asked: the waker is left with either.
        self.incoming.poll_revoked(cx).is_ready() | self.outgoing.poll_revoked(cx).is_ready()
    }

    fn wake_driver(&mut self) {
        if let Some(waker) = self.driver.take() {
            waker.wake();
        }
    }
}
