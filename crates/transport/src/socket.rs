//! One socket of the chat: who is connected, and the events that are under way.
//!
//! The server's state machine says what the client did; a socket makes work of it for its [`Pipeline`] and
//! [answers](answers) what is finished.

mod answers;
pub(crate) mod auth;
mod coming;
mod pace;
mod pipeline;

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use chat_domain::{
    ChatError, Departure, ErrorCode, Identity, Missing, RecoveryTicket, Unauthorized,
    model::{SocketId, UserId},
    ports::{RateSubject, TokenError},
};
use chat_socketio_actix::{
    Client, Io,
    protocol::{AckId, Arguments, CloseReason, Event},
    random_id,
};

use self::{
    auth::Auth,
    coming::{Admission, Arrival, Return},
    pace::{Pace, Pass},
    pipeline::{Asker, Finished, Outcome, Work},
};
use crate::{
    Hub,
    app::App,
    hub::Entrance,
    places::Place,
    wire::{self, EventRequest, OtherRequest, event, parse_request, write_error},
};

pub(crate) use pipeline::Pipeline;

const ROOT: &str = "/";
/// How long a visit outlives its token, so that one accepted in its last moments is not ended at once. The
/// contract allows ten seconds.
const TOKEN_LEEWAY: Duration = Duration::from_secs(5);
/// A visit ends by then whatever its token says; the client returns and shows it again.
const LONGEST_VISIT: Duration = Duration::from_hours(24 * 365);
const TOO_MANY_SOCKETS: &str = "This user has too many connections already.";

/// What a handshake says of its client.
pub(crate) struct Opening {
    /// A token, for a CONNECT that brings none.
    pub(crate) token: Option<Box<str>>,
    /// Whether the client may be one that knows connection state recovery.
    pub(crate) recovers: bool,
}

/// One socket of the chat.
pub(crate) struct Socket {
    app: Arc<App>,
    pipeline: Pipeline,
    pace: Pace,
    visitor: Option<Box<Visitor>>,
    /// Counts visits (CONNECT to DISCONNECT), so that answers to an earlier one are known.
    visit: u32,
    opening: Opening,
    /// Held as long as the session is open.
    place: Option<Place>,
}

/// Who is connected to the namespace.
struct Visitor {
    identity: Arc<Identity>,
    socket: SocketId,
    /// When the token ends.
    ends_at: Instant,
}

impl Socket {
    pub(crate) fn new(app: Arc<App>, place: Place, opening: Opening) -> Self {
        let pipeline = Pipeline::new(app.settings.max_sends_in_flight);
        let pace = Pace::new(app.limiter.as_deref());
        Self { app, pipeline, pace, visitor: None, visit: 0, opening, place: Some(place) }
    }
}

impl Client for Socket {
    fn on_event(&mut self, io: &mut Io<'_>, event: Event) {
        match event {
            Event::Connect { nsp, auth } => self.on_connect(io, &nsp, auth.as_deref()),
            Event::Message { ack, args, .. } => self.on_message(io, ack, &args),
            Event::Disconnect { .. } => self.depart(io, Departure::Clean, false),
            Event::Closed { reason } => self.on_closed(io, reason),
            // The chat asks no client for acknowledgements.
            Event::Ack { .. } | _ => {}
        }
    }

    fn poll(&mut self, io: &mut Io<'_>, cx: &mut Context<'_>) -> Poll<()> {
        self.pipeline.poll(&self.app.chat, io.now, cx).map(|finished| self.on_finished(io, finished))
    }

    fn driver_changed(&mut self) {
        self.pipeline.hand_over();
    }

    fn pending(&self) -> usize {
        self.pipeline.len()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let ends_at = self.visitor.as_ref().map(|visitor| visitor.ends_at);
        self.pipeline.deadline().into_iter().chain(ends_at).min()
    }

    fn on_timeout(&mut self, io: &mut Io<'_>) {
        if self.visitor.as_ref().is_some_and(|visitor| visitor.ends_at <= io.now) {
            self.expire(io);
        }
    }
}

impl Socket {
    fn on_connect(&mut self, io: &mut Io<'_>, nsp: &str, auth: Option<&[u8]>) {
        if nsp != ROOT {
            let data = wire::error_body(&ChatError::NotFound(Missing::Path));
            io.session.refuse(io.now, nsp, "Invalid namespace", Some(&data));
            return;
        }
        // A refusal would keep the client away for good; it comes back by itself when its transport is closed.
        if self.pace.join(self.app.limiter.as_deref()) != Pass::Go {
            io.session.close(io.now, CloseReason::Flood);
            return;
        }
        let Auth { token, claim, recovery } = Auth::read(auth);
        let token = token.or_else(|| self.opening.token.as_deref().map(str::to_owned));
        self.opening.recovers = recovery.unwrap_or(self.opening.recovers);
        let deadline = io.now + self.app.settings.send_timeout;
        let hub = Arc::clone(&self.app.hub);
        let work = Work::Authenticate(Box::new(Admission { token, since: hub.since(), claim, hub }));
        self.pipeline.push(work, None, self.visit, deadline);
    }

    fn on_message(&mut self, io: &mut Io<'_>, ack: Option<AckId>, args: &Arguments) {
        let Some(visitor) = &self.visitor else { return };
        let deadline = io.arrived + self.app.settings.send_timeout;
        match self.pace.step(self.app.limiter.as_deref()) {
            Pass::Go => {}
            Pass::Wait(retry_after) => {
                let refusal = Outcome::Failed(ChatError::RateLimited { retry_after });
                return self.pipeline.push_done(refusal, ack, self.visit, deadline);
            }
            Pass::Cut => return io.session.close(io.now, CloseReason::Flood),
        }
        let limits = &self.app.settings.limits;
        let Some(request) = parse_request(&args.name(), args.get(0), limits) else { return };
        let request = request.map_err(ChatError::from).and_then(|request| {
            if matches!(request, EventRequest::Send(_) | EventRequest::Other(OtherRequest::Edit { .. })) {
                self.app.count(&RateSubject::Messages(visitor.identity.user))?;
            }
            Ok(request)
        });
        match request {
            _ if io.leaving => {
                let refusal = Outcome::Failed(ChatError::unavailable("draining"));
                self.pipeline.push_done(refusal, ack, self.visit, deadline);
            }
            Ok(request) => {
                let asker = Asker { identity: Arc::clone(&visitor.identity), socket: visitor.socket.clone() };
                self.pipeline.push(Work::new(request, asker), ack, self.visit, deadline);
            }
            Err(error) => {
                self.pipeline.push_done(Outcome::Failed(error), ack, self.visit, deadline);
            }
        }
    }

    /// Answers a finished event. What belongs to an earlier visit is heard by nobody.
    fn on_finished(&mut self, io: &mut Io<'_>, finished: Finished) {
        let Finished { ack, visit, outcome } = finished;
        if visit != self.visit {
            return;
        }
        match outcome {
            Outcome::Authenticated(arrival) => self.arrive(io, *arrival),
            Outcome::Refused(error) => refuse(io, &error),
            Outcome::Sent(_)
            | Outcome::Edited(_)
            | Outcome::Synced(_)
            | Outcome::Done
            | Outcome::Marked(_)
            | Outcome::History(..)
            | Outcome::Blocked(_)
            | Outcome::Conversations(_)
            | Outcome::Failed(_) => {
                if let Some(bytes) = answers::answer(ack, &outcome) {
                    io.send(bytes);
                }
            }
        }
    }

    /// The token was good: from here on the socket is in the hub and the user is online.
    fn arrive(&mut self, io: &mut Io<'_>, arrival: Arrival) {
        if io.leaving || self.visitor.is_some() {
            return;
        }
        let Arrival { identity, circle, since, back } = arrival;
        let user = identity.user;
        let resumed = back.and_then(|back| self.resume(io, back));
        let Some((socket, pid)) = resumed.or_else(|| self.enter(io, user)) else {
            return refuse(io, &ChatError::Forbidden(TOO_MANY_SOCKETS));
        };
        let left = identity.expires_at.millis().saturating_sub(self.app.clock.now().millis());
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        let ends_at = io.now + left.saturating_add(TOKEN_LEEWAY).min(LONGEST_VISIT);
        match pid {
            Some(pid) => io.session.accept_recoverable(io.now, ROOT, socket.as_str(), &pid),
            None => io.session.accept(io.now, ROOT, socket.as_str()),
        };
        let identity = Arc::new(identity);
        self.app.chat.presence.connect(&identity, socket.clone(), &circle.blocked);
        if !self.app.hub.join(user, &socket, io.outbox, (&circle, since)) {
            // It comes back by itself, and its circle is read again.
            tracing::warn!("more blocks came while a circle was read than are remembered");
            io.session.close(io.now, CloseReason::Server);
        }
        self.visitor = Some(Box::new(Visitor { identity, socket, ends_at }));
    }

    /// Takes a place in the hub under a new id; with it comes a ticket, if the client can recover.
    fn enter(&self, io: &Io<'_>, user: UserId) -> Option<(SocketId, Option<String>)> {
        let socket = SocketId::new(random_id());
        let Entrance { life, boot, since, recovers } =
            self.app.hub.enter(user, &socket, io.outbox, self.opening.recovers)?;
        let pid = recovers.then(|| {
            let recovery = &self.app.chat.recovery;
            let settled = recovery.is_settled(user, Hub::commit_of(since));
            recovery.write(&RecoveryTicket { user, socket: socket.clone(), life, boot, since, settled })
        });
        Some((socket, pid))
    }

    /// Takes up the session that the client had, under its old id and ticket, unless anything would be missing.
    fn resume(&self, io: &Io<'_>, back: Return) -> Option<(SocketId, Option<String>)> {
        let Return { pid, ticket, missed } = back;
        self.app.hub.resume(&ticket, io.outbox, &missed).then_some((ticket.socket, Some(pid)))
    }

    /// The token has ended: the client is told, and disconnected for good.
    fn expire(&mut self, io: &mut Io<'_>) {
        let bytes = event("error", |out| {
            write_error(out, &ChatError::Unauthorized(Unauthorized::Token(TokenError::Expired)))
        });
        io.session.send(io.now, bytes.into());
        self.depart(io, Departure::Clean, false);
        io.session.disconnect(io.now, ROOT);
    }

    /// The visit is over: the hub forgets the socket, unless it `may_return`, and presence hears of it.
    fn depart(&mut self, io: &mut Io<'_>, departure: Departure, may_return: bool) {
        self.visit = self.visit.wrapping_add(1);
        let Some(visitor) = self.visitor.take() else { return };
        let user = visitor.identity.user;
        let outbox = io.renew_outbox();
        let is_last = self.app.hub.detach(user, &outbox, may_return)
            && self.app.chat.presence.disconnect(user, &visitor.socket, departure);
        if is_last {
            self.app.chat.typing.leave(user);
        }
    }

    /// The session is over: what is under way goes on alone.
    fn on_closed(&mut self, io: &mut Io<'_>, reason: CloseReason) {
        self.place = None;
        // A server that stops is not a lost link: nobody comes back to it.
        let clean = matches!(reason, CloseReason::ClientClosed | CloseReason::Shutdown);
        self.depart(io, if clean { Departure::Clean } else { Departure::Lost }, true);
        self.app.finish(mem::replace(&mut self.pipeline, Pipeline::new(0)));
    }
}

/// A refusal ends the visit for good, so it is for those only who should not come back as they are; when the
/// store is away the transport is closed instead, and the client returns by itself.
fn refuse(io: &mut Io<'_>, error: &ChatError) {
    answers::log_failure(error);
    if matches!(error.code(), ErrorCode::Unavailable | ErrorCode::Internal) {
        io.session.close(io.now, CloseReason::Server);
    } else {
        let data = wire::error_body(error);
        io.session.refuse(io.now, ROOT, error.message(), Some(&data));
    }
}
