//! Accounts: unique names and addresses, look-ups, presence.

use chat_ports::{
    InsertUserError, Login, NewUser, PresenceRecord, TakenField,
    model::{Timestamp, User, UserId},
};
use futures_executor::block_on;

use super::world::{World, at_once};
use crate::{Fixture, build};

pub fn an_inserted_user_is_answered_as_given_and_found(fixture: Fixture) {
    let world = World::new(fixture);
    let new = NewUser {
        username: build::username("Anna.B_c-9"),
        email: build::email("Anna+x@Example.org"),
        ..build::new_user(world.ids.user(), "x-y")
    };
    let user = insert(&world, new.clone()).unwrap();
    let expected = User {
        id: new.id,
        username: "Anna.B_c-9".to_owned(),
        email: "Anna+x@Example.org".to_owned(),
        password: new.password,
        is_online: false,
        last_seen: None,
        created_at: new.created_at,
        updated_at: new.created_at,
    };
    assert_eq!(user, expected);
    assert_eq!(find(&world, user.id), Some(expected));
}

pub fn who_does_not_exist_is_not_found(fixture: Fixture) {
    let world = World::new(fixture);
    world.user("anna");
    assert_eq!(find(&world, world.ids.user()), None);
    assert_eq!(by_login(&world, Login::Username("ann".into())), None);
    assert_eq!(by_login(&world, Login::Email("anna@example.or".into())), None);
    assert_eq!(by_login(&world, Login::Username(String::new())), None);
}

pub fn a_login_is_compared_ignoring_case(fixture: Fixture) {
    let world = World::new(fixture);
    let karl = world.user("Karl");
    for name in ["karl", "KARL", "kArL", "\u{212a}arl"] {
        assert_eq!(by_login(&world, Login::Username(name.into())).as_ref(), Some(&karl), "{name}");
    }
    for email in ["karl@example.org", "KARL@EXAMPLE.ORG"] {
        assert_eq!(by_login(&world, Login::Email(email.into())).as_ref(), Some(&karl), "{email}");
    }
}

pub fn a_login_is_either_a_name_or_an_address_and_no_pattern(fixture: Fixture) {
    let world = World::new(fixture);
    world.user("anna");
    assert_eq!(by_login(&world, Login::Email("anna".into())), None);
    assert_eq!(by_login(&world, Login::Username("anna@example.org".into())), None);
    for pattern in ["ann_", "%", "ann%", "*", "' OR 1=1 --", "anna\0"] {
        assert_eq!(by_login(&world, Login::Username(pattern.into())), None, "{pattern}");
    }
}

pub fn find_many_gives_those_that_exist(fixture: Fixture) {
    let (world, [a, b, _]) = World::with_users(fixture);
    let find_many = |ids: Vec<UserId>| {
        let mut found: Vec<UserId> =
            block_on(world.fixture.ports.users.find_many(ids)).unwrap().iter().map(|user| user.id).collect();
        found.sort();
        found
    };
    assert_eq!(find_many(vec![b, world.ids.user(), a]), [a, b]);
    assert_eq!(find_many(Vec::new()), []);
    let many = (0..500).map(|_| world.ids.user()).chain([a]);
    assert_eq!(find_many(many.collect()), [a]);
}

pub fn a_name_is_taken_whatever_its_case(fixture: Fixture) {
    let world = World::new(fixture);
    world.user("Anna");
    let same_name =
        NewUser { username: build::username("aNNA"), ..build::new_user(world.ids.user(), "berta") };
    assert_eq!(taken(insert(&world, same_name)), TakenField::Username);
}

pub fn an_address_is_taken_whatever_its_case(fixture: Fixture) {
    let world = World::new(fixture);
    world.user("anna");
    let same_email =
        NewUser { email: build::email("ANNA@example.ORG"), ..build::new_user(world.ids.user(), "berta") };
    assert_eq!(taken(insert(&world, same_email)), TakenField::Email);
}

pub fn where_name_and_address_are_taken_the_name_is_told(fixture: Fixture) {
    let world = World::new(fixture);
    world.user("anna");
    world.user("berta");
    assert_eq!(taken(insert(&world, build::new_user(world.ids.user(), "anna"))), TakenField::Username);
    let of_two =
        NewUser { email: build::email("anna@example.org"), ..build::new_user(world.ids.user(), "berta") };
    assert_eq!(taken(insert(&world, of_two)), TakenField::Username);
}

pub fn a_refused_insert_leaves_nothing_behind(fixture: Fixture) {
    let world = World::new(fixture);
    world.user("anna");
    let refused =
        NewUser { email: build::email("anna@example.org"), ..build::new_user(world.ids.user(), "berta") };
    let id = refused.id;
    taken(insert(&world, refused));
    assert_eq!(find(&world, id), None);
    assert_eq!(by_login(&world, Login::Username("berta".into())), None);
    world.user("berta");
}

pub fn of_parallel_inserts_of_a_name_one_succeeds(fixture: Fixture) {
    let world = World::new(fixture);
    for round in 0..10 {
        let outcomes = at_once(8, |thread| {
            let name = if thread % 2 == 0 { format!("Name{round}") } else { format!("nAME{round}") };
            let email = build::email(&format!("a{thread}@round{round}"));
            let new = build::new_user(world.ids.user(), "some-name");
            insert(&world, NewUser { username: build::username(&name), email, ..new })
        });
        assert_one_won(outcomes, TakenField::Username);
    }
}

pub fn of_parallel_inserts_of_an_address_one_succeeds(fixture: Fixture) {
    let world = World::new(fixture);
    for round in 0..10 {
        let outcomes = at_once(8, |thread| {
            let email = if thread % 2 == 0 { format!("Mail@r{round}") } else { format!("mAIL@R{round}") };
            let new = build::new_user(world.ids.user(), &format!("user-{round}-{thread}"));
            insert(&world, NewUser { email: build::email(&email), ..new })
        });
        assert_one_won(outcomes, TakenField::Email);
    }
}

pub fn recorded_presence_is_shown_and_the_latest_counts(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let before = find(&world, a).unwrap();
    record(&world, vec![(a, true, 5_000), (b, false, 6_000)]);
    record(&world, vec![(a, false, 7_000), (b, true, 6_500)]);
    let shown = |user| find(&world, user).map(|user| (user.is_online, user.last_seen));
    assert_eq!(shown(a), Some((false, Some(Timestamp::from_millis(7_000)))));
    assert_eq!(shown(b), Some((true, Some(Timestamp::from_millis(6_500)))));
    assert_eq!(shown(c), Some((false, None)));
    let after = find(&world, a).unwrap();
    assert_eq!(after, User { last_seen: after.last_seen, ..before }, "presence changes nothing else");
}

pub fn presence_of_unknown_users_is_passed_over(fixture: Fixture) {
    let (world, [a]) = World::with_users(fixture);
    let unknown = world.ids.user();
    record(&world, vec![(unknown, true, 5_000), (a, true, 5_000)]);
    record(&world, Vec::new());
    assert_eq!(find(&world, unknown), None);
    assert!(find(&world, a).unwrap().is_online);
}

pub fn clearing_presence_leaves_everybody_offline_and_last_seen_as_it_was(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    record(&world, vec![(a, true, 5_000)]);
    block_on(world.fixture.ports.users.clear_presence()).unwrap();
    let shown = |user| find(&world, user).map(|user| (user.is_online, user.last_seen));
    assert_eq!(shown(a), Some((false, Some(Timestamp::from_millis(5_000)))));
    assert_eq!(shown(b), Some((false, None)));
}

pub fn a_store_that_works_is_healthy(fixture: Fixture) {
    block_on(fixture.ports.health.check()).unwrap();
}

fn insert(world: &World, user: NewUser) -> Result<User, InsertUserError> {
    block_on(world.fixture.ports.users.insert(user))
}

fn find(world: &World, id: UserId) -> Option<User> {
    block_on(world.fixture.ports.users.find(id)).unwrap()
}

fn by_login(world: &World, login: Login) -> Option<User> {
    block_on(world.fixture.ports.users.find_by_login(login)).unwrap()
}

fn record(world: &World, records: Vec<(UserId, bool, i64)>) {
    let records = records.into_iter().map(|(user, is_online, seen)| {
        let last_seen = Timestamp::from_millis(seen);
        PresenceRecord { user, is_online, last_seen }
    });
    block_on(world.fixture.ports.users.record_presence(records.collect())).unwrap();
}

fn taken(outcome: Result<User, InsertUserError>) -> TakenField {
    match outcome {
        Err(InsertUserError::Taken(field)) => Some(field),
        Ok(_) | Err(_) => None,
    }
    .unwrap()
}

fn assert_one_won(outcomes: Vec<Result<User, InsertUserError>>, field: TakenField) {
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|outcome| taken(outcome) == field));
}
