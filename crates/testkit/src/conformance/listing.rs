//! Walks through the list of users.

use chat_ports::{
    UserQuery,
    model::{Page, User, UserCursor, UserId, fold},
};
use futures_executor::block_on;

use super::world::World;
use crate::Fixture;

pub fn a_walk_meets_every_user_once_in_the_order_of_names(fixture: Fixture) {
    let world = World::new(fixture);
    let mut names = Vec::new();
    for number in 0..24 {
        // In no order, in either case, and with names that are prefixes of others.
        let name = format!("{}{}", if number % 2 == 0 { "User" } else { "uSER" }, (number * 7) % 24);
        world.user(&name);
        names.push(name);
    }
    names.sort_by_key(|name| fold(name));
    for limit in [1, 5, 8, 23, 24, 25, 100] {
        assert_eq!(walk(&world, "", world.ids.user(), limit), names, "{limit}");
    }
}

pub fn the_one_who_asks_is_left_out(fixture: Fixture) {
    let (world, [_, second, third]) = World::with_users(fixture);
    for limit in [1, 2, 3] {
        assert_eq!(walk(&world, "", second, limit), ["user0", "user2"]);
        assert_eq!(walk(&world, "", third, limit), ["user0", "user1"], "{limit}");
    }
}

pub fn a_prefix_is_of_the_folded_name(fixture: Fixture) {
    let world = World::new(fixture);
    for name in ["ANNA", "annabel", "Ann", "berta", "AN-NA"] {
        world.user(name);
    }
    let nobody = world.ids.user();
    assert_eq!(walk(&world, "ann", nobody, 2), ["Ann", "ANNA", "annabel"]);
    assert_eq!(walk(&world, "annabel", nobody, 2), ["annabel"]);
    assert_eq!(walk(&world, "annabella", nobody, 2), [""; 0]);
    assert_eq!(walk(&world, "nna", nobody, 2), [""; 0]);
}

pub fn a_prefix_is_literal(fixture: Fixture) {
    let world = World::new(fixture);
    for name in ["a_b", "axb", "a.b", "a-b", "abc"] {
        world.user(name);
    }
    let nobody = world.ids.user();
    assert_eq!(walk(&world, "a_", nobody, 10), ["a_b"]);
    assert_eq!(walk(&world, "a.", nobody, 10), ["a.b"]);
    for pattern in ["%", "a%", "_", "a\\", "\\", "*", "a*", "a?", "[a]", "^a", "a\0", "'", "é", "\u{10ffff}"]
    {
        assert_eq!(walk(&world, pattern, nobody, 10), [""; 0], "{pattern:?}");
    }
}

pub fn a_cursor_is_a_position_whether_or_not_somebody_stands_there(fixture: Fixture) {
    let world = World::new(fixture);
    for name in ["anna", "berta", "carla"] {
        world.user(name);
    }
    let after = |folded: &str, id| {
        let after = Some(UserCursor { folded: folded.to_owned(), id });
        names(&list(&world, UserQuery { prefix: String::new(), except: world.ids.user(), after, limit: 10 }))
    };
    assert_eq!(after("b", world.ids.user()), ["berta", "carla"]);
    assert_eq!(after("bertb", world.ids.user()), ["carla"]);
    assert_eq!(after("berta", UserId::from_bytes([0; 12])), ["berta", "carla"]);
    assert_eq!(after("berta", UserId::from_bytes([255; 12])), ["carla"]);
    assert_eq!(after("zzz", world.ids.user()), [""; 0]);
}

pub fn who_comes_during_a_walk_does_not_disturb_it(fixture: Fixture) {
    let world = World::new(fixture);
    let present: Vec<String> = (0..12).map(|number| format!("user{number:02}")).collect();
    present.iter().for_each(|name| drop(world.user(name)));
    let (mut met, mut after, mut round) = (Vec::new(), None, 0);
    loop {
        let except = world.ids.user();
        let page = list(&world, UserQuery { prefix: "user".into(), except, after, limit: 3 });
        met.extend(names(&page));
        after = page.items.last().map(cursor);
        // One before and one after where the walk stands.
        world.user(&format!("user0{round}-a"));
        world.user(&format!("user1{round}-z"));
        round += 1;
        if !page.more {
            break;
        }
    }
    met.retain(|name| present.contains(name));
    assert_eq!(met, present);
}

pub fn an_empty_list_is_a_page_without_more(fixture: Fixture) {
    let (world, [only]) = World::with_users(fixture);
    let query = UserQuery { prefix: String::new(), except: only, after: None, limit: 10 };
    assert_eq!(list(&world, query), Page { items: Vec::new(), more: false });
}

fn list(world: &World, query: UserQuery) -> Page<User> {
    block_on(world.fixture.ports.users.list(query)).unwrap()
}

/// Walks to the end, and asserts that each page but the last one is full.
fn walk(world: &World, prefix: &str, except: UserId, limit: u32) -> Vec<String> {
    let (mut met, mut after) = (Vec::new(), None);
    loop {
        let page = list(world, UserQuery { prefix: prefix.to_owned(), except, after, limit });
        met.extend(names(&page));
        after = page.items.last().map(cursor);
        if !page.more {
            return met;
        }
        assert_eq!(page.items.len(), limit as usize);
    }
}

fn names(page: &Page<User>) -> Vec<String> {
    page.items.iter().map(|user| user.username.clone()).collect()
}

fn cursor(last: &User) -> UserCursor {
    UserCursor { folded: fold(&last.username), id: last.id }
}
