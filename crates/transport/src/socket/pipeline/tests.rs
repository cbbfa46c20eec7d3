//! The pipeline on a log whose writes hang until they are released.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    task::{Wake, Waker},
    time::Duration,
};

use async_trait::async_trait;
use chat_domain::{
    ChatSettings, Deps,
    model::{Limits, MessageId, MessageText, Timestamp},
    ports::{
        AppendError, Clock, CommitListener, Delete, Edit, IdSource, MessageLog, NewMessage, Receipt,
        ReceiptKind, ReceiptSpan, Users,
    },
};
use chat_testkit::{
    FakeHasher, FakeSeals, FakeTokens, ManualClock, MemoryStore, RecordingBus, RecordingListener,
    SequentialIds, build,
};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::*;

/// A log whose writes hang until they are released, on top of one that works.
struct Held {
    store: Arc<MemoryStore>,
    held: Mutex<VecDeque<oneshot::Sender<()>>>,
}

impl Held {
    async fn turn(&self) {
        let (release, released) = oneshot::channel();
        self.held.lock().push_back(release);
        let _released = released.await;
    }

    fn release(&self, count: usize) {
        for release in self.held.lock().drain(..count) {
            let _heard = release.send(());
        }
    }

    fn held(&self) -> usize {
        self.held.lock().len()
    }
}

#[async_trait]
impl MessageLog for Held {
    async fn append(&self, message: NewMessage) -> Result<Appended, AppendError> {
        self.turn().await;
        self.store.append(message).await
    }

    async fn receipt(&self, reading: Receipt) -> Result<Option<ReceiptSpan>, StoreError> {
        self.turn().await;
        self.store.receipt(reading).await
    }

    async fn edit(&self, edit: Edit) -> Result<Option<Arc<Message>>, StoreError> {
        self.turn().await;
        self.store.edit(edit).await
    }

    async fn delete(&self, delete: Delete) -> Result<Option<Arc<Message>>, StoreError> {
        self.turn().await;
        self.store.delete(delete).await
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Bench {
    chat: Arc<Chat>,
    log: Arc<Held>,
    clock: Arc<ManualClock>,
    asker: Asker,
    other: UserId,
    pipeline: Pipeline,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new());
        let listener: Arc<dyn CommitListener> = RecordingListener::new();
        let store = MemoryStore::new(clock.clone(), listener);
        let log = Arc::new(Held { store: store.clone(), held: Mutex::default() });
        let ids = Arc::new(SequentialIds::new());
        let (me, other) = (ids.user(), ids.user());
        for (id, name) in [(me, "ada"), (other, "bob")] {
            let inserting = store.insert(build::new_user(id, name));
            assert!(futures_util::FutureExt::now_or_never(inserting).is_some_and(|user| user.is_ok()));
        }
        let chat = Chat::new(Deps {
            users: store.clone(),
            log: log.clone(),
            messages: store.clone(),
            conversations: store.clone(),
            changes: store.clone(),
            replays: None,
            blocks: store,
            passwords: Arc::new(FakeHasher),
            tokens: Arc::new(FakeTokens),
            seals: Arc::new(FakeSeals),
            bus: RecordingBus::new(),
            clock: clock.clone(),
            ids: ids as Arc<dyn IdSource>,
            limits: Limits::default(),
            settings: ChatSettings::default(),
        });
        let identity =
            Identity { user: me, username: "ada".into(), expires_at: Timestamp::from_millis(i64::MAX) };
        let asker = Asker { identity: Arc::new(identity), socket: SocketId::new("s") };
        Self { chat: Arc::new(chat), log, clock, asker, other, pipeline: Pipeline::new(4) }
    }

    fn send(&mut self, number: u64) {
        let text = MessageText::parse(format!("m{number}"), &Limits::default()).unwrap();
        let request = SendRequest { receiver: self.other, text, client_id: None };
        self.push(Work::Send(request, self.asker.clone()), number);
    }

    fn read(&mut self, number: u64) {
        let message = MessageId::from_bytes([9; 12]);
        self.push(
            Work::Other(OtherRequest::Receipt { kind: ReceiptKind::Read, message }, self.asker.clone()),
            number,
        );
    }

    fn push(&mut self, work: Work, number: u64) {
        let deadline = self.clock.instant() + Duration::from_secs(5);
        self.pipeline.push(work, Some(AckId(number)), 0, deadline);
    }

    /// The numbers of what is answered now, and how.
    fn answered(&mut self) -> Vec<(u64, &'static str)> {
        self.answered_to(Waker::noop())
    }

    fn answered_to(&mut self, waker: &Waker) -> Vec<(u64, &'static str)> {
        let mut cx = Context::from_waker(waker);
        let mut answers = Vec::new();
        while let Poll::Ready(done) = self.pipeline.poll(&self.chat, self.clock.instant(), &mut cx) {
            let word = match &done.outcome {
                Outcome::Sent(_) => "sent",
                Outcome::Failed(error) => error.code().as_str(),
                Outcome::Refused(_) => "refused",
                Outcome::Authenticated(_)
                | Outcome::Done
                | Outcome::Marked(_)
                | Outcome::Edited(_)
                | Outcome::Synced(_)
                | Outcome::History(..)
                | Outcome::Blocked(_)
                | Outcome::Conversations(_) => "done",
            };
            answers.push((done.ack.map_or(0, |ack| ack.0), word));
        }
        answers
    }
}

#[test]
fn sends_go_to_the_store_beside_each_other_and_are_answered_in_order() {
    let mut bench = Bench::new();
    (1..=3).for_each(|number| bench.send(number));
    assert_eq!(bench.answered(), []);
    assert_eq!(bench.log.held(), 3);
    bench.log.held.lock().swap(0, 2);
    bench.log.release(1);
    assert_eq!(bench.answered(), [], "the third is stored, and waits for the first to be answered");
    bench.log.release(2);
    assert_eq!(bench.answered(), [(1, "sent"), (2, "sent"), (3, "sent")]);
    assert!(bench.pipeline.is_empty());
}

#[test]
fn a_failure_that_is_known_at_once_waits_its_turn() {
    let mut bench = Bench::new();
    bench.send(1);
    let deadline = bench.clock.instant() + Duration::from_secs(5);
    let failure = Outcome::Failed(ChatError::invalid("message", "is wrong"));
    bench.pipeline.push_done(failure, Some(AckId(2)), 0, deadline);
    assert_eq!(bench.answered(), []);
    bench.log.release(1);
    assert_eq!(bench.answered(), [(1, "sent"), (2, "invalid_input")]);
}

#[test]
fn a_reading_waits_until_what_came_before_it_is_done() {
    let mut bench = Bench::new();
    bench.send(1);
    bench.read(2);
    bench.send(3);
    assert_eq!(bench.answered(), []);
    assert_eq!(bench.log.held(), 1);
    bench.log.release(1);
    assert_eq!(bench.answered(), [(1, "sent")]);
    assert_eq!(bench.log.held(), 2, "the reading, and the send behind it");
    bench.log.release(2);
    assert_eq!(bench.answered(), [(2, "not_found"), (3, "sent")]);
}

#[test]
fn no_more_than_the_bound_are_on_their_way_at_once() {
    let mut bench = Bench::new();
    (1..=6).for_each(|number| bench.send(number));
    bench.answered();
    assert_eq!(bench.log.held(), 4);
    bench.log.release(1);
    assert_eq!(bench.answered(), [(1, "sent")]);
    assert_eq!(bench.log.held(), 4);
}

#[test]
fn what_is_not_done_by_its_deadline_is_answered_unavailable() {
    let mut bench = Bench::new();
    bench.send(1);
    bench.read(2);
    bench.answered();
    bench.clock.advance(Duration::from_secs(2));
    bench.send(3);
    bench.clock.advance(Duration::from_secs(3));
    assert_eq!(bench.answered(), [(1, "unavailable"), (2, "unavailable")]);
    assert_eq!(bench.pipeline.deadline(), Some(bench.clock.instant() + Duration::from_secs(2)));
}

#[test]
fn a_new_driver_is_woken_by_what_an_old_one_began() {
    let mut bench = Bench::new();
    bench.send(1);
    bench.send(2);
    bench.answered();
    let wakes = Arc::new(Wakes::default());
    bench.pipeline.hand_over();
    bench.answered_to(&Waker::from(Arc::clone(&wakes)));
    bench.log.release(2);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
}
