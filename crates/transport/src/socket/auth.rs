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
        let claim = text(pid).map(|pid| Box::new(Claim { pid, offset: text(offset) }));
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
