//! What fuzz targets and the replay of their seeds check of requests, cursors and CONNECT. Not part of the interface.

use chat_domain::{
    ChatError, HistoryRequest, Registration,
    model::{InvalidInput, Limits},
};
use serde_json::Value;

use crate::socket::auth::Auth;
use crate::wire::{
    EventRequest, HistoryParams, ListParams, ListUsersQuery, LoginBody, RegisterBody, SendRequest,
    conversation_cursor, error_body, parse_body, parse_conversation_cursor, parse_query, parse_request,
    parse_user_cursor, user_cursor,
};

/// A request: its name on the first line (an event, a REST body or a query), what came with it behind.
pub fn requests(data: &[u8]) {
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (name, body) = data.split_at(cut);
    let body = body.get(1..).unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    match name {
        b"POST register" => settle(parse_body::<RegisterBody>(body).map(Registration::from)),
        b"POST login" => settle(parse_body::<LoginBody>(body).and_then(LoginBody::into_parts)),
        b"GET users" => settle(parse_query::<ListUsersQuery>(&text)),
        b"GET history" => {
            settle(parse_query::<HistoryParams>(&text).and_then(HistoryRequest::try_from));
        }
        b"GET conversations" | b"GET blocks" => settle(parse_query::<ListParams>(&text)),
        _ => event(&String::from_utf8_lossy(name), &text),
    }
}

/// A cursor that is read is written the same.
pub fn cursors(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(cursor) = parse_user_cursor(&text) {
        assert_eq!(user_cursor(&cursor), text);
    }
    if let Ok(cursor) = parse_conversation_cursor(&text) {
        assert_eq!(conversation_cursor(cursor), text);
    }
}

/// A CONNECT's payload: what is taken of it is what a plain reading of the JSON says.
pub fn connect(data: &[u8]) {
    let Auth { token, claim, recovery } = Auth::read(Some(data));
    // Sessions hand up objects only. What nobody reads is skipped over, also where it is too deep for a value tree.
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(data) else { return };
    let text = |name| members.get(name).and_then(Value::as_str);
    assert!(token.is_none() || token.as_deref() == text("token"));
    assert!(recovery.is_none() || recovery == members.get("recovery").and_then(Value::as_bool));
    if let Some(claim) = claim {
        assert_eq!(Some(claim.pid.as_str()), text("pid"));
        assert_eq!(claim.offset.as_deref(), text("offset"));
    }
}

fn event(name: &str, payload: &str) {
    let limits = Limits::default();
    match parse_request(name, Some(payload), &limits) {
        Some(Ok(EventRequest::Send(send))) => check_send(&send, payload),
        Some(Ok(EventRequest::Other(_))) | None => {}
        Some(Err(error)) => check_error(error),
    }
}

/// What was taken is what a plain reading of the JSON says, within the limits.
fn check_send(send: &SendRequest, payload: &str) {
    // What nobody reads is skipped over, also where it is too deep for a value tree.
    let Ok(value) = serde_json::from_str::<Value>(payload) else { return };
    let SendRequest { receiver, text, client_id } = send;
    let field = |name| value.get(name).and_then(Value::as_str);
    assert_eq!(field("receiverId").map(str::to_ascii_lowercase), Some(receiver.to_string()));
    assert_eq!(field("message"), Some(text.as_str()));
    assert_eq!(field("clientId"), client_id.as_ref().map(|id| id.as_str()));
    assert!((1..=4_000).contains(&text.as_str().chars().count()) && !text.as_str().contains('\0'));
}

fn settle<T>(read: Result<T, InvalidInput>) {
    if let Err(error) = read {
        check_error(error);
    }
}

/// An error names a field, is JSON, and quotes no page of what came in.
fn check_error(error: InvalidInput) {
    assert!(!error.field.is_empty() && error.to_string().chars().count() < 400);
    let body = error_body(&ChatError::from(error));
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    assert_eq!(value.get("code").and_then(Value::as_str), Some("invalid_input"));
    assert!(value.get("details").is_some_and(Value::is_string), "{value}");
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    fn replay(target: &str, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
        let paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!paths.is_empty(), "{target}");
        paths.iter().for_each(|path| run(&fs::read(path).unwrap()));
    }

    #[test]
    fn every_seed_passes_its_target() {
        replay("requests", super::requests);
        replay("cursors", super::cursors);
        replay("connect", super::connect);
    }
}
