//! Tests of the writer's decisions: by table, and against a simulated server.

mod outcomes;
mod server;
mod simulation;

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use chat_ports::{
    AppendError, Appended, Clock, NewMessage,
    model::{Timestamp, UserId},
};
use chat_testkit::{ManualClock, SequentialIds, build};
use tokio::sync::oneshot;

use super::{
    core::{Bounds, Core},
    queue::{Job, Queue},
};
use crate::{MongoUri, Options};

pub(super) type Answered = oneshot::Receiver<Result<Appended, AppendError>>;

/// A moment from which all tests count: only differences matter.
static START: LazyLock<Instant> = LazyLock::new(|| ManualClock::new().instant());

/// So many milliseconds after the start.
pub(super) fn at(millis: u64) -> Instant {
    *START + Duration::from_millis(millis)
}

pub(super) fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 12])
}

/// A message from one user to another, with a minute to go.
pub(super) fn new_message(ids: &SequentialIds, text: &str) -> NewMessage {
    NewMessage {
        id: ids.message(),
        sender: user(1),
        receiver: user(2),
        text: build::text(text),
        timestamp: Timestamp::from_millis(1_000),
        client_id: None,
        deadline: at(60_000),
        except: None,
    }
}

/// The same with a client's own name for it.
pub(super) fn named(ids: &SequentialIds, text: &str, name: &str) -> NewMessage {
    NewMessage { client_id: Some(build::client_id(name)), ..new_message(ids, text) }
}

pub(super) fn core(shape: impl FnOnce(&mut Bounds)) -> Core {
    let mut bounds =
        Bounds { batch_entries: 100, batch_bytes: 1 << 20, doubtful_entries: 100, cached_conversations: 100 };
    shape(&mut bounds);
    Core::new(bounds)
}

/// A queue with room, to make jobs.
pub(super) fn queue() -> Queue {
    Queue::new(&Options::new(MongoUri::parse("mongodb://localhost/chat").unwrap()))
}

/// Hands a send over, as the queue would.
pub(super) fn send(core: &mut Core, queue: &Queue, message: NewMessage) -> Answered {
    let answer = queue.push(message).unwrap();
    queue.take().into_iter().for_each(|job: Job| core.accept(job));
    answer
}
