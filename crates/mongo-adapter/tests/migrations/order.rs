//! In which order old messages are numbered, what is added to them, and that this may be interrupted.

use std::{thread, time::Duration};

use bson::{Document, doc};
use chat_mongo_adapter::migrate;
use chat_mongo_testkit::{Answer, Proxy, TestDatabase, server_address};

use super::old::{apply, by_id, delete, find, has_line, id, insert, key, message, options, texts, user};

#[test]
fn messages_are_numbered_by_time_then_id_over_both_directions() {
    let database = TestDatabase::new();
    let (a, b, c) = (user(1), user(2), user(3));
    insert(
        &database,
        "messages",
        vec![
            message(id(50, 9), b, a, "fourth", 4_000),
            message(id(50, 1), a, b, "first", 1_000),
            message(id(50, 3), a, b, "third", 2_000),
            message(id(50, 2), b, a, "second", 2_000),
            message(id(50, 8), a, c, "beside", 500),
            message(id(50, 7), c, c, "to oneself", 500),
        ],
    );
    assert!(has_line(&apply(&database), "numbered 6 messages"));
    assert_eq!(texts(&database, a, b), ["first", "second", "third", "fourth"]);
    assert_eq!(texts(&database, a, c), ["beside"]);
    assert_eq!(texts(&database, c, c), ["to oneself"]);
}

#[test]
fn only_fields_are_added() {
    let database = TestDatabase::new();
    let (a, b) = (user(1), user(2));
    let before = message(id(50, 1), a, b, "hello", 1_000);
    insert(&database, "messages", vec![before.clone()]);
    apply(&database);
    let after = by_id(&database, "messages", id(50, 1));
    let untouched: Document =
        after.clone().into_iter().filter(|(field, _)| before.contains_key(field)).collect();
    assert_eq!(untouched, before);
    assert_eq!(after.get("conversation"), Some(&key(a, b)));
    assert_eq!(after.get_str("dedup").unwrap(), format!("{a}:i:{}", id(50, 1)));
    assert!(after.get_datetime("changedAt").is_ok() && !after.contains_key("readAt"));
}

#[test]
fn the_list_of_conversations_is_written_with_the_numbers() {
    let database = TestDatabase::new();
    let (a, b) = (user(1), user(2));
    insert(
        &database,
        "messages",
        vec![message(id(50, 1), a, b, "one", 1_000), message(id(50, 2), b, a, "two", 2_000)],
    );
    apply(&database);
    let [conversation] = &find(&database, "conversations", doc! {})[..] else { unreachable!("one") };
    assert_eq!(conversation.get("_id"), Some(&key(a, b)));
    assert_eq!(conversation.get_i64("lastSeq").unwrap(), 2);
    assert_eq!(conversation.get_object_id("lastId").unwrap(), id(50, 2));
}

#[test]
fn more_than_fits_into_memory_at_once_is_numbered_and_leaves_no_index_behind() {
    let database = TestDatabase::new();
    let (a, b, c) = (user(1), user(2), user(3));
    // What is left alone is in the way as well, and quick to lay down.
    let odd = (0..1_000).map(|_| doc! { "sender": a, "message": "to nobody" });
    insert(&database, "messages", many(a, b, 130).chain(many(c, a, 10)).chain(odd).collect());
    let told = apply(&database);
    assert!(has_line(&told, "making an index") && has_line(&told, "1000 messages are left alone"));
    assert_eq!(texts(&database, a, b), (0..130).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(texts(&database, a, c).len(), 10);
    let driver = database.driver();
    let names = chat_mongo_testkit::block_on(async move {
        driver.collection::<Document>("messages").list_index_names().await
    });
    assert!(!names.unwrap().contains(&"takeover".to_owned()));
}

#[test]
fn an_interrupted_run_goes_on_where_it_was() {
    let database = TestDatabase::new();
    let (a, b, c) = (user(1), user(2), user(3));
    insert(&database, "messages", many(a, b, 150).chain(many(c, a, 20)).collect());
    let proxy = Proxy::before(server_address());
    let through = options(&proxy.uri(database.name()));
    let run = thread::spawn(move || migrate::apply(&through, &mut |_| {}));
    assert!(proxy.wait_for("update", 3, Duration::from_secs(60)));
    proxy.refuse();
    assert!(run.join().unwrap().is_err());
    // Its lease stands still now; what it did not give back is waited for.
    insert(&database, "messages", vec![message(id(90, 1), b, a, "later", 9_000_000)]);
    apply(&database);
    assert_eq!(texts(&database, a, b).len(), 151);
    assert_eq!(texts(&database, a, b).last().unwrap(), "later");
    assert_eq!(texts(&database, a, c).len(), 20);
}

#[test]
fn two_runs_at_once_number_each_message_once() {
    let database = TestDatabase::new();
    let (a, b, c) = (user(1), user(2), user(3));
    insert(&database, "messages", many(a, b, 120).chain(many(b, c, 60)).collect());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| apply(&database));
        }
    });
    assert_eq!(texts(&database, a, b), (0..120).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(texts(&database, b, c).len(), 60);
    assert!(find(&database, "meta", doc! { "_id": "migrating" }).is_empty());
}

#[test]
fn what_the_older_application_deletes_while_it_is_numbered_leaves_no_gap() {
    let database = TestDatabase::new();
    let (a, b) = (user(1), user(2));
    insert(&database, "messages", many(a, b, 5).collect());
    let vanishing = find(&database, "messages", doc! { "message": "1" });
    let proxy = Proxy::before(server_address());
    proxy.answer("update messages", 1, Answer::Held);
    let through = options(&proxy.uri(database.name()));
    let run = thread::spawn(move || migrate::apply(&through, &mut |_| {}));
    assert!(proxy.wait_for("update messages", 1, Duration::from_secs(60)));
    delete(&database, "messages", vanishing[0].get_object_id("_id").unwrap());
    proxy.resume();
    run.join().unwrap().unwrap();
    assert_eq!(texts(&database, a, b), ["0", "2", "3", "4"]);
}

/// Messages in both directions, each at a time of its own, laid down out of order.
fn many(from: bson::oid::ObjectId, to: bson::oid::ObjectId, count: i64) -> impl Iterator<Item = Document> {
    (0..count).map(move |place| {
        let number = (place * 7 + 3) % count;
        let (sender, receiver) = if number % 3 == 0 { (to, from) } else { (from, to) };
        message(bson::oid::ObjectId::new(), sender, receiver, &number.to_string(), 1_000 + number)
    })
}
