//! The promises of moving, on this store: within a database of its own, as this application makes it.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be made fails its test")]

use std::{sync::Arc, time::Instant};

use bson::{Bson, doc};
use chat_mongo_adapter::{MongoUri, Options, Store};
use chat_mongo_testkit::{TestDatabase, block_on as on_driver};
use chat_ports::{
    Archive, ArchiveError, Clock, Login, TakenField, Users,
    model::{PasswordHash, Timestamp, User, UserId},
};
use chat_testkit::{Fixture, RecordingListener, Reopen, StorePorts};
use futures_executor::block_on;
use parking_lot::Mutex;

/// The machine's clocks: what a store on this server goes by has to be near the server's.
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is a clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
    }

    #[expect(clippy::disallowed_methods, reason = "this is a clock")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

fn open(database: &TestDatabase, commits: &Arc<RecordingListener>) -> Arc<Store> {
    let uri = MongoUri::parse(database.uri()).unwrap();
    let store = Store::open(Options::new(uri), Arc::new(SystemClock), commits.clone()).unwrap();
    block_on(store.ready()).unwrap();
    store
}

fn store() -> Fixture {
    let (database, commits) = (TestDatabase::new(), RecordingListener::new());
    let store = open(&database, &commits);
    let (ports, listener) = (StorePorts::movable(&store), commits.clone());
    let current = Mutex::new((store, database));
    let reopen: Reopen = Box::new(move |ports| {
        drop(ports);
        let mut current = current.lock();
        current.0.close();
        current.0 = open(&current.1, &listener);
        StorePorts::movable(&current.0)
    });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Fixture { ports, commits, clock, reopen: Some(reopen) }
}

chat_testkit::archive_conformance!(store);

fn user(number: u8, username: &str, email: &str) -> User {
    User {
        id: UserId::from_bytes([number; 12]),
        username: username.to_owned(),
        email: email.to_owned(),
        password: PasswordHash::new("$2a$10$hash"),
        is_online: false,
        last_seen: None,
        created_at: Timestamp::from_millis(1),
        updated_at: Timestamp::from_millis(2),
    }
}

#[test]
fn of_accounts_that_differ_by_case_only_the_oldest_holds_the_folded_name() {
    let database = TestDatabase::new();
    let store = open(&database, &RecordingListener::new());
    let users = [
        user(1, "Anna", "a@example.org"),
        user(2, "anna", "b@example.org"),
        user(3, "ANNA", "A@example.org"),
        user(4, "other", "c@example.org"),
    ];
    block_on(store.put_users(users.to_vec())).unwrap();
    block_on(store.put_users(users.to_vec())).unwrap();
    assert_eq!(block_on(store.users(None, 10)).unwrap(), users);
    let login = |login| block_on(store.find_by_login(login)).unwrap().unwrap().id;
    for (name, number) in [("Anna", 0), ("anna", 1), ("ANNA", 2), ("aNNA", 0), ("OTHER", 3)] {
        assert_eq!(login(Login::Username(name.to_owned())), users[number].id, "{name}");
    }
    assert_eq!(login(Login::Email("A@example.org".to_owned())), users[2].id);
    store.close();
}

#[test]
fn where_an_older_application_keeps_exact_names_unique_a_second_one_collides() {
    let database = TestDatabase::new();
    let driver = database.driver();
    on_driver(async move {
        let index = doc! { "key": { "username": 1 }, "name": "username_1", "unique": true };
        driver.run_command(doc! { "createIndexes": "users", "indexes": [index] }).await.unwrap();
    });
    let store = open(&database, &RecordingListener::new());
    let users = vec![user(1, "anna", "a@example.org"), user(2, "anna", "b@example.org")];
    let refused = block_on(store.put_users(users.clone())).unwrap_err();
    let ArchiveError::Collides { user, other, field: TakenField::Username } = refused else {
        panic!("{refused}")
    };
    assert_eq!((user, other), (users[1].id, users[0].id));
    store.close();
}

#[test]
fn what_is_no_message_of_ours_is_counted_though_no_walk_meets_it() {
    let database = TestDatabase::new();
    let store = open(&database, &RecordingListener::new());
    let driver = database.driver();
    on_driver(async move {
        let odd = doc! { "sender": Bson::Null, "message": "lost" };
        driver.collection("messages").insert_one(odd).await.unwrap();
    });
    assert_eq!(block_on(store.extent()).unwrap().messages, 1);
    store.close();
}
