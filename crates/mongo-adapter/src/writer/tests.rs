//! Tests of the writer's decisions.

use std::time::{Duration, Instant};

use chat_ports::{
    Clock, NewMessage,
    model::{Timestamp, UserId},
};
use chat_testkit::{ManualClock, SequentialIds, build};

/// A message from one user to another, with a minute to go.
pub(super) fn new_message(ids: &SequentialIds, text: &str) -> NewMessage {
    NewMessage {
        id: ids.message(),
        sender: UserId::from_bytes([1; 12]),
        receiver: UserId::from_bytes([2; 12]),
        text: build::text(text),
        timestamp: Timestamp::from_millis(1_000),
        client_id: None,
        deadline: soon(),
        except: None,
    }
}

fn soon() -> Instant {
    ManualClock::new().instant() + Duration::from_secs(60)
}
