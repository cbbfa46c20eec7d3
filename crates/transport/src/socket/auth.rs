//! What a client says of itself when it asks to join: the payload of its CONNECT.

use serde::Deserialize;
use serde_json::Value;

/// The payload, as far as it is understood. What has another type than it should counts as not given.
#[derive(Default)]
pub(crate) struct Auth {
    pub(crate) token: Option<String>,
    /// The session that it had.
    pub(crate) claim: Option<Box<Claim>>,
    /// Whether it can recover, where it says so.
    pub(crate) recovery: Option<bool>,
}

/// A session that a client had, by what official clients bring back of it.
pub(crate) struct Claim {
    /// Its ticket.
    pub(crate) pid: String,
    /// The last argument of the last event that had a string there.
    pub(crate) offset: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    token: Option<Value>,
    pid: Option<Value>,
    offset: Option<Value>,
    recovery: Option<Value>,
}

impl Auth {
    pub(crate) fn read(payload: Option<&[u8]>) -> Self {
        let payload = payload.and_then(|payload| serde_json::from_slice::<Payload>(payload).ok());
        let Some(Payload { token, pid, offset, recovery }) = payload else { return Self::default() };
        // Without an offset the session missed everything since its ticket: not to be said of one that can't be read.
        let readable = offset.as_ref().is_none_or(Value::is_string);
        let claim = text(pid).filter(|_| readable).map(|pid| Box::new(Claim { pid, offset: text(offset) }));
        Self { token: text(token), claim, recovery: recovery.as_ref().and_then(Value::as_bool) }
    }
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_claimed_by_a_ticket_and_an_offset_that_is_text_or_none() {
        for (payload, claimed) in [
            (r#"{"token":"t","pid":"p","offset":"7"}"#, Some(("p", Some("7")))),
            (r#"{"token":"t","pid":"p"}"#, Some(("p", None))),
            (r#"{"token":"t","pid":"p","offset":null}"#, Some(("p", None))),
            (r#"{"token":"t","pid":"p","offset":7}"#, None),
            (r#"{"token":"t","pid":"p","offset":{}}"#, None),
            (r#"{"token":"t","pid":7,"offset":"7"}"#, None),
            (r#"{"token":"t","offset":"7"}"#, None),
        ] {
            let auth = Auth::read(Some(payload.as_bytes()));
            let claim = auth.claim.as_ref().map(|claim| (&*claim.pid, claim.offset.as_deref()));
            assert_eq!((auth.token.as_deref(), claim), (Some("t"), claimed), "{payload}");
        }
    }
}
