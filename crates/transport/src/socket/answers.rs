//! What a socket hears of what it asked for.

use bytes::Bytes;
use chat_domain::{ChatError, ErrorCode};
use chat_socketio_actix::protocol::AckId;

use super::pipeline::Outcome;
use crate::{
    hub,
    wire::{
        acknowledgement, event, messages_capacity, write_blocked, write_conversations, write_error,
        write_history, write_message, write_number, write_sync,
    },
};

/// What a socket hears of an event's outcome, if anything.
pub(super) fn answer(ack: Option<AckId>, outcome: &Outcome) -> Option<Bytes> {
    match ack {
        Some(ack) => Some(acknowledged(ack, outcome)),
        None => unacknowledged(outcome),
    }
}

/// Logs a failure that is ours.
pub(super) fn log_failure(error: &ChatError) {
    if error.code() == ErrorCode::Internal {
        tracing::error!(error = error as &dyn std::error::Error, "an event failed");
    }
}

/// What a socket hears that asked for an acknowledgement.
fn acknowledged(ack: AckId, outcome: &Outcome) -> Bytes {
    let capacity = match outcome {
        Outcome::History(_, page) => messages_capacity(&page.messages),
        Outcome::Synced(page) => messages_capacity(&page.messages),
        Outcome::Sent(_)
        | Outcome::Edited(_)
        | Outcome::Done
        | Outcome::Marked(_)
        | Outcome::Blocked(_)
        | Outcome::Conversations(_)
        | Outcome::Failed(_)
        | Outcome::Authenticated(_)
        | Outcome::Refused(_) => 448,
    };
    acknowledgement(ack, capacity, |out| {
        if let Outcome::Failed(error) = outcome {
            log_failure(error);
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
        Outcome::Edited(message) => {
            out.extend_from_slice(b",\"message\":");
            write_message(out, message);
        }
        Outcome::Synced(page) => {
            out.push(b',');
            write_sync(out, page);
        }
        Outcome::Marked(count) => {
            out.extend_from_slice(b",\"count\":");
            write_number(out, *count);
        }
        Outcome::History(other, page) => {
            out.push(b',');
            write_history(out, *other, page, true);
        }
        Outcome::Blocked(page) => {
            out.push(b',');
            write_blocked(out, page);
        }
        Outcome::Conversations(page) => {
            out.push(b',');
            write_conversations(out, page);
        }
        Outcome::Done | Outcome::Failed(_) | Outcome::Authenticated(_) | Outcome::Refused(_) => {}
    }
}

/// What a socket hears that asked for no acknowledgement.
fn unacknowledged(outcome: &Outcome) -> Option<Bytes> {
    match outcome {
        Outcome::Failed(error) => {
            log_failure(error);
            Some(event("error", |out| write_error(out, error)))
        }
        // A first one reaches this socket through the hub.
        Outcome::Sent(appended) if appended.repeated => Some(hub::message(&appended.message).into()),
        Outcome::History(other, page) => Some(event("chat_history", |out| {
            out.push(b'{');
            write_history(out, *other, page, false);
            out.push(b'}');
        })),
        Outcome::Sent(_)
        | Outcome::Edited(_)
        | Outcome::Synced(_)
        | Outcome::Done
        | Outcome::Marked(_)
        | Outcome::Blocked(_)
        | Outcome::Conversations(_)
        | Outcome::Authenticated(_)
        | Outcome::Refused(_) => None,
    }
}
