//! What a user missed: complete, each message once a walk.

use std::collections::HashSet;

use chat_ports::model::{Message, MessageId, UserId};
use chat_ports::{ChangesError, ChangesPage, ChangesQuery, SyncPosition};
use futures_executor::block_on;

use super::world::World;
use crate::Fixture;

impl World {
    pub(super) fn position(&self) -> SyncPosition {
        block_on(self.fixture.ports.changes.position()).unwrap()
    }

    pub(super) fn changes(
        &self,
        user: UserId,
        since: &SyncPosition,
        limit: u32,
        max_bytes: usize,
    ) -> Result<ChangesPage, ChangesError> {
        let since = since.clone();
        block_on(self.fixture.ports.changes.changes(ChangesQuery { user, since, limit, max_bytes }))
    }

    /// A whole walk, in pages of at most this many, and where the next one begins.
    fn catch_up(&self, user: UserId, since: &SyncPosition, limit: u32) -> (Vec<Message>, SyncPosition) {
        let (mut met, mut since) = (Vec::new(), since.clone());
        for _ in 0..10_000 {
            let page = self.changes(user, &since, limit, usize::MAX).unwrap();
            assert!(page.messages.len() <= limit as usize);
            assert!(page.position.bytes().len() <= SyncPosition::MAX_BYTES);
            met.extend(page.messages.iter().map(|message| Message::clone(message)));
            since = page.position;
            if page.complete {
                let ids: HashSet<MessageId> = met.iter().map(|message| message.id).collect();
                assert_eq!(ids.len(), met.len(), "each once a walk");
                return (met, since);
            }
        }
        unreachable!("a walk without an end");
    }

    /// Asserts that a walk has all of these, as they are now, and nothing of others.
    fn assert_met(&self, user: UserId, since: &SyncPosition, expected: &[&Message]) {
        for limit in [1, 3, 500] {
            let (met, _) = self.catch_up(user, since, limit);
            for message in expected {
                assert!(met.contains(&self.find(message)), "{message:?} is missing in pages of {limit}");
            }
            assert!(met.iter().all(|message| message.conversation().includes(user)));
        }
    }
}

pub fn everything_that_changed_since_a_position_is_met_as_it_is_now(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let old: Vec<_> = (0..6).map(|_| world.send(a, b, "hello")).collect();
    let quiet = world.send(c, b, "quiet");
    let since = world.position();
    let new = [world.send(b, a, "new"), world.send(c, a, "new"), world.send(a, c, "new")];
    world.edit(&old[1], "other", 30_000).unwrap();
    world.delete(&old[2], 30_000).unwrap();
    world.deliver(b, &old[4], 30_000);
    world.read(b, &old[3], 31_000);
    let changed = [&*old[0], &*old[1], &*old[2], &*old[3], &*old[4], &*new[0]];
    world.assert_met(a, &since, &[&changed[..], &[&*new[1], &*new[2]]].concat());
    world.assert_met(b, &since, &changed);
    world.assert_met(c, &since, &[&*new[1], &*new[2]]);
    assert_eq!(world.find(&quiet), quiet);
}

pub fn after_a_walk_the_next_one_has_what_came_since(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let first = world.position();
    let sent: Vec<_> = (0..10).map(|_| world.send(a, b, "hello")).collect();
    let (met, second) = world.catch_up(b, &first, 4);
    assert_eq!(met.len(), 10);
    let more = world.send(b, a, "more");
    world.edit(&sent[0], "other", 30_000).unwrap();
    world.assert_met(b, &second, &[&*more, &*sent[0]]);
    world.assert_met(b, &first, &[&*more, &*sent[0], &*sent[9]]);
}

pub fn who_missed_nothing_gets_a_position_to_go_on_from(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let (nothing, position) = world.catch_up(a, &world.position(), 10);
    assert_eq!(nothing, []);
    let sent = world.send(b, a, "hello");
    world.assert_met(a, &position, &[&*sent]);
}

pub fn new_messages_are_met_in_the_order_of_their_numbers(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let since = world.position();
    let pairs = [(a, b), (b, a), (c, b), (a, b), (b, c)];
    (0..60).for_each(|number| drop(world.send(pairs[number % 5].0, pairs[number % 5].1, "hello")));
    for limit in [1, 7, 500] {
        let (met, _) = world.catch_up(b, &since, limit);
        assert_eq!(met.len(), 60);
        for other in [a, c] {
            let of_one = |message: &&Message| message.conversation().includes(other);
            let seqs: Vec<u64> = met.iter().filter(of_one).map(|message| message.seq).collect();
            assert!(seqs.is_sorted(), "{seqs:?}");
        }
    }
}

pub fn a_page_of_changes_ends_early_when_its_text_is_long(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let since = world.position();
    (0..6).for_each(|_| drop(world.send(a, b, &"x".repeat(100))));
    let mut at = since;
    let mut sizes = Vec::new();
    loop {
        let page = world.changes(b, &at, 100, 250).unwrap();
        sizes.extend((!page.messages.is_empty()).then_some(page.messages.len()));
        at = page.position;
        if page.complete {
            break;
        }
    }
    assert_eq!((sizes.iter().sum::<usize>(), sizes.iter().max()), (6, Some(&2)));
    let page = world.changes(a, &world.position(), 100, 1).unwrap();
    assert!(page.messages.len() <= 1);
}

pub fn what_changes_during_a_walk_is_in_the_next_one(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let begin = world.position();
    let sent: Vec<_> = (0..9).map(|_| world.send(a, b, "hello")).collect();
    let (mut at, mut met, mut late) = (begin, Vec::new(), Vec::new());
    for round in 0.. {
        assert!(round < 1_000, "a walk without an end");
        let page = world.changes(b, &at, 2, usize::MAX).unwrap();
        met.extend(page.messages.iter().map(|message| message.id));
        at = page.position;
        if page.complete {
            break;
        }
        late.push(world.send(b, a, "meanwhile"));
        world.edit(&sent[0], "other", 30_000 + round).unwrap();
    }
    // What changes meanwhile may come again.
    let kept: Vec<_> = met.iter().filter(|id| **id != sent[0].id).collect();
    let once: HashSet<_> = kept.iter().collect();
    assert_eq!(once.len(), kept.len());
    assert!(sent.iter().all(|message| met.contains(&message.id)));
    let (next, _) = world.catch_up(b, &at, 100);
    for message in late.iter().chain(&sent[..1]) {
        assert!(next.iter().any(|found| found.id == message.id), "{message:?}");
    }
}

pub fn what_changed_before_a_walk_is_in_it_whatever_becomes_of_it_meanwhile(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let begin = world.position();
    let sent: Vec<_> = (0..9).map(|_| world.send(a, b, "hello")).collect();
    let (mut at, mut met) = (begin, HashSet::new());
    for round in 0.. {
        assert!(round < 1_000, "a walk without an end");
        let page = world.changes(b, &at, 2, usize::MAX).unwrap();
        met.extend(page.messages.iter().map(|message| message.id));
        at = page.position;
        if page.complete {
            break;
        }
        match round {
            0 => drop(world.deliver(b, &sent[8], 30_000)),
            1 => drop(world.read(b, &sent[8], 31_000)),
            2 => drop(world.delete(&sent[8], 32_000)),
            _ => drop(world.send(a, b, "meanwhile")),
        }
    }
    // Of a receipt and of a deletion others are told by the message's id alone.
    assert!(sent.iter().all(|message| met.contains(&message.id)));
}

pub fn a_message_that_changed_many_times_is_met_once(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let since = world.position();
    let sent = world.send(a, b, "hello");
    (0..10).for_each(|number| drop(world.edit(&sent, &format!("text {number}"), 30_000 + number)));
    world.deliver(b, &sent, 40_000);
    world.read(b, &sent, 41_000);
    world.delete(&sent, 42_000);
    let (met, _) = world.catch_up(a, &since, 1);
    assert_eq!(met, [Message::clone(&world.find(&sent))]);
}

pub fn a_walk_goes_through_many_conversations_and_messages(fixture: Fixture) {
    let (world, [me]) = World::with_users(fixture);
    let others: Vec<UserId> = (0..30).map(|number| world.user(&format!("other{number}")).id).collect();
    others.iter().for_each(|other| drop(world.send(*other, me, "before")));
    let since = world.position();
    let sent: Vec<_> = (0..240).map(|number| world.send(others[number % 20], me, "hello")).collect();
    let (met, _) = world.catch_up(me, &since, 50);
    let ids: HashSet<_> = met.iter().map(|message| message.id).collect();
    assert!(sent.iter().all(|message| ids.contains(&message.id)));
    assert!(met.len() <= 270);
}

pub fn after_a_restart_positions_are_good(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let old = world.send(a, b, "hello");
    let since = world.position();
    let sent: Vec<_> = (0..6).map(|_| world.send(a, b, "hello")).collect();
    world.edit(&old, "other", 30_000).unwrap();
    let page = world.changes(b, &since, 2, usize::MAX).unwrap();
    let Some(world) = world.restarted() else { return };
    world.assert_met(b, &since, &[&*old, &*sent[0], &*sent[5]]);
    let (rest, _) = world.catch_up(b, &page.position, 2);
    let met: HashSet<_> =
        page.messages.iter().map(|message| message.id).chain(rest.iter().map(|m| m.id)).collect();
    assert!(sent.iter().chain([&old]).all(|message| met.contains(&message.id)));
    let later = world.send(b, a, "later");
    world.assert_met(b, &since, &[&*later]);
}

pub fn a_position_that_is_none_is_foreign(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    world.send(a, b, "hello");
    let good = world.position();
    let rubbish = [vec![], vec![0], vec![0xff; 24], vec![0xff; 96], vec![7; 200]];
    let cut = good.bytes()[..good.bytes().len() - 1].to_vec();
    for bytes in rubbish.into_iter().chain([cut]) {
        let refusal = world.changes(a, &SyncPosition::new(bytes), 10, usize::MAX);
        assert!(matches!(refusal, Err(ChangesError::Foreign)), "{refusal:?}");
    }
}
