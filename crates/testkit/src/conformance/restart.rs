//! After a restart. A store that keeps nothing has nothing to show here.

use chat_ports::{
    AppendError, HistoryAnchor, InsertUserError, Login,
    model::{ConversationId, Timestamp},
};
use futures_executor::block_on;

use super::world::World;
use crate::{Fixture, build};

pub fn after_a_restart_the_users_are_there_and_unique(fixture: Fixture) {
    let world = World::new(fixture);
    let anna = world.user("Anna");
    let Some(world) = world.restarted() else { return };
    let users = &world.fixture.ports.users;
    assert_eq!(block_on(users.find(anna.id)).unwrap(), Some(anna.clone()));
    assert_eq!(block_on(users.find_by_login(Login::Username("anna".into()))).unwrap(), Some(anna));
    let again = block_on(users.insert(build::new_user(world.ids.user(), "aNNa"))).unwrap_err();
    assert!(matches!(again, InsertUserError::Taken(_)), "{again}");
}

pub fn after_a_restart_everything_answered_is_there_and_numbers_go_on(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let pairs = [(a, b), (b, a), (a, c)];
    (0..300).for_each(|number| drop(world.send(pairs[number % 3].0, pairs[number % 3].1, "hello")));
    let (ab, ac, list) = (world.all(a, b), world.all(a, c), world.conversations(a, None, 10));
    let Some(world) = world.restarted() else { return };
    assert_eq!((world.all(a, b), world.all(a, c)), (ab, ac));
    assert_eq!(world.conversations(a, None, 10), list);
    assert_eq!((world.send(b, a, "next").seq, world.send(c, a, "next").seq), (201, 101));
    let Some(world) = world.restarted() else { return };
    world.assert_gap_free(a, b, 201);
    world.assert_gap_free(a, c, 101);
}

pub fn after_a_restart_repeats_are_known(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let first = world.append(world.named(a, b, "hello", "n1")).unwrap().message;
    let Some(mut world) = world.restarted() else { return };
    for _ in 0..2 {
        let again = world.append(world.named(a, b, "hello", "n1")).unwrap();
        assert!(again.repeated);
        assert_eq!(again.message, first);
        let refusal = world.append(world.named(a, b, "other", "n1")).unwrap_err();
        assert!(matches!(refusal, AppendError::ClientIdTaken), "{refusal}");
        assert_eq!(world.send(a, b, "more").seq, world.all(a, b).len() as u64);
        let Some(restarted) = world.restarted() else { return };
        world = restarted;
    }
}

pub fn after_a_restart_what_was_read_is_read(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..5).map(|_| world.send(a, b, "hello")).collect();
    world.read(b, &sent[2], 20_000);
    let Some(world) = world.restarted() else { return };
    let read_at: Vec<_> = world.all(a, b).iter().map(|message| message.read_at).collect();
    let at = Some(Timestamp::from_millis(20_000));
    assert_eq!(read_at, [at, at, at, None, None]);
    assert_eq!(world.conversations(b, None, 10).items[0].unread, 2);
    assert_eq!(world.read(b, &sent[4], 30_000).count, 2);
}

pub fn after_a_restart_nothing_is_told_again(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    world.append(world.named(a, b, "hello", "n1")).unwrap();
    let Some(world) = world.restarted() else { return };
    let told = world.fixture.commits.sent(ConversationId::between(a, b));
    assert_eq!(told.len(), 1);
    world.append(world.named(a, b, "hello", "n1")).unwrap();
    let next = world.send(a, b, "next");
    assert_eq!(world.fixture.commits.sent(next.conversation()).len(), 2);
    assert_eq!(world.page(a, b, HistoryAnchor::Newest { skip: 0 }, 10).items.len(), 2);
}
