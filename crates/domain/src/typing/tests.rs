//! Typing, in virtual time.

use std::time::Duration;

use chat_ports::model::Event;
use chat_testkit::{ManualClock, RecordingBus};
use futures_executor::block_on;

use super::*;
use crate::{
    ErrorCode,
    support::{Mocks, identity, user, user_id},
};

const MOMENT: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_secs(6);

/// Typing between three users, and what it publishes.
struct World {
    typing: Arc<Typing>,
    bus: Arc<RecordingBus>,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        let mocks = Mocks::new().knowing(&[user(1, "anna"), user(2, "berta"), user(3, "carla")]);
        let (bus, clock) = (Arc::clone(&mocks.bus), mocks.clock.clone());
        Self { typing: mocks.chat().typing, bus, clock }
    }

    /// Anna types to somebody.
    fn set(&self, receiver: u8, is_typing: bool) {
        block_on(self.typing.set(&identity(&user(1, "anna")), user_id(receiver), is_typing)).unwrap();
    }

    /// Lets time pass, and ticks.
    fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.typing.tick();
    }
}

fn told(receiver: u8, is_typing: bool) -> Event {
    Event::Typing { sender: user_id(1), username: "anna".into(), receiver: user_id(receiver), is_typing }
}

#[test]
fn a_change_is_told_at_once() {
    let world = World::new();
    world.set(2, true);
    world.set(2, false);
    world.set(2, true);
    assert_eq!(world.bus.take(), [told(2, true), told(2, false), told(2, true)]);
}

#[test]
fn the_same_again_is_told_at_most_once_a_second() {
    let world = World::new();
    for is_typing in [true, false] {
        world.set(2, is_typing);
        world.set(2, is_typing);
        world.pass(SECOND - MOMENT);
        world.set(2, is_typing);
        assert_eq!(world.bus.take(), [told(2, is_typing)]);
        world.pass(MOMENT);
        world.set(2, is_typing);
        assert_eq!(world.bus.take(), [told(2, is_typing)]);
    }
}

#[test]
fn who_changes_too_often_is_told_by_the_last_change() {
    for last in [true, false] {
        let world = World::new();
        // Within a second ten of them are told.
        for n in 0..33 + u8::from(!last) {
            world.set(2, n % 2 == 0);
            world.pass(MOMENT);
        }
        let first: Vec<_> = (0..10).map(|n| told(2, n % 2 == 0)).collect();
        assert_eq!(world.bus.take(), first);
        world.pass(SECOND);
        let rest = if last { vec![told(2, true)] } else { vec![] };
        assert_eq!(world.bus.take(), rest, "the tenth told that typing stopped");
        world.pass(SILENCE);
        let end = if last { vec![told(2, false)] } else { vec![] };
        assert_eq!(world.bus.take(), end);
        assert_eq!(world.typing.next_deadline(), None);
    }
}

#[test]
fn a_stop_that_is_held_back_is_told() {
    let world = World::new();
    for n in 0..11 {
        world.set(2, n % 2 == 1);
    }
    assert_eq!(world.bus.take().last(), Some(&told(2, true)));
    world.pass(SECOND - MOMENT);
    assert_eq!(world.bus.take(), []);
    world.pass(MOMENT);
    assert_eq!(world.bus.take(), [told(2, false)]);
}

#[test]
fn who_leaves_is_told_by_what_others_know() {
    let world = World::new();
    for n in 0..11 {
        world.set(2, n % 2 == 0);
    }
    // The tenth told that typing stopped, the eleventh was held back.
    world.bus.take();
    world.typing.leave(user_id(1));
    assert_eq!(world.bus.take(), []);
}

#[test]
fn typing_ends_by_itself_after_silence() {
    let world = World::new();
    world.set(2, true);
    assert_eq!(world.typing.next_deadline(), Some(world.clock.instant() + SILENCE));
    world.pass(SILENCE - MOMENT);
    assert_eq!(world.bus.take(), [told(2, true)]);
    world.pass(MOMENT);
    assert_eq!(world.bus.take(), [told(2, false)]);
    assert_eq!(world.typing.next_deadline(), None);
}

#[test]
fn repeats_put_the_end_off_even_when_they_are_not_told() {
    let world = World::new();
    world.set(2, true);
    world.pass(SECOND - MOMENT);
    world.set(2, true);
    world.pass(SILENCE - MOMENT);
    assert_eq!(world.bus.take(), [told(2, true)]);
    world.pass(MOMENT);
    assert_eq!(world.bus.take(), [told(2, false)]);
}

#[test]
fn who_stopped_does_not_stop_again_by_silence() {
    let world = World::new();
    world.set(2, true);
    world.set(2, false);
    world.bus.take();
    world.pass(SILENCE);
    assert_eq!(world.bus.take(), []);
    assert_eq!(world.typing.next_deadline(), None);
}

#[test]
fn who_leaves_stops_typing_to_everybody_and_others_go_on() {
    let world = World::new();
    world.set(2, true);
    world.set(3, true);
    let other = identity(&user(2, "berta"));
    block_on(world.typing.set(&other, user_id(3), true)).unwrap();
    world.bus.take();
    world.typing.leave(user_id(1));
    assert_eq!(world.bus.take(), [told(2, false), told(3, false)]);
    world.typing.leave(user_id(1));
    world.pass(SILENCE);
    let [Event::Typing { sender, is_typing: false, .. }] = world.bus.take()[..] else { panic!("one end") };
    assert_eq!(sender, user_id(2));
    assert_eq!(world.typing.next_deadline(), None);
}

#[test]
fn typing_to_oneself_or_to_nobody_is_refused() {
    let world = World::new();
    let anna = identity(&user(1, "anna"));
    let refuse = |receiver| block_on(world.typing.set(&anna, receiver, true)).unwrap_err();
    let own = refuse(user_id(1));
    assert_eq!(own.code(), ErrorCode::InvalidInput);
    assert!(own.details().unwrap().starts_with("receiverId: "));
    assert_eq!(refuse(user_id(9)).code(), ErrorCode::NotFound);
    assert_eq!(world.bus.take(), []);
}

#[test]
fn too_many_pairs_are_dropped_until_others_end() {
    let mut book = Book::new(SILENCE);
    let now = ManualClock::new().instant();
    let ids = chat_testkit::SequentialIds::new();
    let anna = identity(&user(1, "anna"));
    for _ in 0..100_000 {
        assert!(book.set(&anna, ids.user(), true, now).is_some());
    }
    assert!(book.set(&anna, user_id(2), true, now).is_none());
    let mut ended = 0;
    book.expire(now + SILENCE, |_| ended += 1);
    assert_eq!(ended, 100_000);
    assert!(book.set(&anna, user_id(2), true, now).is_some());
}
