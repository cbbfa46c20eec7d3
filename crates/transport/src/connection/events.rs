//! What a session's events mean to the chat, and how their outcomes are answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chat_domain::{
    ChatError, Departure, ErrorCode, Identity, Missing, Unauthorized, model::SocketId, ports::TokenError,
};
use chat_socketio::{AckId, Arguments, CloseReason, Event, Outgoing};
use serde::Deserialize;

use super::{
    Connection, Core, new_socket_id,
    pipeline::{Asker, Finished, Outcome, Work},
};
use crate::{
    hub,
    wire::{
        self, acknowledgement, event, history_capacity, parse_request, write_conversations, write_error,
        write_history, write_message,
    },
};

const ROOT: &str = "/";
/// How long a visit outlives its token, so that one accepted in its last moments is not ended at once. The
/// contract allows ten seconds.
const TOKEN_LEEWAY: Duration = Duration::from_secs(5);
/// A visit ends by then whatever its token says; the client returns and shows it again.
const LONGEST_VISIT: Duration = Duration::from_hours(24 * 365);
const TOO_MANY_SOCKETS: &str = "This user has too many connections already.";

/// Who is connected to the namespace.
pub(super) struct Visitor {
    identity: Arc<Identity>,
    socket: SocketId,
    /// When the token ends.
    pub(super) ends_at: Instant,
}

impl Connection {
    pub(super) fn on_event(&self, core: &mut Core, now: Instant, event: Event) {
        match event {
            Event::Connect { nsp, auth } => self.on_connect(core, now, &nsp, auth.as_deref()),
            Event::Message { ack, args, .. } => self.on_message(core, now, ack, &args),
            Event::Disconnect { .. } => self.depart(core, now, Departure::Clean),
            // The chat asks no client for acknowledgements; `Closed` is handled by the caller.
            Event::Ack { .. } | Event::Closed { .. } | _ => {}
        }
    }

    fn on_connect(&self, core: &mut Core, now: Instant, nsp: &str, auth: Option<&[u8]>) {
        if nsp != ROOT {
            let data = wire::error_body(&ChatError::NotFound(Missing::Path));
            core.session.refuse(now, nsp, "Invalid namespace", Some(&data));
            return;
        }
        let token = auth_token(auth).or_else(|| core.handshake_token.as_deref().map(str::to_owned));
        let deadline = now + self.app.settings.send_timeout;
        core.pipeline.push(Work::Authenticate(token), None, core.visit, deadline);
    }

    fn on_message(&self, core: &mut Core, now: Instant, ack: Option<AckId>, args: &Arguments) {
        let Some(visitor) = &core.visitor else { return };
        let arrived = core.arrived.unwrap_or(now);
        let limits = &self.app.settings.limits;
        let Some(request) = parse_request(&args.name(), args.get(0), limits) else { return };
        let deadline = arrived + self.app.settings.send_timeout;
        match request {
            _ if core.leaving => {
                let refusal = Outcome::Failed(ChatError::unavailable("draining"));
                core.pipeline.push_done(refusal, ack, core.visit, deadline);
            }
            Ok(request) => {
                let asker = Asker { identity: Arc::clone(&visitor.identity), socket: visitor.socket.clone() };
                core.pipeline.push(Work::new(request, asker), ack, core.visit, deadline);
            }
            Err(error) => {
                core.pipeline.push_done(Outcome::Failed(error.into()), ack, core.visit, deadline);
            }
        }
    }

    /// Answers a finished event. What belongs to an earlier visit is heard by nobody.
    pub(super) fn on_finished(&self, core: &mut Core, now: Instant, finished: Finished) {
        let Finished { ack, visit, outcome } = finished;
        if visit != core.visit {
            return;
        }
        match outcome {
            Outcome::Authenticated(identity) => self.arrive(core, now, identity),
            Outcome::Refused(error) => self.refuse(core, now, &error),
            Outcome::Sent(_)
            | Outcome::Typed
            | Outcome::Read(_)
            | Outcome::History(..)
            | Outcome::Conversations(_)
            | Outcome::Failed(_) => {
                let answer = match ack {
                    Some(ack) => Some(acknowledged(ack, &outcome)),
                    None => unacknowledged(&outcome),
                };
                if let Some(bytes) = answer {
                    core.push(bytes);
                }
            }
        }
    }

    /// The token was good: from here on the socket is in the hub and the user is online.
    fn arrive(&self, core: &mut Core, now: Instant, identity: Identity) {
        if core.leaving || core.visitor.is_some() {
            return;
        }
        let user = identity.user;
        if !self.app.hub.enter(user, &core.outbox) {
            return self.refuse(core, now, &ChatError::Forbidden(TOO_MANY_SOCKETS));
        }
        let socket = new_socket_id();
        let left = identity.expires_at.millis().saturating_sub(self.app.clock.now().millis());
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        let ends_at = now + left.saturating_add(TOKEN_LEEWAY).min(LONGEST_VISIT);
        core.session.accept(now, ROOT, socket.as_str());
        let identity = Arc::new(identity);
        self.app.chat.presence.connect(&identity, socket.clone());
        self.app.hub.join(user, &socket, &core.outbox);
        core.visitor = Some(Box::new(Visitor { identity, socket, ends_at }));
    }

    /// A refusal ends the visit for good, so it is for those only who should not come back as they are; when the
    /// store is away the transport is closed instead, and the client returns by itself.
    fn refuse(&self, core: &mut Core, now: Instant, error: &ChatError) {
        log_refusal(error);
        if matches!(error.code(), ErrorCode::Unavailable | ErrorCode::Internal) {
            core.session.close(now, CloseReason::Server);
        } else {
            let data = wire::error_body(error);
            core.session.refuse(now, ROOT, error.message(), Some(&data));
        }
    }

    /// The token has ended: the client is told, and disconnected for good.
    pub(super) fn expire(&self, core: &mut Core, now: Instant) {
        let bytes = event("error", |out| {
            write_error(out, &ChatError::Unauthorized(Unauthorized::Token(TokenError::Expired)))
        });
        core.session.send(now, Outgoing::from(bytes));
        self.depart(core, now, Departure::Clean);
        core.session.disconnect(now, ROOT);
    }

    /// The visit is over: the hub forgets the socket, and presence hears of it.
    pub(super) fn depart(&self, core: &mut Core, _now: Instant, departure: Departure) {
        core.visit = core.visit.wrapping_add(1);
        let Some(visitor) = core.visitor.take() else { return };
        let user = visitor.identity.user;
        let outbox = std::mem::replace(&mut core.outbox, Arc::new(self.app.hub.outbox()));
        self.app.hub.detach(user, &outbox);
        if self.app.chat.presence.disconnect(user, &visitor.socket, departure) {
            self.app.chat.typing.leave(user);
        }
    }
}

#[derive(Deserialize)]
struct Auth {
    token: Option<String>,
}

/// The token of a CONNECT's payload; one that is no string counts as none.
fn auth_token(auth: Option<&[u8]>) -> Option<String> {
    serde_json::from_slice::<Auth>(auth?).ok()?.token
}

fn log_refusal(error: &ChatError) {
    if error.code() == ErrorCode::Internal {
        tracing::error!(error = error as &dyn std::error::Error, "a connect failed");
    }
}

/// What a socket hears that asked for an acknowledgement.
fn acknowledged(ack: AckId, outcome: &Outcome) -> Bytes {
    let capacity = match outcome {
        Outcome::History(_, page) => history_capacity(page),
        Outcome::Sent(_)
        | Outcome::Typed
        | Outcome::Read(_)
        | Outcome::Conversations(_)
        | Outcome::Failed(_)
        | Outcome::Authenticated(_)
        | Outcome::Refused(_) => 448,
    };
    acknowledgement(ack, capacity, |out| {
        if let Outcome::Failed(error) = outcome {
            log_refusal(error);
            out.extend_from_slice(b"{\"ok\":false,\"error\":");
            write_error(out, error);
        } else {
            out.extend_from_slice(b"{\"ok\":true");
            write_success(out, outcome);
        }
        out.push(b'}');
    })
}

fn write_success(out: &mut Vec<u8>, outcome: &Outcome) {
    match outcome {
        Outcome::Sent(appended) => {
            out.extend_from_slice(b",\"message\":");
            write_message(out, &appended.message);
        }
        Outcome::Read(count) => out.extend_from_slice(format!(",\"count\":{count}").as_bytes()),
        Outcome::History(other, page) => {
            out.push(b',');
            write_history(out, *other, page, true);
        }
        Outcome::Conversations(page) => {
            out.push(b',');
            write_conversations(out, page);
        }
        Outcome::Typed | Outcome::Failed(_) | Outcome::Authenticated(_) | Outcome::Refused(_) => {}
    }
}

/// What a socket hears that asked for no acknowledgement.
fn unacknowledged(outcome: &Outcome) -> Option<Bytes> {
    match outcome {
        Outcome::Failed(error) => {
            log_refusal(error);
            Some(event("error", |out| write_error(out, error)))
        }
        // A first one reaches this socket through the hub.
        Outcome::Sent(appended) if appended.repeated => Some(hub::message(&appended.message)),
        Outcome::History(other, page) => Some(event("chat_history", |out| {
            out.push(b'{');
            write_history(out, *other, page, false);
            out.push(b'}');
        })),
        Outcome::Sent(_)
        | Outcome::Typed
        | Outcome::Read(_)
        | Outcome::Conversations(_)
        | Outcome::Authenticated(_)
        | Outcome::Refused(_) => None,
    }
}
