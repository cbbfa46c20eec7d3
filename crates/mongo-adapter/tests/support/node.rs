//! What the tests of the store have in common.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chat_mongo_adapter::{MongoUri, Options, Store};
use chat_ports::{
    AppendError, Appended, Clock, MessageLog, NewMessage, Receipt, ReceiptKind,
    model::{ConversationId, Message, Timestamp, UserId},
};
use chat_testkit::{RecordingListener, SequentialIds, build};
use futures_executor::block_on;

/// Far enough for a slow machine under load.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The machine's clocks, set wrong by so many milliseconds.
pub(crate) struct SystemClock(pub(crate) i64);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is a clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX) + self.0)
    }

    #[expect(clippy::disallowed_methods, reason = "this is a clock")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// The defaults for the database at this connection string.
pub(crate) fn options(uri: &str) -> Options {
    Options::new(MongoUri::parse(uri).unwrap())
}

/// A store that works, and what its listener heard.
pub(crate) struct Node {
    pub(crate) store: Arc<Store>,
    pub(crate) commits: Arc<RecordingListener>,
    ids: Arc<SequentialIds>,
}

impl Node {
    /// Opens a store and waits until it works. Nodes of one database share their source of ids.
    pub(crate) fn open(options: Options, ids: &Arc<SequentialIds>) -> Self {
        let node = Self::begin(options, ids);
        block_on(node.store.ready()).unwrap();
        node
    }

    /// Opens a store.
    pub(crate) fn begin(options: Options, ids: &Arc<SequentialIds>) -> Self {
        let commits = RecordingListener::new();
        let store = Store::open(options, Arc::new(SystemClock(0)), commits.clone()).unwrap();
        Self { store, commits, ids: ids.clone() }
    }

    pub(crate) fn message(&self, from: UserId, to: UserId, text: &str, patience: Duration) -> NewMessage {
        NewMessage {
            id: self.ids.message(),
            sender: from,
            receiver: to,
            text: build::text(text),
            timestamp: SystemClock(0).now(),
            client_id: None,
            deadline: SystemClock(0).instant() + patience,
            except: None,
        }
    }

    pub(crate) fn append(&self, message: NewMessage) -> Result<Appended, AppendError> {
        block_on(self.store.append(message))
    }

    pub(crate) fn send(&self, from: UserId, to: UserId, text: &str) -> Arc<Message> {
        self.append(self.message(from, to, text, PATIENCE)).unwrap().message
    }

    pub(crate) fn reading(&self, reader: UserId, message: &Message) -> Receipt {
        Receipt {
            kind: ReceiptKind::Read,
            receiver: reader,
            message: message.id,
            at: SystemClock(0).now(),
            max_ids: 100,
            deadline: SystemClock(0).instant() + PATIENCE,
            except: None,
        }
    }

    /// The texts of a conversation that the listener heard of, in order.
    pub(crate) fn told(&self, a: UserId, b: UserId) -> Vec<Arc<Message>> {
        self.commits.sent(ConversationId::between(a, b))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.store.close();
    }
}

/// Two users.
pub(crate) fn pair() -> (UserId, UserId) {
    (UserId::from_bytes([1; 12]), UserId::from_bytes([2; 12]))
}
