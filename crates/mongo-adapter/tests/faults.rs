//! What the store makes of faults between it and its server: each send is stored once, told once and answered
//! in time.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be made fails its test")]

#[path = "support/node.rs"]
mod support;

#[path = "faults/doubt.rs"]
mod doubt;
#[path = "faults/nodes.rs"]
mod nodes;
#[path = "faults/start.rs"]
mod start;

use std::{
    sync::Arc,
    task::{Context, Waker},
    time::{Duration, Instant},
};

use bson::doc;
use chat_mongo_adapter::{Options, Store};
use chat_mongo_testkit::{Answer, Proxy, TestDatabase, block_on as on_driver, server_address, until};
use chat_ports::{
    AppendError, Clock, Commit, Delete, Edit, MessageLog, Messages, NewMessage, Receipt, StoreError,
    StoreHealth,
};
use chat_testkit::{RecordingListener, SequentialIds, build};
use futures_executor::block_on;
use support::{Node, PATIENCE, SystemClock, options, pair};

/// A store that reaches its server through a proxy.
struct World {
    node: Node,
    proxy: Proxy,
    database: TestDatabase,
}

impl World {
    fn new(shape: impl FnOnce(&mut Options)) -> Self {
        let database = TestDatabase::new();
        let proxy = Proxy::before(server_address());
        let mut options = options(&proxy.uri(database.name()));
        shape(&mut options);
        let node = Node::open(options, &Arc::new(SequentialIds::new()));
        Self { node, proxy, database }
    }

    /// How many messages are stored.
    fn stored(&self) -> u64 {
        let messages = self.database.driver().collection::<bson::Document>("messages");
        on_driver(async move { messages.count_documents(doc! {}).await }).unwrap()
    }
}

fn step_down() -> bson::Document {
    doc! { "ok": 0.0, "code": 10107, "codeName": "NotWritablePrimary", "errmsg": "test" }
}

#[test]
fn whatever_becomes_of_an_insert_its_messages_are_stored_once_told_once_and_acknowledged() {
    let concern = doc! {
        "ok": 1.0, "n": 1,
        "writeConcernError": { "code": 64, "codeName": "WriteConcernFailed", "errmsg": "test" },
    };
    let faults = [
        ("lost on the way", Answer::CutBefore),
        ("carried out, its answer lost", Answer::Cut),
        ("not acknowledged by a majority", Answer::After(concern)),
        ("refused while stepping down", Answer::Instead(step_down())),
        ("carried out while stepping down", Answer::After(step_down())),
    ];
    let world = World::new(|_| {});
    let (a, b) = pair();
    for (round, (name, fault)) in (1..).zip(faults) {
        let before = world.node.send(a, b, "before");
        world.proxy.answer("insert", 1, fault);
        let sent = world.node.send(a, b, name);
        assert_eq!(sent.seq, before.seq + 1, "{name}");
        assert_eq!(world.stored(), 2 * round, "{name}");
        let found = block_on(Messages::find(&*world.node.store, sent.id)).unwrap().unwrap();
        assert_eq!(found, sent, "{name}");
    }
    let told = world.node.told(a, b);
    assert_eq!(told.iter().map(|message| message.seq).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
}

#[test]
fn a_deadline_is_answered_in_time_while_an_operation_hangs_and_what_is_found_later_is_told_then() {
    let world = World::new(|options| options.operation_timeout = Duration::from_secs(2));
    let (a, b) = pair();
    world.node.send(a, b, "before");
    world.proxy.answer("insert", 1, Answer::Swallow);
    let clock = SystemClock(0);
    let begun = clock.instant();
    let named = NewMessage {
        client_id: Some(build::client_id("n1")),
        ..world.node.message(a, b, "hello", Duration::from_millis(400))
    };
    let error = world.node.append(named.clone()).unwrap_err();
    assert!(matches!(error, AppendError::Store(StoreError::Timeout)), "{error}");
    assert!(clock.instant() - begun < Duration::from_millis(1_500), "in time");
    assert_eq!(world.node.told(a, b).len(), 1, "nobody knows yet");
    assert!(until(PATIENCE, || world.node.told(a, b).len() == 2), "found and told");
    let again = NewMessage {
        deadline: clock.instant() + PATIENCE,
        id: world.node.message(a, b, "x", PATIENCE).id,
        ..named
    };
    let repeat = world.node.append(again).unwrap();
    assert!(repeat.repeated);
    assert_eq!((repeat.message.seq, world.stored()), (2, 2));
    assert_eq!(world.node.told(a, b).len(), 2, "once");
}

#[test]
fn a_reading_whose_answer_is_lost_is_counted_and_told_once() {
    let world = World::new(|_| {});
    let (a, b) = pair();
    for fault in [Answer::Cut, Answer::CutBefore, Answer::Instead(step_down())] {
        let sent = [(); 3].map(|()| world.node.send(a, b, "hello"));
        world.proxy.answer("update", 1, fault);
        world.node.commits.take();
        let read = block_on(world.node.store.receipt(world.node.reading(b, &sent[2]))).unwrap().unwrap();
        assert_eq!((read.count, read.messages), (3, sent.map(|message| message.id).to_vec()));
        let told = world.node.commits.take();
        assert!(matches!(told.as_slice(), [Commit::Receipt { .. }]), "{told:?}");
    }
}

#[test]
fn an_edit_and_a_deletion_whose_answers_are_lost_are_told_once() {
    let world = World::new(|_| {});
    let (a, b) = pair();
    for (round, fault) in
        [Answer::Cut, Answer::CutBefore, Answer::Instead(step_down())].into_iter().enumerate()
    {
        let sent = world.node.send(a, b, "hello");
        let Receipt { message, at, deadline, .. } = world.node.reading(b, &sent);
        let text = format!("other {round}");
        world.proxy.answer("update", 1, fault.clone());
        world.node.commits.take();
        let edit = Edit { message, text: build::text(&text), at, deadline };
        let edited = block_on(world.node.store.edit(edit)).unwrap().unwrap();
        assert_eq!((edited.text.as_str(), edited.edited_at), (text.as_str(), Some(at)));
        assert_eq!(world.node.commits.take(), [Commit::Edited { message: edited }]);
        world.proxy.answer("update", 1, fault);
        let deleted = block_on(world.node.store.delete(Delete { message, at, deadline })).unwrap().unwrap();
        assert_eq!(*deleted, sent.tombstone(at));
        assert_eq!(world.node.commits.take(), [Commit::Deleted { message: deleted }]);
    }
}

#[test]
fn a_full_queue_refuses_at_once_and_recovers() {
    let world = World::new(|options| options.queue_entries = 4);
    let (a, b) = pair();
    world.node.send(a, b, "before");
    world.proxy.stall();
    let send = |text| world.node.store.append(world.node.message(a, b, text, PATIENCE));
    let mut waiting: Vec<_> = (0..4).map(|_| send("waits")).collect();
    for send in &mut waiting {
        assert!(send.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let error = block_on(send("one too many")).unwrap_err();
    assert!(error.to_string().contains("queue is full"), "{error}");
    world.proxy.resume();
    for send in waiting {
        block_on(send).unwrap();
    }
    world.node.send(a, b, "after");
    assert_eq!(world.stored(), 6);
}

#[test]
fn changed_at_is_the_primarys_time_and_a_clock_that_is_far_off_is_not_healthy() {
    let database = TestDatabase::new();
    let open = |offset| {
        let (clock, commits) = (Arc::new(SystemClock(offset)), RecordingListener::new());
        let store = Store::open(options(database.uri()), clock, commits).unwrap();
        block_on(store.ready()).unwrap();
        store
    };
    let (a, b) = pair();
    let node = Node::open(options(database.uri()), &Arc::new(SequentialIds::new()));
    block_on(node.store.check()).unwrap();
    let wrong = open(-3_600_000);
    let error = block_on(wrong.check()).unwrap_err();
    assert!(error.to_string().contains("clock"), "{error}");
    let message = node.message(a, b, "hello", PATIENCE);
    let late = Instant::checked_add(&message.deadline, PATIENCE).unwrap();
    let id = block_on(wrong.append(NewMessage { deadline: late, ..message })).unwrap().message.id;
    wrong.close();
    let messages = database.driver().collection::<bson::Document>("messages");
    let oid = bson::oid::ObjectId::from_bytes(id.bytes());
    let stored = on_driver(async move { messages.find_one(doc! { "_id": oid }).await }).unwrap().unwrap();
    let off = stored.get_datetime("changedAt").unwrap().timestamp_millis() - SystemClock(0).now().millis();
    assert!(off.abs() < 60_000, "{off} ms");
}
