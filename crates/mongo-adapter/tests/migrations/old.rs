//! A database as an older application leaves it, and ways to look at it.

use bson::{Bson, Document, doc, oid::ObjectId};
use chat_mongo_adapter::{
    MongoUri, Options,
    migrate::{self, Progress},
};
use chat_mongo_testkit::{TestDatabase, block_on};
use chat_ports::model::{ConversationId, UserId};

/// An id whose time and place among its like are given.
pub(crate) fn id(seconds: u32, counter: u8) -> ObjectId {
    let [a, b, c, d] = seconds.to_be_bytes();
    ObjectId::from_bytes([a, b, c, d, 7, 7, 7, 7, 7, 0, 0, counter])
}

pub(crate) fn user(number: u8) -> ObjectId {
    id(1_000, number)
}

/// An account as mongoose writes it.
pub(crate) fn account(id: ObjectId, username: &str, email: &str) -> Document {
    let at = id.timestamp();
    doc! {
        "_id": id, "username": username, "email": email, "password": "$2a$10$abcdefghijklmnopqrstuv",
        "isOnline": false, "lastSeen": at, "createdAt": at, "updatedAt": at, "__v": 0,
    }
}

/// A message as mongoose writes it.
pub(crate) fn message(id: ObjectId, from: ObjectId, to: ObjectId, text: &str, millis: i64) -> Document {
    doc! {
        "_id": id, "sender": from, "receiver": to, "message": text, "isRead": false,
        "timestamp": bson::DateTime::from_millis(millis), "__v": 0,
    }
}

pub(crate) fn insert(database: &TestDatabase, collection: &'static str, documents: Vec<Document>) {
    let driver = database.driver();
    block_on(async move { driver.collection(collection).insert_many(documents).await.map(drop) }).unwrap();
}

pub(crate) fn delete(database: &TestDatabase, collection: &'static str, id: ObjectId) {
    let driver = database.driver();
    block_on(async move { driver.collection::<Document>(collection).delete_one(doc! { "_id": id }).await })
        .unwrap();
}

pub(crate) fn find(database: &TestDatabase, collection: &'static str, filter: Document) -> Vec<Document> {
    let driver = database.driver();
    block_on(async move {
        let mut cursor = driver.collection::<Document>(collection).find(filter).await?;
        let mut found = Vec::new();
        while cursor.advance().await? {
            found.push(cursor.deserialize_current()?);
        }
        Ok::<_, mongodb::error::Error>(found)
    })
    .unwrap()
}

pub(crate) fn by_id(database: &TestDatabase, collection: &'static str, id: ObjectId) -> Document {
    find(database, collection, doc! { "_id": id }).pop().unwrap()
}

pub(crate) fn options(uri: &str) -> Options {
    Options::new(MongoUri::parse(uri).unwrap())
}

/// Applies what is missing, and gathers what is told.
pub(crate) fn apply(database: &TestDatabase) -> Vec<Progress> {
    let mut told = Vec::new();
    migrate::apply(&options(database.uri()), &mut |progress| told.push(progress)).unwrap();
    told
}

pub(crate) fn has_line(told: &[Progress], part: &str) -> bool {
    told.iter().any(|progress| progress.to_string().contains(part))
}

/// The key of a conversation as it is stored.
pub(crate) fn key(a: ObjectId, b: ObjectId) -> Bson {
    let [a, b] = [a, b].map(|id| UserId::from_bytes(id.bytes()));
    let bytes = ConversationId::between(a, b).key().to_vec();
    Bson::Binary(bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes })
}

/// The texts of a conversation by their numbers, which are asserted to be 1, 2, 3 …
pub(crate) fn texts(database: &TestDatabase, a: ObjectId, b: ObjectId) -> Vec<String> {
    let mut messages = find(database, "messages", doc! { "conversation": key(a, b) });
    messages.sort_by_key(|message| message.get_i64("seq").unwrap());
    let seqs: Vec<_> = messages.iter().map(|message| message.get_i64("seq").unwrap()).collect();
    assert_eq!(seqs, (1..=messages.len() as i64).collect::<Vec<_>>());
    messages.iter().map(|message| message.get_str("message").unwrap().to_owned()).collect()
}
