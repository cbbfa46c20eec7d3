//! The domain's values as devices see them.

use chat_domain::{ChatError, model};
use chat_verify::{Answer, Message, Refusal};

/// A message as a device sees it.
pub(crate) fn message(message: &model::Message) -> Message {
    let model::Message {
        id,
        seq,
        sender,
        receiver,
        text,
        timestamp: _,
        delivered_at,
        read_at,
        edited_at,
        deleted_at,
        client_id,
        first_text: _,
    } = message;
    // As long as each other, so that they are ordered as the times are.
    let time = |at: &model::Timestamp| format!("{:016}", at.millis());
    Message {
        id: id.to_string(),
        seq: *seq,
        sender_id: sender.to_string(),
        receiver_id: receiver.to_string(),
        text: text.clone(),
        is_read: read_at.is_some(),
        client_id: client_id.clone(),
        delivered_at: delivered_at.as_ref().map(time),
        edited_at: edited_at.as_ref().map(time),
        deleted_at: deleted_at.as_ref().map(time),
    }
}

/// A failure as a device sees it.
pub(crate) fn refusal(error: &ChatError) -> Answer {
    let wait = error.retry_after().map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    Answer::Refused(Refusal { code: error.code().as_str().to_owned(), retry_after_ms: wait })
}
