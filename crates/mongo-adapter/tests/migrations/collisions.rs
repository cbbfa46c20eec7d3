//! Accounts whose names differ by case only.

use chat_mongo_testkit::TestDatabase;
use chat_ports::{Login, Users};
use futures_executor::block_on;

use super::{
    old::{account, apply, by_id, has_line, insert, user},
    running::open,
};

#[test]
fn of_names_that_differ_by_case_the_oldest_holds_the_key() {
    let database = TestDatabase::new();
    insert(
        &database,
        "users",
        vec![
            account(user(3), "ANNA", "third@example.org"),
            account(user(1), "Anna", "Anna@example.org"),
            account(user(2), "anna", "anna@Example.org"),
        ],
    );
    let told = apply(&database);
    let key = |number, field| by_id(&database, "users", user(number)).get_str(field).map(str::to_owned).ok();
    assert_eq!(key(1, "usernameKey").as_deref(), Some("anna"));
    assert_eq!(key(1, "emailKey").as_deref(), Some("anna@example.org"));
    assert_eq!((key(2, "usernameKey"), key(2, "emailKey")), (None, None));
    assert_eq!((key(3, "usernameKey"), key(3, "emailKey").as_deref()), (None, Some("third@example.org")));
    for number in [1, 2, 3] {
        assert_eq!(key(number, "usernameFolded").as_deref(), Some("anna"));
    }
    let line = format!("user {} has the username of user {}", user(2), user(1));
    assert!(has_line(&told, &line), "{told:?}");
    assert!(!told.iter().any(|progress| progress.to_string().contains('@')), "addresses are not told");
}

#[test]
fn each_of_them_logs_in_by_the_exact_name_and_the_oldest_by_any_case() {
    let database = TestDatabase::new();
    insert(
        &database,
        "users",
        vec![account(user(1), "Anna", "Anna@example.org"), account(user(2), "anna", "anna@Example.org")],
    );
    let store = open(&database);
    let login = |login: Login| block_on(store.find_by_login(login)).unwrap().unwrap().id.bytes();
    for (name, number) in [("Anna", 1), ("anna", 2), ("ANNA", 1)] {
        assert_eq!(login(Login::Username(name.into())), user(number).bytes(), "{name}");
    }
    for (address, number) in [("Anna@example.org", 1), ("anna@Example.org", 2), ("ANNA@EXAMPLE.ORG", 1)] {
        assert_eq!(login(Login::Email(address.into())), user(number).bytes(), "{address}");
    }
    store.close();
}

#[test]
fn who_holds_a_key_keeps_it_when_an_older_account_turns_up() {
    let database = TestDatabase::new();
    insert(&database, "users", vec![account(user(2), "anna", "a@example.org")]);
    apply(&database);
    insert(&database, "users", vec![account(user(1), "Anna", "b@example.org")]);
    assert!(has_line(&apply(&database), "has the username"));
    assert_eq!(by_id(&database, "users", user(2)).get_str("usernameKey").unwrap(), "anna");
    assert!(!by_id(&database, "users", user(1)).contains_key("usernameKey"));
}
