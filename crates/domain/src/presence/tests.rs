//! Comings and goings, in virtual time.

use std::task::{Context, Poll, Waker};

use chat_ports::StoreError;
use chat_testkit::{ManualClock, RecordingBus};
use futures_executor::block_on;

use super::*;
use crate::support::{Mocks, identity, user, user_id};

const GRACE: Duration = Duration::from_secs(3);
const MOMENT: Duration = Duration::from_millis(1);

/// Presence, and what it publishes.
struct World {
    presence: Presence,
    bus: Arc<RecordingBus>,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        Self::on(Mocks::new())
    }

    fn on(mocks: Mocks) -> Self {
        let (bus, clock) = (Arc::clone(&mocks.bus), mocks.clock.clone());
        Self { presence: mocks.chat().presence, bus, clock }
    }

    fn connect(&self, socket: &str) {
        self.presence.connect(&identity(&user(1, "anna")), SocketId::new(socket), &Arc::default());
    }

    fn disconnect(&self, socket: &str, departure: Departure) -> bool {
        self.presence.disconnect(user_id(1), &SocketId::new(socket), departure)
    }

    /// Lets time pass, and ticks.
    fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.presence.tick();
    }

    fn online(&self) -> bool {
        self.presence.is_online(user_id(1))
    }
}

fn came(socket: &str) -> Event {
    Event::Online {
        user: user_id(1),
        username: "anna".into(),
        socket: SocketId::new(socket),
        blocked: Arc::default(),
    }
}

fn went() -> Event {
    Event::Offline { user: user_id(1), username: "anna".into() }
}

#[test]
fn only_the_first_device_and_the_last_one_are_told_of() {
    let world = World::new();
    world.connect("s1");
    world.connect("s2");
    assert_eq!(world.bus.take(), [came("s1")]);
    assert!(!world.disconnect("s1", Departure::Clean));
    assert_eq!(world.bus.take(), []);
    assert!(world.disconnect("s2", Departure::Clean));
    assert_eq!(world.bus.take(), [went()]);
    assert!(!world.online());
}

#[test]
fn a_lost_link_is_told_of_when_its_grace_is_over() {
    let world = World::new();
    world.connect("s1");
    assert!(world.disconnect("s1", Departure::Lost));
    assert_eq!(world.presence.next_deadline(), Some(world.clock.instant() + GRACE));
    world.pass(GRACE - MOMENT);
    assert!(world.online());
    assert_eq!(world.bus.take(), [came("s1")]);
    world.pass(MOMENT);
    assert!(!world.online());
    assert_eq!(world.bus.take(), [went()]);
    assert_eq!(world.presence.next_deadline(), None);
}

#[test]
fn who_comes_back_within_the_grace_was_never_away() {
    let world = World::new();
    world.connect("s1");
    world.disconnect("s1", Departure::Lost);
    world.pass(GRACE - MOMENT);
    world.connect("s2");
    world.pass(GRACE);
    assert!(world.online());
    assert_eq!(world.bus.take(), [came("s1")]);
    assert_eq!(world.presence.next_deadline(), None);
}

#[test]
fn a_lost_device_keeps_its_grace_when_another_one_goes_cleanly() {
    let world = World::new();
    world.connect("s1");
    world.connect("s2");
    world.disconnect("s1", Departure::Lost);
    world.pass(MOMENT);
    assert!(world.disconnect("s2", Departure::Clean));
    assert!(world.online(), "the first one may come back");
    world.pass(GRACE - MOMENT);
    assert_eq!(world.bus.take(), [came("s1"), went()]);
}

#[test]
fn a_grace_that_is_over_already_does_not_hold_a_clean_departure() {
    let world = World::new();
    world.connect("s1");
    world.connect("s2");
    world.disconnect("s1", Departure::Lost);
    world.pass(GRACE);
    world.disconnect("s2", Departure::Clean);
    assert_eq!(world.bus.take(), [came("s1"), went()]);
}

#[test]
fn without_a_grace_time_a_lost_link_is_told_of_at_once() {
    let mut mocks = Mocks::new();
    mocks.settings.presence_grace = Duration::ZERO;
    let world = World::on(mocks);
    world.connect("s1");
    world.disconnect("s1", Departure::Lost);
    assert_eq!(world.bus.take(), [came("s1"), went()]);
}

#[test]
fn unknown_and_repeated_sockets_change_nothing() {
    let world = World::new();
    assert!(world.disconnect("s1", Departure::Clean));
    world.connect("s1");
    world.connect("s1");
    assert!(!world.disconnect("s9", Departure::Clean));
    assert!(world.disconnect("s1", Departure::Clean));
    assert!(world.disconnect("s1", Departure::Lost));
    assert_eq!(world.bus.take(), [came("s1"), went()]);
    assert_eq!(world.presence.next_deadline(), None);
}

#[test]
fn graces_end_in_the_order_in_which_links_were_lost() {
    let world = World::new();
    let names = ["anna", "berta", "carla"];
    for (number, name) in (1..).zip(names) {
        world.presence.connect(&identity(&user(number, name)), SocketId::new(name), &Arc::default());
    }
    world.bus.take();
    for (number, name) in [(3, "carla"), (1, "anna"), (2, "berta")] {
        world.presence.disconnect(user_id(number), &SocketId::new(name), Departure::Lost);
        world.clock.advance(MOMENT);
    }
    world.pass(GRACE);
    let offline = |number, name: &str| Event::Offline { user: user_id(number), username: name.into() };
    assert_eq!(world.bus.take(), [offline(3, "carla"), offline(1, "anna"), offline(2, "berta")]);
}

#[test]
fn the_snapshot_has_one_entry_a_user_with_the_newest_socket() {
    let world = World::new();
    let snapshot = || {
        world.presence.snapshot(|online| {
            assert_eq!(online.len(), online.size_hint().0);
            online
                .map(|who| (who.user, who.username.to_string(), who.socket.as_str().to_owned()))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(snapshot(), []);
    world.connect("s1");
    world.connect("s2");
    assert_eq!(snapshot(), [(user_id(1), "anna".into(), "s2".into())]);
    world.disconnect("s2", Departure::Clean);
    assert_eq!(snapshot()[0].2, "s1");
    world.disconnect("s1", Departure::Lost);
    assert_eq!(snapshot()[0].2, "s1", "still online during the grace");
}

#[test]
fn coming_and_going_is_written_behind_once_with_what_was_last() {
    let mut mocks = Mocks::new();
    let clock = mocks.clock.clone();
    let (came_at, left_at) = (clock.now(), Timestamp::from_millis(clock.now().millis() + 7));
    let record = move |is_online, last_seen| PresenceRecord { user: user_id(1), is_online, last_seen };
    let mut expected = vec![record(false, left_at), record(true, came_at)];
    mocks.users.expect_record_presence().times(2).returning(move |records| {
        assert_eq!(records, [expected.pop().unwrap()]);
        Ok(())
    });
    let world = World::on(mocks);
    world.connect("s1");
    world.connect("s2");
    block_on(world.presence.flush());
    block_on(world.presence.flush());
    world.disconnect("s1", Departure::Clean);
    world.clock.advance(Duration::from_millis(7));
    world.disconnect("s2", Departure::Lost);
    block_on(world.presence.flush());
    world.pass(GRACE);
    block_on(world.presence.flush());
}

#[test]
fn what_could_not_be_written_is_kept() {
    let mut mocks = Mocks::new();
    mocks.users.expect_record_presence().times(1).returning(|_| Err(StoreError::Timeout));
    mocks.users.expect_record_presence().times(1).returning(|records| {
        assert_eq!(records.len(), 1);
        Ok(())
    });
    let world = World::on(mocks);
    world.connect("s1");
    block_on(world.presence.flush());
    block_on(world.presence.flush());
    block_on(world.presence.flush());
}

#[test]
fn many_changes_are_written_in_batches() {
    let mut mocks = Mocks::new();
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sizes);
    mocks.users.expect_record_presence().returning(move |records| {
        seen.lock().push(records.len());
        Ok(())
    });
    let world = World::on(mocks);
    let ids = chat_testkit::SequentialIds::new();
    for _ in 0..2_500 {
        let who = Identity { user: ids.user(), ..identity(&user(1, "anna")) };
        world.presence.connect(&who, SocketId::new("s"), &Arc::default());
    }
    block_on(world.presence.flush());
    assert_eq!(*sizes.lock(), [1_000, 1_000, 500]);
}

/// A store whose first write of presence never ends.
struct Stuck;

#[async_trait::async_trait]
impl Users for Stuck {
    async fn insert(&self, _: chat_ports::NewUser) -> Result<User, chat_ports::InsertUserError> {
        std::future::pending().await
    }
    async fn find(&self, _: UserId) -> Result<Option<User>, StoreError> {
        std::future::pending().await
    }
    async fn find_many(&self, _: Vec<UserId>) -> Result<Vec<User>, StoreError> {
        std::future::pending().await
    }
    async fn find_by_login(&self, _: chat_ports::Login) -> Result<Option<User>, StoreError> {
        std::future::pending().await
    }
    async fn list(&self, _: chat_ports::UserQuery) -> Result<chat_ports::model::Page<User>, StoreError> {
        std::future::pending().await
    }
    async fn record_presence(&self, _: Vec<PresenceRecord>) -> Result<(), StoreError> {
        std::future::pending().await
    }
    async fn clear_presence(&self) -> Result<(), StoreError> {
        std::future::pending().await
    }
}

#[test]
fn two_flushes_at_once_are_one_and_a_dropped_one_lets_the_next_begin() {
    let mocks = Mocks::new();
    let presence = Presence::new(&Deps { users: Arc::new(Stuck), ..mocks.deps() });
    presence.connect(&identity(&user(1, "anna")), SocketId::new("s1"), &Arc::default());
    let mut context = Context::from_waker(Waker::noop());
    let mut first = Box::pin(presence.flush());
    assert_eq!(first.as_mut().poll(&mut context), Poll::Pending);
    assert_eq!(Box::pin(presence.flush()).as_mut().poll(&mut context), Poll::Ready(()));
    drop(first);
    assert_eq!(Box::pin(presence.flush()).as_mut().poll(&mut context), Poll::Pending);
}
