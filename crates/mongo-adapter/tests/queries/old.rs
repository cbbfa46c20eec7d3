//! What an older application has left and does: enough that the migrations send all their queries.

use std::{thread, time::Duration};

use bson::{Document, doc, oid::ObjectId};
use chat_mongo_adapter::migrate;
use chat_mongo_testkit::{Answer, Proxy, TestDatabase, block_on};

use super::support::options;

pub(crate) fn lay_down_old_documents(database: &TestDatabase) {
    let [a, b, c] = [1, 2, 3].map(|byte| ObjectId::from_bytes([byte; 12]));
    let at = bson::DateTime::from_millis(5_000);
    let user = |id, name: &str| {
        doc! { "_id": id, "username": name, "email": format!("{name}@example.org"), "password": "$2b$" }
    };
    let users = vec![user(a, "old-anna"), user(b, "OLD-ANNA")];
    let odd = doc! { "sender": a, "receiver": b, "message": "odd", "timestamp": "late" };
    let undated = doc! { "sender": b, "receiver": a, "message": "undated" };
    let old = doc! { "sender": a, "receiver": b, "message": "old", "timestamp": at };
    let other = doc! { "sender": c, "receiver": b, "message": "old", "timestamp": at };
    let driver = database.driver();
    block_on(async move {
        driver.collection("users").insert_many(users).await?;
        driver.collection("messages").insert_many([odd, undated, old, other]).await
    })
    .unwrap();
}

/// Has a message deleted while it is being numbered.
pub(crate) fn delete_while_numbering(proxy: &Proxy) {
    let database = TestDatabase::new();
    let [a, b] = [1, 2].map(|byte| ObjectId::from_bytes([byte; 12]));
    let message = |byte| {
        let at = bson::DateTime::from_millis(i64::from(byte));
        let id = ObjectId::from_bytes([byte; 12]);
        doc! { "_id": id, "sender": a, "receiver": b, "message": "old", "timestamp": at }
    };
    let messages = [11, 12, 13].map(message);
    let driver = database.driver();
    block_on(async move { driver.collection("messages").insert_many(messages).await }).unwrap();
    proxy.answer("update messages", 1, Answer::Held);
    let (before, through) = (proxy.seen("update messages"), options(&proxy.uri(database.name())));
    let run = thread::spawn(move || migrate::apply(&through, &mut |_| {}));
    assert!(proxy.wait_for("update messages", before + 1, Duration::from_secs(60)));
    let (driver, first) = (database.driver(), doc! { "_id": ObjectId::from_bytes([11; 12]) });
    block_on(async move { driver.collection::<Document>("messages").delete_one(first).await }).unwrap();
    proxy.resume();
    run.join().unwrap().unwrap();
}
