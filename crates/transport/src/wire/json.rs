//! Writes aggregates as JSON.

use std::{cell::Cell, sync::Arc};

use bytes::Bytes;
use chat_domain::{
    BlockPage, BlockedUser, ConversationPage, ConversationView, Grant, HistoryPage, SyncPage, UserProfile,
    UserView,
    model::{Message, ObjectId, Timestamp, UserId},
};
use chat_socketio_actix::protocol::AckId;
use jiff::fmt::temporal::DateTimePrinter;

use super::cursor::conversation_cursor;

/// Encodes a server event of the root namespace once: the whole Engine.IO message.
pub(crate) fn event(name: &str, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    Bytes::from(open_event(name, write))
}

/// As [`event`], for one that may get another argument.
pub(crate) fn open_event(name: &str, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(384);
    out.extend_from_slice(b"42[\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",");
    write(&mut out);
    out.push(b']');
    out
}

/// Encodes an acknowledgement of the root namespace: the whole Engine.IO message, its argument `{"ok":…}`.
pub(crate) fn acknowledgement(ack: AckId, capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut out = Vec::with_capacity(capacity);
    out.extend_from_slice(b"43");
    write_number(&mut out, ack.0);
    out.push(b'[');
    write(&mut out);
    out.push(b']');
    Bytes::from(out)
}

/// Writes a JSON string, escaped.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    // Without an early exit inside a chunk, so that it is done many bytes at a time.
    let special =
        |chunk: &[u8]| chunk.iter().fold(false, |any, &c| any | (c < 0x20) | (c == b'"') | (c == b'\\'));
    if !text.as_bytes().chunks(64).any(special) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else if serde_json::to_writer(&mut *out, text).is_err() {
        // Writing a string to memory does not fail; null keeps the JSON whole if it ever did.
        out.extend_from_slice(b"null");
    }
}

/// Writes an id as a JSON string.
pub(crate) fn write_id(out: &mut Vec<u8>, id: ObjectId) {
    out.push(b'"');
    out.extend_from_slice(&id.hex());
    out.push(b'"');
}

/// Messages of one moment share a second, so the last one's text is kept.
fn write_time(out: &mut Vec<u8>, time: Timestamp) {
    type Second = [u8; "2026-11-26T18:08:55.".len()];
    thread_local! {
        static LAST: Cell<(i64, Second)> = const { Cell::new((i64::MIN, [0; size_of::<Second>()])) };
    }
    // What a foreign database holds may lie outside the years that RFC 3339 can write: the nearest one.
    let (first, last) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
    let time = time.millis().clamp(first.as_second() * 1000, last.as_second() * 1000);
    let (second, millis) = (time.div_euclid(1000), time.rem_euclid(1000));
    let (known, text) = LAST.get();
    out.push(b'"');
    if known == second {
        out.extend_from_slice(&text);
        out.extend(
            [millis / 100, millis / 10 % 10, millis % 10].map(|d| b'0' + u8::try_from(d).unwrap_or(0)),
        );
        out.push(b'Z');
    } else {
        let start = out.len();
        print_time(out, time);
        // Only the years of four digits.
        if let Some([text @ .., _, _, _, b'Z']) = out.get(start..)
            && let Ok(text) = Second::try_from(text)
        {
            LAST.set((second, text));
        }
    }
    out.push(b'"');
}

fn print_time(out: &mut Vec<u8>, millis: i64) {
    static PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let start = out.len();
    if PRINTER.print_timestamp(&time, jiff::fmt::StdIoWrite(&mut *out)).is_err() {
        out.truncate(start);
    }
}

fn write_optional_time(out: &mut Vec<u8>, time: Option<Timestamp>) {
    match time {
        Some(time) => write_time(out, time),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes a number.
pub(crate) fn write_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn write_list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Writes a `Message`.
pub(crate) fn write_message(out: &mut Vec<u8>, message: &Message) {
    let Message {
        id,
        seq,
        sender,
        receiver,
        text,
        timestamp,
        delivered_at,
        read_at,
        edited_at,
        deleted_at,
        client_id,
        first_text: _,
    } = message;
    out.extend_from_slice(b"{\"id\":");
    write_id(out, id.0);
    out.extend_from_slice(b",\"senderId\":");
    write_id(out, sender.0);
    out.extend_from_slice(b",\"receiverId\":");
    write_id(out, receiver.0);
    out.extend_from_slice(b",\"message\":");
    write_string(out, text);
    out.extend_from_slice(b",\"timestamp\":");
    write_time(out, *timestamp);
    out.extend_from_slice(if read_at.is_some() { b",\"isRead\":true" } else { b",\"isRead\":false" });
    out.extend_from_slice(b",\"seq\":");
    write_number(out, *seq);
    if let Some(client_id) = client_id {
        out.extend_from_slice(b",\"clientId\":");
        write_string(out, client_id);
    }
    let times = [
        (&b",\"deliveredAt\":"[..], delivered_at),
        (b",\"readAt\":", read_at),
        (b",\"editedAt\":", edited_at),
        (b",\"deletedAt\":", deleted_at),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            out.extend_from_slice(name);
            write_time(out, *time);
        }
    }
    out.push(b'}');
}

/// Writes the fields of a page of history, without braces.
pub(crate) fn write_history(out: &mut Vec<u8>, other: UserId, page: &HistoryPage, with_next: bool) {
    let HistoryPage { messages, next, .. } = page;
    out.extend_from_slice(b"\"otherUserId\":");
    write_id(out, other.0);
    out.extend_from_slice(b",\"messages\":");
    write_list(out, messages, |out, message| write_message(out, message));
    if with_next {
        write_next_id(out, next.map(|next| next.0));
    }
}

fn write_user_fields(out: &mut Vec<u8>, user: &UserView) {
    let UserView { id, username, is_online, last_seen, .. } = user;
    out.extend_from_slice(b"{\"id\":");
    write_id(out, id.0);
    out.extend_from_slice(b",\"username\":");
    write_string(out, username);
    out.extend_from_slice(if *is_online { b",\"isOnline\":true" } else { b",\"isOnline\":false" });
    out.extend_from_slice(b",\"lastSeen\":");
    write_optional_time(out, *last_seen);
}

fn write_user(out: &mut Vec<u8>, user: &UserView) {
    write_user_fields(out, user);
    out.push(b'}');
}

/// Writes a `Profile`.
pub(crate) fn write_profile(out: &mut Vec<u8>, profile: &UserProfile) {
    let UserProfile { user, email, created_at, updated_at, .. } = profile;
    write_user_fields(out, user);
    out.extend_from_slice(b",\"email\":");
    write_string(out, email);
    out.extend_from_slice(b",\"createdAt\":");
    write_time(out, *created_at);
    out.extend_from_slice(b",\"updatedAt\":");
    write_time(out, *updated_at);
    out.push(b'}');
}

/// Writes a `Session`.
pub(crate) fn write_grant(out: &mut Vec<u8>, grant: &Grant) {
    let Grant { token, user, .. } = grant;
    out.extend_from_slice(b"{\"token\":");
    write_string(out, &token.token);
    out.extend_from_slice(b",\"expiresIn\":");
    write_number(out, token.expires_in);
    out.extend_from_slice(b",\"user\":");
    write_profile(out, user);
    out.push(b'}');
}

/// Writes a page of users as an object.
pub(crate) fn write_users(out: &mut Vec<u8>, users: &[UserView], next: Option<&str>) {
    out.extend_from_slice(b"{\"users\":");
    write_list(out, users, write_user);
    write_next(out, next);
    out.push(b'}');
}

/// Writes the fields of a page of conversations, without braces.
pub(crate) fn write_conversations(out: &mut Vec<u8>, page: &ConversationPage) {
    let ConversationPage { items, next, .. } = page;
    out.extend_from_slice(b"\"conversations\":");
    write_list(out, items, |out, view| {
        let ConversationView { user, last_message, unread, .. } = view;
        out.extend_from_slice(b"{\"user\":");
        write_user(out, user);
        out.extend_from_slice(b",\"lastMessage\":");
        write_message(out, last_message);
        out.extend_from_slice(b",\"unreadCount\":");
        write_number(out, u64::from(*unread));
        out.push(b'}');
    });
    write_next(out, next.map(conversation_cursor).as_deref());
}

/// Writes the fields of a page of blocked users, without braces.
pub(crate) fn write_blocked(out: &mut Vec<u8>, page: &BlockPage) {
    let BlockPage { items, next, .. } = page;
    out.extend_from_slice(b"\"blocked\":");
    write_list(out, items, |out, BlockedUser { id, username, .. }| {
        out.extend_from_slice(b"{\"userId\":");
        write_id(out, id.0);
        out.extend_from_slice(b",\"username\":");
        write_string(out, username);
        out.push(b'}');
    });
    write_next_id(out, next.map(|next| next.0));
}

/// Writes the fields of a page of `sync`, without braces.
pub(crate) fn write_sync(out: &mut Vec<u8>, page: &SyncPage) {
    let SyncPage { messages, cursor, complete, .. } = page;
    out.extend_from_slice(b"\"events\":");
    write_list(out, messages, |out, message| {
        out.extend_from_slice(b"{\"type\":\"message\",\"message\":");
        write_message(out, message);
        out.push(b'}');
    });
    out.extend_from_slice(b",\"cursor\":");
    write_string(out, cursor);
    out.extend_from_slice(if *complete { b",\"complete\":true" } else { b",\"complete\":false" });
}

/// About how many bytes messages take.
pub(crate) fn messages_capacity(messages: &[Arc<Message>]) -> usize {
    const BESIDE_THE_TEXT: usize = 320;
    messages.iter().map(|message| message.text.len() + BESIDE_THE_TEXT).sum::<usize>() + 192
}

fn write_next(out: &mut Vec<u8>, next: Option<&str>) {
    out.extend_from_slice(b",\"next\":");
    match next {
        Some(next) => write_string(out, next),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_next_id(out: &mut Vec<u8>, next: Option<ObjectId>) {
    out.extend_from_slice(b",\"next\":");
    match next {
        Some(next) => write_id(out, next),
        None => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use chat_domain::model::MessageId;

    use super::*;

    fn message() -> Message {
        Message {
            id: MessageId::from_bytes([1; 12]),
            seq: 7,
            sender: UserId::from_bytes([2; 12]),
            receiver: UserId::from_bytes([3; 12]),
            text: "a \"quote\"\n\u{1f600}".into(),
            timestamp: Timestamp::from_millis(1_795_341_600_000),
            delivered_at: None,
            read_at: None,
            edited_at: None,
            deleted_at: None,
            client_id: None,
            first_text: None,
        }
    }

    #[test]
    fn a_message_is_written_as_the_contract_says() {
        let mut out = Vec::new();
        write_message(&mut out, &message());
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"{"id":"010101010101010101010101","senderId":"020202020202020202020202","receiverId":"030303030303030303030303","message":"a \"quote\"\n😀","timestamp":"2026-11-22T10:00:00.000Z","isRead":false,"seq":7}"#);
    }

    #[test]
    fn what_is_set_is_written_as_well() {
        let mut out = Vec::new();
        let read_at = Some(Timestamp::from_millis(1_795_341_600_042));
        write_message(&mut out, &Message { read_at, client_id: Some("c-1".into()), ..message() });
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["isRead"], true);
        assert_eq!(value["readAt"], "2026-11-22T10:00:00.042Z");
        assert_eq!(value["clientId"], "c-1");
    }

    #[test]
    fn a_page_of_blocked_users_is_written_as_the_contract_says() {
        let mut out = Vec::new();
        let id = UserId::from_bytes([2; 12]);
        let items = vec![BlockedUser { id, username: "ada".into() }];
        write_blocked(&mut out, &BlockPage { items, next: Some(id) });
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#""blocked":[{"userId":"020202020202020202020202","username":"ada"}],"next":"020202020202020202020202""#);
    }

    #[test]
    fn times_of_one_second_are_written_as_those_of_others() {
        for millis in [0, 7, 999, 1_000, 1_795_341_600_042, 1_795_341_600_999, -1, -62_167_219_200_001, 5] {
            let (mut written, mut printed) = (Vec::new(), Vec::new());
            write_time(&mut written, Timestamp::from_millis(millis));
            print_time(&mut printed, millis);
            assert_eq!(written.strip_prefix(b"\"").unwrap().strip_suffix(b"\"").unwrap(), printed);
        }
    }

    #[test]
    fn a_time_that_no_calendar_has_is_written_as_the_nearest() {
        let mut out = Vec::new();
        write_time(&mut out, Timestamp::from_millis(i64::MAX));
        assert!(out.starts_with(b"\"9999-"), "{}", String::from_utf8_lossy(&out));
    }
}
