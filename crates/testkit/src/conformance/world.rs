//! Short hands for the tests of the suite.

use std::{
    sync::{Arc, Barrier},
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use chat_ports::{
    AppendError, Appended, ConversationQuery, HistoryAnchor, HistoryQuery, NewMessage, Receipt, ReceiptKind,
    ReceiptSpan,
    model::{
        ConversationCursor, ConversationEntry, ConversationId, Message, MessageId, Page, Timestamp, User,
        UserId,
    },
};
use futures_executor::block_on;

use crate::{Fixture, SequentialIds, build};

/// Far enough for a slow machine under load.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store with some users, and ids and times to go on with.
pub(crate) struct World {
    pub(crate) fixture: Fixture,
    pub(crate) ids: SequentialIds,
}

impl World {
    pub(crate) fn new(fixture: Fixture) -> Self {
        Self { fixture, ids: SequentialIds::new() }
    }

    /// A store with as many users as are asked for.
    pub(crate) fn with_users<const N: usize>(fixture: Fixture) -> (Self, [UserId; N]) {
        let world = Self::new(fixture);
        let users = std::array::from_fn(|number| world.user(&format!("user{number}")).id);
        (world, users)
    }

    /// The same after a restart; `None` where the store keeps nothing.
    pub(crate) fn restarted(self) -> Option<Self> {
        Some(Self { fixture: self.fixture.restarted()?, ids: self.ids })
    }

    pub(crate) fn user(&self, name: &str) -> User {
        block_on(self.fixture.ports.users.insert(build::new_user(self.ids.user(), name))).unwrap()
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.fixture.clock.instant() + PATIENCE
    }

    pub(crate) fn past(&self) -> Instant {
        self.fixture.clock.instant() - Duration::from_millis(1)
    }

    /// A message that was not yet sent, at a time of its own.
    pub(crate) fn message(&self, sender: UserId, receiver: UserId, text: &str) -> NewMessage {
        let id = self.ids.message();
        let [.., last] = id.bytes();
        NewMessage {
            id,
            sender,
            receiver,
            text: build::text(text),
            timestamp: Timestamp::from_millis(10_000 + i64::from(last)),
            client_id: None,
            deadline: self.deadline(),
            except: None,
        }
    }

    /// The same with a client's own name for it.
    pub(crate) fn named(&self, sender: UserId, receiver: UserId, text: &str, name: &str) -> NewMessage {
        NewMessage { client_id: Some(build::client_id(name)), ..self.message(sender, receiver, text) }
    }

    pub(crate) fn append(&self, message: NewMessage) -> Result<Appended, AppendError> {
        block_on(self.fixture.ports.log.append(message))
    }

    /// Sends a text that is new.
    pub(crate) fn send(&self, sender: UserId, receiver: UserId, text: &str) -> Arc<Message> {
        let appended = self.append(self.message(sender, receiver, text)).unwrap();
        assert!(!appended.repeated);
        appended.message
    }

    pub(crate) fn reading(&self, reader: UserId, message: &Message, at: i64) -> Receipt {
        Receipt {
            kind: ReceiptKind::Read,
            receiver: reader,
            message: message.id,
            at: Timestamp::from_millis(at),
            max_ids: 100,
            deadline: self.deadline(),
            except: None,
        }
    }

    pub(crate) fn mark_read(&self, reading: Receipt) -> Option<ReceiptSpan> {
        block_on(self.fixture.ports.log.receipt(reading)).unwrap()
    }

    /// Reads up to a message of the other side.
    pub(crate) fn read(&self, reader: UserId, message: &Message, at: i64) -> ReceiptSpan {
        self.mark_read(self.reading(reader, message, at)).unwrap()
    }

    pub(crate) fn find(&self, message: &Message) -> Arc<Message> {
        block_on(self.fixture.ports.messages.find(message.id)).unwrap().unwrap()
    }

    pub(crate) fn page(&self, a: UserId, b: UserId, anchor: HistoryAnchor, limit: u32) -> Page<Arc<Message>> {
        let conversation = ConversationId::between(a, b);
        self.history(HistoryQuery { conversation, anchor, limit, max_bytes: usize::MAX })
    }

    pub(crate) fn history(&self, query: HistoryQuery) -> Page<Arc<Message>> {
        block_on(self.fixture.ports.messages.history(query)).unwrap()
    }

    /// Everything that two users wrote to each other.
    pub(crate) fn all(&self, a: UserId, b: UserId) -> Vec<Arc<Message>> {
        let page = self.page(a, b, HistoryAnchor::After(0), 10_000);
        assert!(!page.more);
        page.items
    }

    pub(crate) fn conversations(
        &self,
        user: UserId,
        after: Option<ConversationCursor>,
        limit: u32,
    ) -> Page<ConversationEntry> {
        let query = ConversationQuery { user, after, limit, max_unread: 100 };
        block_on(self.fixture.ports.conversations.list(query)).unwrap()
    }

    /// Asserts that a conversation holds these messages, numbered 1, 2, 3 …
    pub(crate) fn assert_gap_free(&self, a: UserId, b: UserId, count: usize) {
        let seqs: Vec<u64> = self.all(a, b).iter().map(|message| message.seq).collect();
        assert_eq!(seqs, (1..=count as u64).collect::<Vec<_>>());
    }
}

/// Runs this on as many threads at once, each with its number, and gathers the answers.
pub(crate) fn at_once<T: Send>(threads: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let spawn = |number| {
            let (start, run) = (&start, &run);
            scope.spawn(move || {
                start.wait();
                run(number)
            })
        };
        let running: Vec<_> = (0..threads).map(spawn).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// A future that was polled once.
pub(crate) enum Begun<F: Future> {
    Pending(F),
    Ready(F::Output),
}

/// Polls a future once, so that it takes its place in the store's queue.
pub(crate) fn begin<F: Future + Unpin>(mut future: F) -> Begun<F> {
    match std::pin::Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Begun::Ready(output),
        Poll::Pending => Begun::Pending(future),
    }
}

impl<F: Future> Begun<F> {
    pub(crate) fn finish(self) -> F::Output {
        match self {
            Self::Pending(future) => block_on(future),
            Self::Ready(output) => output,
        }
    }
}

/// The id of each message.
pub(crate) fn ids(messages: &[Arc<Message>]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

/// The `seq` of each message.
pub(crate) fn seqs(messages: &[Arc<Message>]) -> Vec<u64> {
    messages.iter().map(|message| message.seq).collect()
}
