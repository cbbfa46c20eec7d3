//! A store on a database that an older application has filled, and goes on writing to.

use std::sync::Arc;

use chat_mongo_adapter::Store;
use chat_mongo_testkit::TestDatabase;
use chat_ports::{
    ConversationQuery, Conversations, HistoryAnchor, HistoryQuery, Messages, Users,
    model::{ConversationId, MessageId, UserId},
};
use chat_testkit::{ManualClock, RecordingListener};
use futures_executor::block_on;

use super::old::{account, apply, has_line, id, insert, message, options, user};

pub(crate) fn open(database: &TestDatabase) -> Arc<Store> {
    let store =
        Store::open(options(database.uri()), Arc::new(ManualClock::new()), RecordingListener::new()).unwrap();
    block_on(store.ready()).unwrap();
    store
}

fn texts(store: &Store, a: UserId, b: UserId) -> Vec<String> {
    let query = HistoryQuery {
        conversation: ConversationId::between(a, b),
        anchor: HistoryAnchor::Newest { skip: 0 },
        limit: 100,
        max_bytes: usize::MAX,
    };
    let page = block_on(store.history(query)).unwrap();
    page.items.iter().map(|message| message.text.clone()).collect()
}

#[test]
fn a_store_takes_an_older_database_over_when_it_is_opened() {
    let database = TestDatabase::new();
    let (a, b) = (user(1), user(2));
    let mut read = message(id(50, 1), a, b, "one", 1_000);
    read.insert("isRead", true);
    insert(&database, "users", vec![account(a, "Anna", "a@example.org"), account(b, "Bob", "b@example.org")]);
    insert(&database, "messages", vec![read, message(id(50, 2), a, b, "two", 2_000)]);
    let store = open(&database);
    let [a, b] = [a, b].map(|id| UserId::from_bytes(id.bytes()));
    assert_eq!(texts(&store, a, b), ["one", "two"]);
    let query = ConversationQuery { user: b, after: None, limit: 10, max_unread: 100 };
    let [entry] = &block_on(Conversations::list(&*store, query)).unwrap().items[..] else {
        unreachable!("one")
    };
    assert_eq!((entry.other, entry.unread, &*entry.last_message.text), (a, 1, "two"));
    let one = block_on(Messages::find(&*store, MessageId::from_bytes(id(50, 1).bytes()))).unwrap().unwrap();
    assert_eq!(one.read_at, Some(one.timestamp), "read by the older application");
    assert_eq!(block_on(Users::find(&*store, b)).unwrap().unwrap().username, "Bob");
    store.close();
}

#[test]
fn what_the_older_application_writes_meanwhile_breaks_no_read_and_is_taken_in_by_another_run() {
    let database = TestDatabase::new();
    let (a, b) = (user(1), user(2));
    insert(&database, "messages", vec![message(id(50, 1), a, b, "one", 9_000)]);
    let store = open(&database);
    // Earlier by its clock, and an odd one beside it.
    let mut odd = message(id(60, 2), b, a, "odd", 0);
    odd.remove("receiver");
    insert(&database, "messages", vec![message(id(60, 1), b, a, "two", 3_000), odd]);
    let [low, high] = [a, b].map(|id| UserId::from_bytes(id.bytes()));
    assert_eq!(texts(&store, low, high), ["one"]);
    for counter in [1, 2] {
        let found = block_on(Messages::find(&*store, MessageId::from_bytes(id(60, counter).bytes())));
        assert_eq!(found.unwrap(), None);
    }
    assert!(has_line(&apply(&database), "numbered 1 messages"));
    assert_eq!(texts(&store, low, high), ["one", "two"], "after what was numbered before");
    let query = ConversationQuery { user: low, after: None, limit: 10, max_unread: 100 };
    let page = block_on(Conversations::list(&*store, query)).unwrap();
    assert_eq!((&*page.items[0].last_message.text, page.items[0].unread), ("two", 1));
    store.close();
}
