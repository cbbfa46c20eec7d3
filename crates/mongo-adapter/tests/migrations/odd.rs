//! Documents that no application of this kind should have written.

use bson::{Bson, doc};
use chat_mongo_adapter::migrate;
use chat_mongo_testkit::TestDatabase;

use super::old::{account, apply, by_id, find, has_line, id, insert, message, options, texts, user};

#[test]
fn odd_messages_are_left_alone_counted_and_named() {
    let database = TestDatabase::new();
    let (a, b) = (user(1), user(2));
    let with = |counter: u8, field: &str, value: Bson| {
        let mut odd = message(id(50, counter), a, b, "odd", 500);
        odd.insert(field, value);
        odd
    };
    let without = |counter: u8, field: &str| {
        let mut odd = message(id(50, counter), a, b, "odd", 500);
        odd.remove(field);
        odd
    };
    insert(
        &database,
        "messages",
        vec![
            with(1, "sender", a.to_hex().into()),
            without(2, "sender"),
            without(3, "receiver"),
            with(4, "receiver", Bson::Null),
            with(5, "timestamp", "yesterday".into()),
            with(6, "timestamp", 5.into()),
            without(7, "message"),
            with(8, "message", 5.into()),
            with(9, "_id", "a name".into()),
            message(id(50, 20), a, b, "good", 1_000),
            message(id(50, 21), b, a, "too", 2_000),
        ],
    );
    let plan = migrate::plan(&options(database.uri())).unwrap();
    let planned: Vec<_> = plan.iter().flat_map(|migration| &migration.steps).cloned().collect();
    assert!(planned.contains(&"number 2 messages".to_owned()), "{planned:?}");
    assert!(find(&database, "migrations", doc! {}).is_empty(), "a plan changes nothing");
    let told = apply(&database);
    assert_eq!(texts(&database, a, b), ["good", "too"]);
    for line in [
        "numbered 2 messages",
        "2 messages are left alone: no sender",
        "2 messages are left alone: no receiver",
        "2 messages are left alone: a timestamp",
        "2 messages are left alone: no text",
        "1 messages are left alone: an _id",
        &id(50, 1).to_hex(),
    ] {
        assert!(has_line(&told, line), "{line}: {told:?}");
    }
    assert_eq!(by_id(&database, "messages", id(50, 5)).get_str("timestamp").unwrap(), "yesterday");
    assert!(apply(&database).is_empty(), "what is odd is no work");
}

#[test]
fn an_absent_timestamp_is_that_of_the_id_and_an_absent_is_read_is_false() {
    let database = TestDatabase::new();
    let (a, b) = (user(1), user(2));
    let mut undated = message(id(3, 1), a, b, "second", 0);
    undated.remove("timestamp");
    undated.remove("isRead");
    let mut empty = message(id(7, 1), a, b, "fourth", 0);
    empty.insert("timestamp", Bson::Null);
    insert(
        &database,
        "messages",
        vec![
            undated,
            empty,
            message(id(50, 2), a, b, "first", 2_000),
            message(id(50, 3), a, b, "third", 4_000),
        ],
    );
    apply(&database);
    assert_eq!(texts(&database, a, b), ["first", "second", "third", "fourth"]);
    let dated = by_id(&database, "messages", id(3, 1));
    assert_eq!(dated.get_datetime("timestamp").unwrap().timestamp_millis(), 3_000);
    assert!(!dated.get_bool("isRead").unwrap());
}

#[test]
fn users_who_are_no_accounts_are_left_alone() {
    let database = TestDatabase::new();
    let mut nameless = account(user(1), "x", "x@example.org");
    nameless.remove("username");
    let mut hashless = account(user(2), "Bob", "bob@example.org");
    hashless.insert("password", Bson::Null);
    insert(&database, "users", vec![nameless, hashless, account(user(3), "Anna", "Anna@example.org")]);
    assert!(has_line(&apply(&database), "2 users have no textual name"));
    let anna = by_id(&database, "users", user(3));
    assert_eq!(anna.get_str("usernameFolded").unwrap(), "anna");
    assert_eq!(anna.get_str("emailKey").unwrap(), "anna@example.org");
    assert!(!by_id(&database, "users", user(2)).contains_key("usernameFolded"));
    assert!(apply(&database).is_empty());
}
