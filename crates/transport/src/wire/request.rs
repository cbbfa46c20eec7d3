//! Reads the events of clients: payloads become typed commands or an error that names the field.

use chat_domain::{
    HistoryRequest,
    model::{ClientId, ConversationCursor, InvalidInput, Limits, MessageId, MessageText, UserId},
    ports::ReceiptKind,
};
use serde::Deserialize;

use super::{
    cursor::parse_conversation_cursor,
    params::{HistoryParams, ListParams},
    reading::{parse_body, parse_id, whole},
};

/// A client's event, read and checked.
pub(crate) enum EventRequest {
    /// One that goes beside others.
    Send(SendRequest),
    /// One that waits its turn.
    Other(OtherRequest),
}

/// `private_message`
pub(crate) struct SendRequest {
    pub(crate) receiver: UserId,
    pub(crate) text: MessageText,
    pub(crate) client_id: Option<ClientId>,
}

/// Every event but `private_message`.
pub(crate) enum OtherRequest {
    /// `typing`
    Typing { receiver: UserId, is_typing: bool },
    /// `message_delivered`, `message_read`
    Receipt { kind: ReceiptKind, message: MessageId },
    /// `edit_message`
    Edit { message: MessageId, text: MessageText },
    /// `delete_message`
    Delete { message: MessageId },
    /// `sync`
    Sync { since: Option<String>, limit: Option<u32> },
    /// `block_user`, `unblock_user`
    Block { user: UserId, blocks: bool },
    /// `get_blocked`
    Blocked { limit: Option<u32>, after: Option<UserId> },
    /// `get_chat_history`
    History { other: UserId, request: HistoryRequest },
    /// `get_conversations`
    Conversations { limit: Option<u32>, after: Option<ConversationCursor> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PrivateMessage {
    receiver_id: String,
    message: String,
    client_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypingPayload {
    receiver_id: String,
    is_typing: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessagePayload {
    message_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EditPayload {
    message_id: String,
    message: String,
}

#[derive(Deserialize)]
struct SyncPayload {
    since: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserPayload {
    user_id: String,
}

// `#[serde(flatten)]` would go through a value tree, so the page's parameters stand here once more.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryPayload {
    other_user_id: String,
    #[serde(default, deserialize_with = "whole")]
    limit: Option<u32>,
    #[serde(default, deserialize_with = "whole")]
    skip: Option<u64>,
    before: Option<String>,
    after: Option<String>,
}

/// Reads the payload (the event's first argument as JSON) of a named event. `None` for an event that nobody
/// listens to.
pub(crate) fn parse_request(
    name: &str,
    payload: Option<&str>,
    limits: &Limits,
) -> Option<Result<EventRequest, InvalidInput>> {
    let payload = payload.unwrap_or("null").as_bytes();
    if name == "private_message" {
        return Some(parse_send(payload, limits).map(EventRequest::Send));
    }
    Some(parse_other(name, payload, limits)?.map(EventRequest::Other))
}

fn parse_other(name: &str, payload: &[u8], limits: &Limits) -> Option<Result<OtherRequest, InvalidInput>> {
    Some(match name {
        "typing" => parse_body::<TypingPayload>(payload).and_then(|body| {
            let receiver = parse_id("receiverId", &body.receiver_id)?;
            Ok(OtherRequest::Typing { receiver, is_typing: body.is_typing })
        }),
        "message_read" => {
            parse_message(payload).map(|message| OtherRequest::Receipt { kind: ReceiptKind::Read, message })
        }
        "message_delivered" => {
            let kind = ReceiptKind::Delivered;
            parse_message(payload).map(|message| OtherRequest::Receipt { kind, message })
        }
        "edit_message" => parse_body::<EditPayload>(payload).and_then(|body| {
            let message = parse_id("messageId", &body.message_id)?;
            Ok(OtherRequest::Edit { message, text: MessageText::parse(body.message, limits)? })
        }),
        "delete_message" => parse_message(payload).map(|message| OtherRequest::Delete { message }),
        // Where everything is optional, a client may send nothing at all.
        "sync" if payload == b"null" => Ok(OtherRequest::Sync { since: None, limit: None }),
        "sync" => parse_body::<SyncPayload>(payload)
            .map(|SyncPayload { since, limit }| OtherRequest::Sync { since, limit }),
        "block_user" => parse_user(payload).map(|user| OtherRequest::Block { user, blocks: true }),
        "unblock_user" => parse_user(payload).map(|user| OtherRequest::Block { user, blocks: false }),
        "get_blocked" if payload == b"null" => Ok(OtherRequest::Blocked { limit: None, after: None }),
        "get_blocked" => parse_body::<ListParams>(payload).and_then(|params| {
            let after = params.after.as_deref().map(|after| parse_id("after", after)).transpose()?;
            Ok(OtherRequest::Blocked { limit: params.limit, after })
        }),
        "get_chat_history" => parse_body(payload).and_then(parse_history),
        "get_conversations" if payload == b"null" => {
            Ok(OtherRequest::Conversations { limit: None, after: None })
        }
        "get_conversations" => parse_body::<ListParams>(payload).and_then(|query| {
            let after = query.after.as_deref().map(parse_conversation_cursor).transpose()?;
            Ok(OtherRequest::Conversations { limit: query.limit, after })
        }),
        _ => return None,
    })
}

fn parse_message(payload: &[u8]) -> Result<MessageId, InvalidInput> {
    let MessagePayload { message_id } = parse_body(payload)?;
    parse_id("messageId", &message_id)
}

fn parse_user(payload: &[u8]) -> Result<UserId, InvalidInput> {
    let UserPayload { user_id } = parse_body(payload)?;
    parse_id("userId", &user_id)
}

fn parse_send(payload: &[u8], limits: &Limits) -> Result<SendRequest, InvalidInput> {
    let body: PrivateMessage = parse_body(payload)?;
    let receiver = parse_id("receiverId", &body.receiver_id)?;
    let text = MessageText::parse(body.message, limits)?;
    let client_id = body.client_id.map(|id| ClientId::parse(id, limits)).transpose()?;
    Ok(SendRequest { receiver, text, client_id })
}

fn parse_history(body: HistoryPayload) -> Result<OtherRequest, InvalidInput> {
    let HistoryPayload { other_user_id, limit, skip, before, after } = body;
    let other = parse_id("otherUserId", &other_user_id)?;
    let request = HistoryParams { limit, skip, before, after }.try_into()?;
    Ok(OtherRequest::History { other, request })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(payload: &str) -> Result<EventRequest, InvalidInput> {
        parse_request("private_message", Some(payload), &Limits::default()).unwrap()
    }

    #[test]
    fn a_wrong_field_is_named() {
        let id = "0123456789abcdef01234567";
        let cases = [
            ("null", "body"),
            ("[]", "body"),
            ("{}", "receiverId"),
            (r#"{"receiverId":5,"message":"x"}"#, "receiverId"),
            (r#"{"receiverId":{"$ne":null},"message":"x"}"#, "receiverId"),
            (r#"{"receiverId":"zz","message":"x"}"#, "receiverId"),
            (&format!(r#"{{"receiverId":"{id}"}}"#), "message"),
            (&format!(r#"{{"receiverId":"{id}","message":["x"]}}"#), "message"),
            (&format!(r#"{{"receiverId":"{id}","message":" "}}"#), "message"),
            (&format!(r#"{{"receiverId":"{id}","message":"\ud800"}}"#), "message"),
            (&format!(r#"{{"receiverId":"{id}","message":"x","clientId":""}}"#), "clientId"),
            (&format!(r#"{{"receiverId":"{id}","message":"x","clientId":7}}"#), "clientId"),
        ];
        for (payload, field) in cases {
            let error = send(payload).err().unwrap_or_else(|| unreachable!("{payload}"));
            assert_eq!(error.field, field, "{payload}: {error}");
        }
    }

    #[test]
    fn unknown_fields_and_either_case_of_an_id_pass() {
        let payload = r#"{"receiverId":"0123456789ABCDEF01234567","message":"x","senderId":"me","seq":[1]}"#;
        assert!(matches!(send(payload), Ok(EventRequest::Send(_))));
    }

    #[test]
    fn a_wrong_field_of_any_other_event_is_named() {
        let id = "0123456789abcdef01234567";
        let edit = |text: &str| format!(r#"{{"messageId":"{id}","message":{text}}}"#);
        let cases = [
            ("message_delivered", r#"{"messageId":"x"}"#.to_owned(), "messageId"),
            ("message_read", "{}".to_owned(), "messageId"),
            ("edit_message", format!(r#"{{"messageId":"{id}"}}"#), "message"),
            ("edit_message", edit("\"  \""), "message"),
            ("edit_message", edit("7"), "message"),
            ("delete_message", "null".to_owned(), "body"),
            ("sync", r#"{"since":7}"#.to_owned(), "since"),
            ("sync", r#"{"limit":"many"}"#.to_owned(), "limit"),
            ("sync", "[]".to_owned(), "body"),
            ("block_user", r#"{"userId":{"$ne":null}}"#.to_owned(), "userId"),
            ("unblock_user", "{}".to_owned(), "userId"),
            ("get_blocked", r#"{"after":"x"}"#.to_owned(), "after"),
            ("get_blocked", r#"{"limit":"all"}"#.to_owned(), "limit"),
        ];
        for (name, payload, field) in cases {
            let parsed = parse_request(name, Some(&payload), &Limits::default()).unwrap();
            let error = parsed.err().unwrap_or_else(|| unreachable!("{name} {payload}"));
            assert_eq!(error.field, field, "{name} {payload}: {error}");
        }
    }

    #[test]
    fn who_wants_nothing_special_may_send_nothing_at_all() {
        for payload in [None, Some("null"), Some("{}"), Some(r#"{"since":null,"after":null,"limit":null}"#)] {
            for name in ["sync", "get_conversations", "get_blocked"] {
                let parsed = parse_request(name, payload, &Limits::default()).unwrap().unwrap();
                let is_empty = matches!(
                    parsed,
                    EventRequest::Other(
                        OtherRequest::Sync { since: None, limit: None }
                            | OtherRequest::Conversations { limit: None, after: None }
                            | OtherRequest::Blocked { limit: None, after: None }
                    )
                );
                assert!(is_empty, "{name} {payload:?}");
            }
        }
    }

    #[test]
    fn an_event_that_nobody_listens_to_is_none() {
        assert!(parse_request("no_such_event", Some("{}"), &Limits::default()).is_none());
    }
}
