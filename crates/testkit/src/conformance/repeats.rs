//! Repeats: the same sender, receiver and client id is the same message.

use chat_ports::{AppendError, model::Timestamp};
use futures_executor::block_on;

use super::world::{World, at_once, begin};
use crate::{Fixture, build};

pub fn a_repeat_is_answered_with_the_stored_message(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let first = world.append(world.named(a, b, "hello", "n1")).unwrap();
    assert!(!first.repeated);
    world.send(b, a, "in between");
    for _ in 0..3 {
        let again = world.append(world.named(a, b, "hello", "n1")).unwrap();
        assert!(again.repeated);
        assert_eq!(again.message, first.message);
    }
    world.assert_gap_free(a, b, 2);
}

pub fn a_repeat_shows_the_message_as_it_is_now(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let first = world.append(world.named(a, b, "hello", "n1")).unwrap().message;
    world.read(b, &first, 77_000);
    let again = world.append(world.named(a, b, "hello", "n1")).unwrap();
    assert!(again.repeated);
    assert_eq!(again.message.read_at, Some(Timestamp::from_millis(77_000)));
}

pub fn parallel_copies_become_one_message(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    for round in 0..20 {
        let name = format!("n{round}");
        let outcomes = at_once(8, |_| world.append(world.named(a, b, "hello", &name)).unwrap());
        assert_eq!(outcomes.iter().filter(|outcome| !outcome.repeated).count(), 1);
        assert!(outcomes.iter().all(|outcome| outcome.message == outcomes[0].message));
    }
    world.assert_gap_free(a, b, 20);
}

pub fn copies_that_are_on_their_way_together_become_one_message(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let copies: Vec<_> = (0..10).map(|_| world.named(a, b, "hello", "n1")).collect();
    let next = world.message(a, b, "next");
    let begun: Vec<_> =
        copies.iter().chain([&next]).map(|new| begin(world.fixture.ports.log.append(new.clone()))).collect();
    let outcomes: Vec<_> = begun.into_iter().map(|begun| begun.finish().unwrap()).collect();
    let repeated: Vec<bool> = outcomes.iter().map(|outcome| outcome.repeated).collect();
    assert_eq!(repeated, [false, true, true, true, true, true, true, true, true, true, false]);
    assert!(outcomes[..10].iter().all(|outcome| outcome.message.id == copies[0].id));
    assert_eq!(outcomes[10].message.seq, 2);
}

pub fn another_text_under_the_same_client_id_is_refused(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let first = world.append(world.named(a, b, "hello", "n1")).unwrap().message;
    for text in ["Hello", "hello ", "other"] {
        let refusal = world.append(world.named(a, b, text, "n1")).unwrap_err();
        assert!(matches!(refusal, AppendError::ClientIdTaken), "{refusal}");
    }
    assert_eq!(world.all(a, b), [first]);
    assert_eq!(world.send(a, b, "next").seq, 2, "a refusal takes no number");
}

pub fn another_text_is_refused_while_the_first_is_on_its_way(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let log = &world.fixture.ports.log;
    let first = begin(log.append(world.named(a, b, "hello", "n1")));
    let other = begin(log.append(world.named(a, b, "other", "n1")));
    let next = begin(log.append(world.message(a, b, "next")));
    assert!(!first.finish().unwrap().repeated);
    assert!(matches!(other.finish().unwrap_err(), AppendError::ClientIdTaken));
    assert_eq!(next.finish().unwrap().message.seq, 2);
}

pub fn the_same_client_id_to_another_receiver_is_another_message(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let to_b = world.append(world.named(a, b, "hello", "n1")).unwrap();
    let to_c = world.append(world.named(a, c, "other", "n1")).unwrap();
    assert!(!to_b.repeated && !to_c.repeated);
    assert_ne!(to_b.message.id, to_c.message.id);
}

pub fn the_same_client_id_from_the_other_side_is_another_message(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let from_a = world.append(world.named(a, b, "hello", "n1")).unwrap();
    let from_b = world.append(world.named(b, a, "other", "n1")).unwrap();
    assert!(!from_a.repeated && !from_b.repeated);
    assert_eq!((from_a.message.seq, from_b.message.seq), (1, 2));
}

pub fn client_ids_differ_by_case_and_are_no_patterns(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let names = ["abc", "ABC", "a%c", "a_c", "abc'", "ab", "abcd", "a:c"];
    for (name, seq) in names.into_iter().zip(1..) {
        let appended = world.append(world.named(a, b, "hello", name)).unwrap();
        assert_eq!((appended.repeated, appended.message.seq), (false, seq), "{name}");
    }
}

pub fn a_client_id_may_look_like_a_message_id(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let unnamed = world.send(a, b, "hello");
    let named = world.append(world.named(a, b, "hello", &unnamed.id.to_string())).unwrap();
    assert!(!named.repeated);
}

pub fn messages_without_a_client_id_are_never_the_same(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let [first, second] = [(); 2].map(|()| world.send(a, b, "hello"));
    assert_ne!(first.id, second.id);
    world.assert_gap_free(a, b, 2);
}

pub fn a_client_id_is_remembered_after_many_other_messages(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let first = world.append(world.named(a, b, "hello", "the-first")).unwrap().message;
    let news: Vec<_> = (0..2_000).map(|number| world.named(a, b, "more", &format!("n{number}"))).collect();
    let begun: Vec<_> = news.into_iter().map(|new| begin(world.fixture.ports.log.append(new))).collect();
    begun.into_iter().for_each(|begun| assert!(!begun.finish().unwrap().repeated));
    let again = world.append(world.named(a, b, "hello", "the-first")).unwrap();
    assert!(again.repeated);
    assert_eq!(again.message, first);
    let name = build::client_id("n0");
    let sent_later = world.append(world.named(a, b, "more", name.as_str())).unwrap();
    assert_eq!((sent_later.repeated, sent_later.message.seq), (true, 2));
}

pub fn a_message_is_found_by_the_name_that_its_sender_gave_it(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let sent_as = |world: &World, from, to, name: &str| {
        block_on(world.fixture.ports.messages.sent_as(from, to, build::client_id(name))).unwrap()
    };
    assert_eq!(sent_as(&world, a, b, "n1"), None);
    let stored = world.append(world.named(a, b, "hello", "n1")).unwrap().message;
    world.send(a, b, "without a name");
    world.read(b, &stored, 77_000);
    let found = sent_as(&world, a, b, "n1").unwrap();
    assert_eq!((found.id, found.read_at), (stored.id, Some(Timestamp::from_millis(77_000))));
    for (from, to, name) in [(b, a, "n1"), (a, c, "n1"), (a, b, "n2")] {
        assert_eq!(sent_as(&world, from, to, name), None);
    }
    let Some(world) = world.restarted() else { return };
    assert_eq!(sent_as(&world, a, b, "n1"), Some(found));
    assert_eq!(sent_as(&world, b, a, "n1"), None);
}
