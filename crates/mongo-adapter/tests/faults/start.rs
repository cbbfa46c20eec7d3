//! Starts that wait, and starts that never will work.

use std::sync::Arc;

use bson::doc;
use chat_mongo_adapter::StartError;
use chat_mongo_testkit::{Answer, OwnServer, Proxy, TestDatabase, server_address};
use chat_ports::{AppendError, StoreError, StoreHealth};
use chat_testkit::SequentialIds;
use futures_executor::block_on;

use super::support::{Node, PATIENCE, options, pair};

#[test]
fn a_server_that_is_absent_at_the_start_is_waited_for() {
    let server = OwnServer::absent();
    let node = Node::begin(options(&server.uri("chat")), &Arc::new(SequentialIds::new()));
    let (a, b) = pair();
    let error = node.append(node.message(a, b, "early", PATIENCE)).unwrap_err();
    assert!(matches!(error, AppendError::Store(StoreError::Unavailable(_))), "{error}");
    block_on(node.store.check()).unwrap_err();
    server.restart();
    block_on(node.store.ready()).unwrap();
    assert_eq!(node.send(a, b, "hello").seq, 1);
    block_on(node.store.check()).unwrap();
}

#[test]
fn what_waiting_can_not_mend_ends_the_start_with_a_line_that_names_the_setting() {
    let refusal =
        |code: i32, name: &str| doc! { "ok": 0.0, "code": code, "codeName": name, "errmsg": "secret" };
    let old = doc! {
        "ok": 1.0, "isWritablePrimary": true, "minWireVersion": 0, "maxWireVersion": 8, "readOnly": false,
        "maxBsonObjectSize": 16_777_216, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000,
    };
    let cases = [
        ("hello", old, StartError::TooOld),
        ("listCollections", refusal(13, "Unauthorized"), StartError::Forbidden("chat".into())),
    ];
    for (command, answer, expected) in cases {
        let proxy = Proxy::before(server_address());
        proxy.answer(command, usize::MAX, Answer::Instead(answer));
        let node = Node::begin(options(&proxy.uri("chat")), &Arc::new(SequentialIds::new()));
        let error = block_on(node.store.ready()).unwrap_err();
        assert_eq!(error, expected);
        assert!(error.to_string().starts_with("MONGODB_URI: "), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn refused_credentials_are_told_without_them() {
    let database = TestDatabase::new();
    let uri = format!("mongodb://someone:hunter2@{}/{}", server_address(), database.name());
    let node = Node::begin(options(&uri), &Arc::new(SequentialIds::new()));
    let error = block_on(node.store.ready()).unwrap_err();
    assert!(matches!(error, StartError::Credentials(_)), "{error}");
    assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("someone"), "{error}");
}
