//! The server and the faults do what the tests of the store rely on.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be made fails its test")]

use std::{net::TcpStream, time::Duration};

use bson::{Document, doc};
use chat_mongo_testkit::{Answer, OwnServer, Proxy, TestDatabase, block_on, server_address, until};
use mongodb::{Client, Database, error::Error, options::ClientOptions};

const SOON: Duration = Duration::from_secs(20);

/// A client of this connection string, by command.
struct Caller(Database);

impl Caller {
    fn new(uri: &str) -> Self {
        let uri = uri.to_owned();
        Self(block_on(async move {
            let mut options = ClientOptions::parse(&uri).await.unwrap();
            options.server_selection_timeout = Some(Duration::from_millis(500));
            options.retry_writes = Some(false);
            options.retry_reads = Some(false);
            Client::with_options(options).unwrap().default_database().unwrap()
        }))
    }

    fn call(&self, command: Document) -> Result<Document, Error> {
        let database = self.0.clone();
        block_on(async move { database.run_command(command).await })
    }

    fn insert(&self, id: i32) -> Result<Document, Error> {
        self.call(doc! { "insert": "c", "documents": [{ "_id": id }] })
    }

    fn count(&self) -> Option<i32> {
        self.call(doc! { "count": "c" }).ok()?.get_i32("n").ok()
    }
}

#[test]
fn a_database_is_new_and_goes_away_with_its_test() {
    let database = TestDatabase::new();
    let caller = Caller::new(database.uri());
    caller.insert(1).unwrap();
    assert_eq!(caller.count(), Some(1));
    let names = || {
        let database = TestDatabase::new();
        let client = database.driver();
        block_on(async move { client.client().list_database_names().await }).unwrap()
    };
    let name = database.name().to_owned();
    assert!(names().contains(&name));
    drop(database);
    assert!(!names().contains(&name));
}

#[test]
fn a_server_of_ones_own_is_killed_restarted_stopped_and_resumed() {
    let server = OwnServer::start();
    let caller = Caller::new(&server.uri("t"));
    caller.insert(1).unwrap();
    server.kill();
    assert!(caller.count().is_none());
    assert!(TcpStream::connect(server.address()).is_err());
    server.restart();
    assert!(until(SOON, || caller.count() == Some(1)), "what was stored is still there");
    server.stop();
    server.resume();
    assert_eq!(caller.count(), Some(1));
    server.stop();
    server.kill();
    assert!(TcpStream::connect(server.address()).is_err());
}

#[test]
fn a_proxy_counts_swallows_replaces_cuts_and_refuses() {
    let database = TestDatabase::new();
    let direct = Caller::new(database.uri());
    let proxy = Proxy::before(server_address());
    let caller = Caller::new(&proxy.uri(database.name()));

    caller.insert(1).unwrap();
    assert_eq!(proxy.seen("insert"), 1);

    let error = doc! { "ok": 0, "code": 91, "codeName": "ShutdownInProgress", "errmsg": "test" };
    proxy.answer("insert", 1, Answer::Instead(error.clone()));
    assert!(caller.insert(2).is_err());
    assert_eq!(direct.count(), Some(1), "the server has not seen it");
    assert!(until(SOON, || caller.count() == Some(1)));

    proxy.answer("insert", 1, Answer::After(error));
    assert!(caller.insert(2).is_err());
    assert_eq!(direct.count(), Some(2), "the server has carried it out");
    assert!(until(SOON, || caller.count() == Some(2)));

    proxy.answer("insert", 1, Answer::Cut);
    assert!(caller.insert(3).is_err());
    assert!(until(SOON, || direct.count() == Some(3)), "the server has carried it out");
    proxy.answer("insert", 1, Answer::CutBefore);
    assert!(until(SOON, || caller.count() == Some(3)));
    assert!(caller.insert(4).is_err());
    assert_eq!(direct.count(), Some(3), "the server has not seen it");

    proxy.refuse();
    assert!(caller.count().is_none());
    proxy.resume();
    assert!(until(SOON, || caller.count() == Some(3)));
}

#[test]
fn a_stalled_proxy_holds_what_is_sent_and_passes_it_on_later() {
    let database = TestDatabase::new();
    let proxy = Proxy::before(server_address());
    let caller = Caller::new(&proxy.uri(database.name()));
    caller.insert(1).unwrap();
    std::thread::scope(|threads| {
        proxy.stall();
        let held = threads.spawn(|| caller.insert(2));
        assert!(proxy.wait_for("insert", 2, SOON));
        assert!(!held.is_finished());
        proxy.resume();
        held.join().unwrap().unwrap();
    });
    assert_eq!(caller.count(), Some(2));
}

#[test]
fn a_held_command_waits_while_others_pass() {
    let database = TestDatabase::new();
    let proxy = Proxy::before(server_address());
    let (caller, other) =
        (Caller::new(&proxy.uri(database.name())), Caller::new(&proxy.uri(database.name())));
    caller.insert(1).unwrap();
    proxy.answer("insert c", 1, Answer::Held);
    std::thread::scope(|threads| {
        let held = threads.spawn(|| caller.insert(2));
        assert!(proxy.wait_for("insert c", 2, SOON));
        other.call(doc! { "insert": "d", "documents": [{ "_id": 1 }] }).unwrap();
        assert_eq!(other.count(), Some(1), "the server has not seen it");
        assert!(!held.is_finished());
        proxy.resume();
        held.join().unwrap().unwrap();
    });
    assert_eq!((other.count(), proxy.seen("insert")), (Some(2), 3));
}
