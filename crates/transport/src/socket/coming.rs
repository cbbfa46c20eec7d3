//! A client asks to join: its token is checked, its surroundings are read, and what it missed if it had a session before.

use std::sync::Arc;

use chat_domain::{Chat, ChatError, Circle, Identity, RecoveryTicket, Unauthorized, model::UserId};

use super::{auth::Claim, pipeline::Outcome};
use crate::{
    Hub,
    hub::{Missed, Offset, Since},
};

/// What is asked for.
pub(crate) struct Admission {
    /// Without a token the socket is refused.
    pub(super) token: Option<String>,
    /// From when on what changes around the user is not in the circle that is read.
    pub(super) since: Since,
    /// The session that the client says it had.
    pub(super) claim: Option<Box<Claim>>,
    pub(super) hub: Arc<Hub>,
}

/// Somebody whose token was good.
pub(crate) struct Arrival {
    pub(crate) identity: Identity,
    /// Around them, as it was read.
    pub(crate) circle: Circle,
    /// From when on what changes in it is not in it.
    pub(crate) since: Since,
    /// The session that they had, if it is known.
    pub(crate) back: Option<Return>,
}

/// Somebody who comes back.
pub(crate) struct Return {
    pub(crate) pid: String,
    pub(crate) ticket: RecoveryTicket,
    pub(crate) missed: Missed,
}

/// Checks who it is.
pub(super) async fn admit(chat: Arc<Chat>, admission: Admission) -> Outcome {
    let Admission { token, since, claim, hub } = admission;
    let Some(token) = token else {
        return Outcome::Refused(ChatError::Unauthorized(Unauthorized::NoToken));
    };
    let arriving = async {
        let identity = chat.accounts.authenticate(&token).await?;
        let circle = chat.circles.around(identity.user).await?;
        hub.continue_from(|| chat.recovery.numbering());
        let back = match claim {
            Some(claim) => come_back(&chat, &hub, identity.user, *claim).await,
            None => None,
        };
        Ok(Box::new(Arrival { identity, circle, since, back }))
    };
    arriving.await.map_or_else(Outcome::Refused, Outcome::Authenticated)
}

/// What the client missed since its session, as far as the store has to tell it. Where that fails it is a new session.
async fn come_back(chat: &Chat, hub: &Hub, user: UserId, claim: Claim) -> Option<Return> {
    let Claim { pid, offset } = claim;
    let ticket = chat.recovery.read(user, &pid)?;
    let offset = offset.map(|offset| hub.read_offset(&offset).ok_or(offset)).transpose().ok()?;
    let (after, settled) = match offset {
        Some(Offset::Event(after)) if after >= ticket.since => (after, true),
        // It has heard nothing in this session. What it brings may be of an earlier one, which it kept.
        Some(Offset::Event(_) | Offset::Foreign) | None => (ticket.since, ticket.settled),
    };
    let Some(floor) = hub.expect(&ticket, after) else {
        return Some(Return { pid, ticket, missed: Missed { after, again: Vec::new(), upto: after } });
    };
    if !settled {
        return None;
    }
    let (known, last) = (Hub::commit_of(after), Hub::commit_of(floor));
    match chat.recovery.missed((user, &ticket.socket), known, last).await {
        Ok(missed) => {
            let (again, upto) = missed?;
            Some(Return { pid, missed: Missed { after, again, upto: Hub::behind(upto) }, ticket })
        }
        Err(error) => {
            tracing::debug!(%error, "what a session missed is not known");
            None
        }
    }
}
