//! Tests that reach inside: what fails, what is damaged, what is swept when.

mod damage;
mod erasing;
mod failures;
mod folder;
mod moving;
mod overlay;
mod recovery;
mod replay;
mod starts;
mod upgrade;
mod world;

use chat_ports::model::{Message, MessageId, Timestamp, UserId};

/// A message that was delivered and read then, if it was.
pub(crate) fn message_read_at(at: Option<Timestamp>) -> Message {
    Message {
        id: MessageId::from_bytes([0; 12]),
        seq: 1,
        sender: UserId::from_bytes([1; 12]),
        receiver: UserId::from_bytes([2; 12]),
        text: "hello".to_owned(),
        timestamp: Timestamp::from_millis(1),
        delivered_at: at,
        read_at: at,
        edited_at: None,
        deleted_at: None,
        client_id: None,
        first_text: None,
    }
}
