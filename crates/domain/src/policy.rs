//! Rules of the chat as pure functions: facts in, decision out.

use std::time::Duration;

use chat_ports::model::{InvalidInput, Limits, Message, Timestamp, UserId};

use crate::ChatError;

const BLOCKED: &str = "You and this user can't write to each other: one of you has blocked the other.";
const TOO_OLD: &str = "This message is too old to be edited.";

/// Nobody writes to themselves, or types to themselves.
pub(crate) fn addressee(sender: UserId, receiver: UserId) -> Result<(), InvalidInput> {
    if sender == receiver {
        return Err(InvalidInput::new("receiverId", "must be somebody else"));
    }
    Ok(())
}

/// Where one blocks the other, neither writes.
pub(crate) const fn may_write(blocked: bool) -> Result<(), ChatError> {
    if blocked { Err(ChatError::Forbidden(BLOCKED)) } else { Ok(()) }
}

/// A message may be edited for some time after it was sent.
pub(crate) fn may_edit(message: &Message, now: Timestamp, window: Duration) -> Result<(), ChatError> {
    let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    if now.millis().saturating_sub(message.timestamp.millis()) > window {
        return Err(ChatError::Forbidden(TOO_OLD));
    }
    Ok(())
}

/// How many items a page has: what the client asks for, within the limits.
pub(crate) fn page_items(asked: Option<u32>, limits: &Limits) -> Result<u32, InvalidInput> {
    let asked = asked.unwrap_or(limits.default_page_items);
    if !(1..=limits.max_page_items).contains(&asked) {
        return Err(InvalidInput::new("limit", format!("must be 1 to {}", limits.max_page_items)));
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_their_own_addressee() {
        let (a, b) = (UserId::from_bytes([1; 12]), UserId::from_bytes([2; 12]));
        assert_eq!(addressee(a, b), Ok(()));
        assert_eq!(addressee(a, a).unwrap_err().field, "receiverId");
    }

    #[test]
    fn a_page_has_the_default_or_what_was_asked_and_never_more_than_the_limit() {
        let limits = Limits::default();
        for (asked, items) in [(None, 50), (Some(1), 1), (Some(100), 100)] {
            assert_eq!(page_items(asked, &limits), Ok(items));
        }
        for asked in [0, 101, u32::MAX] {
            let refusal = page_items(Some(asked), &limits).unwrap_err();
            assert_eq!(refusal.to_string(), "limit: must be 1 to 100");
        }
    }
}
