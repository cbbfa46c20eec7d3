//! Encodes server events, each once. Those of what is stored are open: a number may follow.

use bytes::Bytes;
use chat_domain::model::{Message, MessageId, SocketId, UserId};

use crate::wire::{event, open_event, write_id, write_message, write_string};

/// `private_message`
pub(crate) fn message(message: &Message) -> Vec<u8> {
    open_event("private_message", |out| write_message(out, message))
}

/// `message_edited`
pub(super) fn edited(message: &Message) -> Vec<u8> {
    open_event("message_edited", |out| write_message(out, message))
}

/// `message_deleted`
pub(super) fn deleted(message: MessageId) -> Vec<u8> {
    named("message_deleted", message)
}

/// `message_delivered`
pub(super) fn delivered(message: MessageId) -> Vec<u8> {
    named("message_delivered", message)
}

/// `message_read`
pub(super) fn read(message: MessageId) -> Vec<u8> {
    named("message_read", message)
}

/// An event that names a message.
fn named(name: &str, message: MessageId) -> Vec<u8> {
    open_event(name, |out| {
        out.extend_from_slice(b"{\"messageId\":");
        write_id(out, message.0);
        out.push(b'}');
    })
}

/// `typing`
pub(super) fn typing(sender: UserId, username: &str, is_typing: bool) -> Bytes {
    event("typing", |out| {
        out.extend_from_slice(b"{\"senderId\":");
        write_id(out, sender.0);
        out.extend_from_slice(b",\"username\":");
        write_string(out, username);
        out.extend_from_slice(if is_typing { b",\"isTyping\":true}" } else { b",\"isTyping\":false}" });
    })
}

/// `user_online` or `user_offline`
pub(super) fn presence(name: &str, user: UserId, username: &str) -> Bytes {
    event(name, |out| {
        write_user(out, user, username);
        out.push(b'}');
    })
}

/// One entry of `online_users`.
pub(super) fn online_entry(user: UserId, username: &str, socket: &SocketId) -> Box<[u8]> {
    let mut out = Vec::with_capacity(112);
    write_user(&mut out, user, username);
    out.extend_from_slice(b",\"socketId\":");
    write_string(&mut out, socket.as_str());
    out.push(b'}');
    out.into_boxed_slice()
}

fn write_user(out: &mut Vec<u8>, user: UserId, username: &str) {
    out.extend_from_slice(b"{\"userId\":");
    write_id(out, user.0);
    out.extend_from_slice(b",\"username\":");
    write_string(out, username);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_written_as_the_contract_says() {
        let user = UserId::from_bytes([0xab; 12]);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        insta::assert_snapshot!(
            text(&typing(user, "ada", true)),
            @r#"42["typing",{"senderId":"abababababababababababab","username":"ada","isTyping":true}]"#
        );
        insta::assert_snapshot!(
            text(&presence("user_online", user, "ada")),
            @r#"42["user_online",{"userId":"abababababababababababab","username":"ada"}]"#
        );
        insta::assert_snapshot!(
            text(&read(MessageId::from_bytes([1; 12]))),
            @r#"42["message_read",{"messageId":"010101010101010101010101"}]"#
        );
        insta::assert_snapshot!(
            text(&delivered(MessageId::from_bytes([1; 12]))),
            @r#"42["message_delivered",{"messageId":"010101010101010101010101"}]"#
        );
        insta::assert_snapshot!(
            text(&deleted(MessageId::from_bytes([1; 12]))),
            @r#"42["message_deleted",{"messageId":"010101010101010101010101"}]"#
        );
        let entry = online_entry(user, "ada", &SocketId::new("s1"));
        insta::assert_snapshot!(
            String::from_utf8(entry.to_vec()).unwrap(),
            @r#"{"userId":"abababababababababababab","username":"ada","socketId":"s1"}"#
        );
    }
}
