//! Cursors of lists: opaque to clients, base64url of the position.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chat_domain::model::{ConversationCursor, InvalidInput, MessageId, Timestamp, UserCursor, UserId};

fn broken() -> InvalidInput {
    InvalidInput::new("after", "is not a cursor of this list; start over without it")
}

/// Writes a position in the list of users.
pub(crate) fn user_cursor(cursor: &UserCursor) -> String {
    let mut bytes = cursor.id.bytes().to_vec();
    bytes.extend_from_slice(cursor.folded.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a position in the list of users.
pub(crate) fn parse_user_cursor(text: &str) -> Result<UserCursor, InvalidInput> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_not_base64| broken())?;
    let (id, folded) = bytes.split_first_chunk::<12>().ok_or_else(broken)?;
    let folded = std::str::from_utf8(folded).map_err(|_not_utf8| broken())?;
    Ok(UserCursor { folded: folded.to_owned(), id: UserId::from_bytes(*id) })
}

/// Writes a position in a list of conversations.
pub(crate) fn conversation_cursor(cursor: ConversationCursor) -> String {
    let mut bytes = cursor.message.bytes().to_vec();
    bytes.extend_from_slice(&cursor.timestamp.millis().to_be_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a position in a list of conversations.
pub(crate) fn parse_conversation_cursor(text: &str) -> Result<ConversationCursor, InvalidInput> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_not_base64| broken())?;
    let (id, millis) = bytes.split_first_chunk::<12>().ok_or_else(broken)?;
    let millis: [u8; 8] = millis.try_into().map_err(|_wrong_length| broken())?;
    Ok(ConversationCursor {
        timestamp: Timestamp::from_millis(i64::from_be_bytes(millis)),
        message: MessageId::from_bytes(*id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_went() {
        let user = UserCursor { folded: "élan.x".into(), id: UserId::from_bytes([9; 12]) };
        assert_eq!(parse_user_cursor(&user_cursor(&user)).unwrap(), user);
        let conversation = ConversationCursor {
            timestamp: Timestamp::from_millis(-5),
            message: MessageId::from_bytes([7; 12]),
        };
        assert_eq!(parse_conversation_cursor(&conversation_cursor(conversation)).unwrap(), conversation);
    }

    #[test]
    fn rubbish_is_no_cursor() {
        for text in ["", "!", "AAAA", "é", "AAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(parse_conversation_cursor(text).is_err(), "{text}");
        }
        assert!(parse_user_cursor("AAAA").is_err());
    }
}
