//! What is recorded, and what another build recorded.

use bson::doc;
use chat_mongo_adapter::migrate::{self, MigrateError, MigrationState, Progress};
use chat_mongo_testkit::TestDatabase;

use super::old::{account, apply, find, has_line, insert, options, user};

#[test]
fn an_empty_database_is_announced_in_one_line_and_set_up() {
    let database = TestDatabase::new();
    let told = apply(&database);
    let empty = Progress::Empty { database: database.name().to_owned() };
    assert_eq!(told.iter().filter(|progress| **progress == empty).count(), 1);
    let status = migrate::status(&options(database.uri())).unwrap();
    assert_eq!(status.iter().map(|status| status.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(status.iter().all(|status| matches!(status.state, MigrationState::Applied { again: false, .. })));
    let plan = migrate::plan(&options(database.uri())).unwrap();
    assert!(plan.iter().all(|migration| migration.steps.is_empty()), "{plan:?}");
}

#[test]
fn a_database_with_users_is_not_announced_as_new() {
    let database = TestDatabase::new();
    insert(&database, "users", vec![account(user(1), "Anna", "anna@example.org")]);
    assert!(!has_line(&apply(&database), "is empty"));
}

#[test]
fn running_again_does_and_tells_nothing() {
    let database = TestDatabase::new();
    insert(&database, "users", vec![account(user(1), "Anna", "anna@example.org")]);
    apply(&database);
    let before = find(&database, "migrations", doc! {});
    assert_eq!(apply(&database), []);
    assert_eq!(find(&database, "migrations", doc! {}), before);
}

#[test]
fn nothing_is_applied_before_it_is_asked_for() {
    let database = TestDatabase::new();
    let status = migrate::status(&options(database.uri())).unwrap();
    assert!(status.iter().all(|status| status.state == MigrationState::Pending));
    let plan = migrate::plan(&options(database.uri())).unwrap();
    assert!(plan.iter().any(|migration| migration.steps.iter().any(|step| step.contains("index seq"))));
    assert!(find(&database, "migrations", doc! {}).is_empty());
}

#[test]
fn a_dropped_index_is_made_again() {
    let database = TestDatabase::new();
    apply(&database);
    let driver = database.driver();
    let drop = doc! { "dropIndexes": "messages", "index": "dedup" };
    chat_mongo_testkit::block_on(async move { driver.run_command(drop).await }).unwrap();
    let status = migrate::status(&options(database.uri())).unwrap();
    assert!(matches!(status[0].state, MigrationState::Applied { again: true, .. }));
    apply(&database);
    let status = migrate::status(&options(database.uri())).unwrap();
    assert!(matches!(status[0].state, MigrationState::Applied { again: false, .. }));
}

#[test]
fn a_migration_of_a_newer_build_is_refused_unless_it_is_marked_compatible() {
    let database = TestDatabase::new();
    apply(&database);
    insert(&database, "migrations", vec![doc! { "_id": 98_i64, "name": "kind", "compatible": true }]);
    assert_eq!(apply(&database), []);
    insert(&database, "migrations", vec![doc! { "_id": 99_i64, "name": "bold", "compatible": false }]);
    let refusal = migrate::apply(&options(database.uri()), &mut |_| {}).unwrap_err();
    assert!(matches!(refusal, MigrateError::Start(_)));
    assert!(refusal.to_string().contains("0099 bold") && !refusal.to_string().contains("kind"), "{refusal}");
    let status = migrate::status(&options(database.uri())).unwrap();
    let unknown: Vec<_> = status.iter().skip(5).map(|status| status.state.clone()).collect();
    let expected = [true, false].map(|compatible| MigrationState::Unknown { compatible });
    assert_eq!(unknown, expected);
}

#[test]
fn an_index_of_an_older_application_on_the_same_field_is_left_as_it_is() {
    let database = TestDatabase::new();
    let driver = database.driver();
    let theirs = doc! { "createIndexes": "users", "indexes": [
        { "key": { "username": 1 }, "name": "username_1", "unique": true },
        { "key": { "email": 1 }, "name": "email_1", "unique": true },
    ] };
    chat_mongo_testkit::block_on(async move { driver.run_command(theirs).await }).unwrap();
    apply(&database);
    let driver = database.driver();
    let names = chat_mongo_testkit::block_on(async move {
        driver.collection::<bson::Document>("users").list_index_names().await
    });
    let names = names.unwrap();
    assert!(names.contains(&"username_1".to_owned()) && !names.contains(&"username".to_owned()));
}
