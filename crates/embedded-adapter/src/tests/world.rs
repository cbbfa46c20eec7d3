//! A store in a temporary folder, with users and a clock that stands still.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chat_ports::{
    AppendError, Appended, Changes, ChangesQuery, Clock, CommitListener, ConversationQuery, Conversations,
    Delete, Edit, HistoryAnchor, HistoryQuery, MessageLog, Messages, NewMessage, Receipt, ReceiptKind,
    ReceiptSpan, StoreError, SyncPosition, Users,
    model::{ClientId, ConversationEntry, ConversationId, Message, MessageId, Timestamp, UserId},
};
use chat_testkit::{ManualClock, RecordingListener, build};
use futures_executor::block_on;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{Options, Store, job::Job, verify};

/// A store in a temporary folder.
pub(super) struct World {
    pub(super) store: Arc<Store>,
    pub(super) commits: Arc<RecordingListener>,
    pub(super) clock: ManualClock,
    pub(super) dir: TempDir,
    options: Options,
    ids: AtomicU32,
}

/// A user by number.
pub(super) fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 12])
}

impl World {
    pub(super) fn new(shape: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(dir.path());
        shape(&mut options);
        let (clock, commits) = (ManualClock::new(), RecordingListener::new());
        let store = open(&options, &clock, &commits);
        Self { store, commits, clock, dir, options, ids: AtomicU32::new(1) }
    }

    /// The same store after a restart.
    pub(super) fn reopened(mut self) -> Self {
        self.store.close();
        self.store = open(&self.options, &self.clock, &self.commits);
        self
    }

    /// The same store after something was done to its files.
    pub(super) fn reopened_after(mut self, change: impl FnOnce(&Path)) -> Self {
        self.store.close();
        change(self.dir.path());
        self.store = open(&self.options, &self.clock, &self.commits);
        self
    }

    pub(super) fn message(&self, from: u8, to: u8, client_id: Option<&str>) -> NewMessage {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let mut id = [0; 12];
        id[8..].copy_from_slice(&number.to_be_bytes());
        NewMessage {
            id: MessageId::from_bytes(id),
            sender: user(from),
            receiver: user(to),
            text: build::text(&format!("message {number}")),
            timestamp: Timestamp::from_millis(1_000_000 + i64::from(number)),
            client_id: client_id.map(|name: &str| -> ClientId { build::client_id(name) }),
            deadline: self.clock.instant() + Duration::from_secs(5),
            except: None,
        }
    }

    pub(super) fn send_text(&self, from: u8, to: u8, text: &str) -> Arc<Message> {
        let new = NewMessage { text: build::text(text), ..self.message(from, to, None) };
        block_on(self.store.append(new)).unwrap().message
    }

    pub(super) fn try_send(&self, from: u8, to: u8) -> Result<Appended, AppendError> {
        block_on(self.store.append(self.message(from, to, None)))
    }

    pub(super) fn send(&self, from: u8, to: u8) -> Arc<Message> {
        self.try_send(from, to).unwrap().message
    }

    pub(super) fn read(&self, reader: u8, message: &Message) -> Option<ReceiptSpan> {
        self.read_at(reader, message, 2_000_000)
    }

    /// What a user missed since a position, in pages of this many.
    pub(super) fn missed(&self, me: u8, since: &SyncPosition, limit: u32) -> Vec<Arc<Message>> {
        let (mut all, mut since) = (Vec::new(), since.clone());
        loop {
            let query = ChangesQuery { user: user(me), since, limit, max_bytes: 60 };
            let page = block_on(self.store.changes(query)).unwrap();
            all.extend(page.messages);
            since = page.position;
            if page.complete {
                return all;
            }
        }
    }

    pub(super) fn position(&self) -> SyncPosition {
        block_on(self.store.position()).unwrap()
    }

    pub(super) fn edit(&self, message: &Message, text: &str, at: i64) -> Option<Arc<Message>> {
        let (text, at) = (build::text(text), Timestamp::from_millis(at));
        let deadline = self.clock.instant() + Duration::from_secs(5);
        block_on(self.store.edit(Edit { message: message.id, text, at, deadline })).unwrap()
    }

    pub(super) fn delete(&self, message: &Message, at: i64) -> Option<Arc<Message>> {
        let at = Timestamp::from_millis(at);
        let deadline = self.clock.instant() + Duration::from_secs(5);
        block_on(self.store.delete(Delete { message: message.id, at, deadline })).unwrap()
    }

    pub(super) fn read_at(&self, reader: u8, message: &Message, at: i64) -> Option<ReceiptSpan> {
        self.receipt_at(ReceiptKind::Read, reader, message, at)
    }

    pub(super) fn deliver_at(&self, receiver: u8, message: &Message, at: i64) -> Option<ReceiptSpan> {
        self.receipt_at(ReceiptKind::Delivered, receiver, message, at)
    }

    fn receipt_at(&self, kind: ReceiptKind, reader: u8, message: &Message, at: i64) -> Option<ReceiptSpan> {
        let receipt = Receipt {
            kind,
            receiver: user(reader),
            message: message.id,
            at: Timestamp::from_millis(at),
            max_ids: 100,
            deadline: self.clock.instant() + Duration::from_secs(5),
            except: None,
        };
        block_on(self.store.receipt(receipt)).unwrap()
    }

    pub(super) fn page(&self, a: u8, b: u8, anchor: HistoryAnchor, limit: u32) -> (Vec<Arc<Message>>, bool) {
        let conversation = ConversationId::between(user(a), user(b));
        let query = HistoryQuery { conversation, anchor, limit, max_bytes: usize::MAX };
        let page = block_on(self.store.history(query)).unwrap();
        (page.items, page.more)
    }

    pub(super) fn all(&self, a: u8, b: u8) -> Vec<Arc<Message>> {
        self.page(a, b, HistoryAnchor::After(0), u32::MAX).0
    }

    pub(super) fn list(&self, of: u8) -> Vec<ConversationEntry> {
        let query = ConversationQuery { user: user(of), after: None, limit: 1_000, max_unread: 100 };
        block_on(Conversations::list(&*self.store, query)).unwrap().items
    }

    pub(super) fn add_user(&self, name: &str, number: u8) {
        block_on(self.store.insert(build::new_user(user(number), name))).unwrap();
    }

    /// Does something on the writer's connection, before the next job.
    pub(super) fn tamper(&self, with: impl FnOnce(&Connection) + Send + 'static) {
        self.store.shared().queue.push_note(Job::Tamper(Box::new(with)));
    }

    /// Waits until memory is empty: everything is swept.
    pub(super) fn swept(&self) {
        wait_until(|| self.store.shared().overlay.size() == (0, 0));
    }

    /// Closes, and checks that the files agree with each other.
    pub(super) fn assert_consistent(&self) {
        self.store.close();
        assert_eq!(verify(self.dir.path()).unwrap(), Vec::<String>::new());
    }

    pub(super) fn file(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }
}

fn open(options: &Options, clock: &ManualClock, commits: &Arc<RecordingListener>) -> Arc<Store> {
    let listener: Arc<dyn CommitListener> = commits.clone();
    Arc::new(Store::open(options.clone(), Arc::new(clock.clone()), listener).unwrap())
}

/// Waits for another thread to get somewhere.
pub(super) fn wait_until(done: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if done() {
            return;
        }
        std::thread::park_timeout(Duration::from_micros(200));
    }
    panic!("it does not happen");
}

pub(super) fn assert_gap_free(messages: &[Arc<Message>]) {
    let numbers: Vec<u64> = messages.iter().map(|message| message.seq).collect();
    assert_eq!(numbers, (1..=messages.len() as u64).collect::<Vec<_>>());
}

pub(super) fn assert_unavailable(result: Result<Appended, AppendError>) {
    assert!(matches!(result, Err(AppendError::Store(StoreError::Unavailable(_)))), "{result:?}");
}

pub(super) fn exists(store: &Store, name: &str) -> bool {
    let login = chat_ports::Login::Username(name.into());
    block_on(store.find_by_login(login)).unwrap().is_some()
}

pub(super) fn found(store: &Store, id: MessageId) -> Option<Arc<Message>> {
    block_on(Messages::find(store, id)).unwrap()
}
