//! What members of the roster are told, and that it agrees with who may know of whom.

use std::collections::{BTreeMap, BTreeSet};

use chat_domain::{model::Timestamp, ports::Clock};
use chat_socketio_actix::Budget;
use proptest::prelude::*;

use super::*;

fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 12])
}

fn socket(n: u8) -> SocketId {
    SocketId::new(format!("s{n}"))
}

fn circle() -> Circle {
    Circle { blocked: Arc::default(), contacts: None }
}

fn now() -> Instant {
    chat_testkit::ManualClock::default().instant()
}

fn block(blocker: u8, blocked: u8) -> Block {
    Block { blocker: user(blocker), blocked: user(blocked), since: Timestamp::from_millis(1) }
}

fn online(roster: &mut Roster, n: u8) {
    roster.online(user(n), &Arc::from(format!("user{n}")), &socket(n), &Arc::default());
}

fn join(roster: &mut Roster, n: u8) -> Arc<Outbox> {
    join_with(roster, n, &circle())
}

fn join_with(roster: &mut Roster, n: u8, circle: &Circle) -> Arc<Outbox> {
    let (outbox, since) = (Arc::new(Outbox::new(1 << 20, &Budget::new(1 << 24))), roster.since());
    assert!(roster.join(user(n), &socket(n), &outbox, circle, since));
    outbox
}

fn drain(outbox: &Outbox) -> Vec<String> {
    let packets = std::iter::from_fn(|| outbox.pop());
    packets.map(|packet| String::from_utf8(packet.text.to_vec()).unwrap()).collect()
}

#[test]
fn a_new_socket_sees_everybody_but_itself() {
    let mut roster = Roster::default();
    online(&mut roster, 1);
    online(&mut roster, 2);
    let seen = drain(&join(&mut roster, 2));
    assert_eq!(seen.len(), 1);
    assert!(seen[0].contains("user1") && !seen[0].contains("user2"), "{seen:?}");
    online(&mut roster, 3);
    roster.offline(user(1), "user1");
    let seen = drain(&join(&mut roster, 3));
    assert!(seen[0].contains("user2") && !seen[0].contains("user1"), "{seen:?}");
}

#[test]
fn of_a_batch_a_socket_gets_what_came_after_it_joined() {
    let mut roster = Roster::default();
    online(&mut roster, 1);
    let first = join(&mut roster, 1);
    online(&mut roster, 2);
    let second = join(&mut roster, 2);
    online(&mut roster, 3);
    drain(&first);
    drain(&second);
    roster.flush(now());
    assert_eq!(drain(&first).len(), 2);
    let seen = drain(&second);
    assert!(seen.len() == 1 && seen[0].contains("user3"), "{seen:?}");
    roster.flush(now());
    assert!(drain(&first).is_empty());
}

#[test]
fn batches_keep_their_pause_and_the_first_goes_at_once() {
    let mut roster = Roster::default();
    online(&mut roster, 1);
    assert!(roster.is_due(now()));
    let now = now();
    roster.flush(now);
    online(&mut roster, 2);
    assert!(!roster.is_due(now));
    assert!(roster.is_due(now + SHORTEST_PAUSE));
}

#[test]
fn an_entry_names_the_newest_socket() {
    let mut roster = Roster::default();
    online(&mut roster, 1);
    let (old, new) = (join(&mut roster, 1), Arc::new(Outbox::new(1000, &Budget::new(1 << 24))));
    let since = roster.since();
    assert!(roster.join(user(1), &socket(9), &new, &circle(), since));
    online(&mut roster, 2);
    assert!(drain(&join(&mut roster, 2))[0].contains("\"s9\""));
    roster.leave(user(1), Some(socket(1)), &new);
    assert!(drain(&join(&mut roster, 2))[0].contains("\"s1\""));
    drop(old);
}

#[test]
fn a_batch_is_encoded_once_for_all_who_may_know_of_all_of_it() {
    let mut roster = Roster::default();
    let outboxes: Vec<_> = (1..=3).map(|n| join(&mut roster, n)).collect();
    outboxes.iter().for_each(|outbox| drop(drain(outbox)));
    (10..20).for_each(|n| online(&mut roster, n));
    roster.flush(now());
    let packets: Vec<Vec<_>> =
        outboxes.iter().map(|outbox| std::iter::from_fn(|| outbox.pop()).collect()).collect();
    for packet in packets[0].iter().zip(&packets[1]).zip(&packets[2]).map(|((a, b), c)| [a, b, c]) {
        let places = packet.map(|packet| packet.text.as_ptr());
        assert!(places.iter().all(|place| *place == places[0]), "the same bytes, not equal ones");
    }
    assert_eq!(packets[0].len(), 10);
}

#[test]
fn what_changes_while_a_circle_is_read_is_laid_over_it() {
    let mut roster = Roster::default();
    (2..=4).for_each(|n| online(&mut roster, n));
    let since = roster.since();
    // Read before: one blocks nobody, and knows 2 and 4.
    let circle = Circle { blocked: Arc::new([user(4)]), contacts: Some(Arc::new([user(2), user(4)])) };
    roster.blocking(&block(1, 2), true, now());
    roster.blocking(&block(1, 4), false, now());
    roster.acquainted(ConversationId::between(user(3), user(1)), now());
    let outbox = Arc::new(Outbox::new(1 << 20, &Budget::new(1 << 24)));
    assert!(roster.join(user(1), &socket(1), &outbox, &circle, since));
    let seen = drain(&outbox);
    assert!(!seen[0].contains("user2") && seen[0].contains("user3") && seen[0].contains("user4"), "{seen:?}");
}

#[test]
fn a_socket_whose_circle_is_too_old_is_turned_away() {
    let mut roster = Roster::default();
    let since = roster.since();
    for number in 0..5_000 {
        roster.blocking(&block(1, 2), number % 2 == 0, now());
    }
    let outbox = Arc::new(Outbox::new(1 << 20, &Budget::new(1 << 24)));
    assert!(!roster.join(user(1), &socket(1), &outbox, &circle(), since));
    assert!(drain(&outbox).is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Connect(u8),
    Disconnect(u8),
    Block(u8, u8, bool),
    Write(u8, u8),
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    let pair = || (0..5_u8, 0..5_u8).prop_filter("two", |(a, b)| a != b);
    prop_oneof![
        4 => (0..5_u8).prop_map(Step::Connect),
        3 => (0..5_u8).prop_map(Step::Disconnect),
        3 => (pair(), any::<bool>()).prop_map(|((a, b), blocks)| Step::Block(a, b, blocks)),
        2 => pair().prop_map(|(a, b)| Step::Write(a, b)),
        2 => Just(Step::Flush),
    ]
}

/// What really is: who is connected, who blocks whom, who has written with whom.
#[derive(Default)]
struct World {
    outboxes: BTreeMap<u8, Arc<Outbox>>,
    blocks: BTreeSet<(u8, u8)>,
    met: BTreeSet<(u8, u8)>,
    /// What each one's client believes.
    seen: BTreeMap<u8, BTreeSet<u8>>,
    contacts_only: bool,
}

impl World {
    fn circle(&self, n: u8) -> Circle {
        let mine = |set: &BTreeSet<(u8, u8)>| -> Arc<[UserId]> {
            set.iter().filter(|(a, _)| *a == n).map(|(_, b)| user(*b)).collect()
        };
        Circle { blocked: mine(&self.blocks), contacts: self.contacts_only.then(|| mine(&self.met)) }
    }

    fn expected(&self, n: u8) -> BTreeSet<u8> {
        let visible = |other: &u8| {
            *other != n
                && !self.blocks.contains(&(n, *other))
                && !self.blocks.contains(&(*other, n))
                && (!self.contacts_only || self.met.contains(&(n, *other)))
        };
        self.outboxes.keys().copied().filter(visible).collect()
    }

    fn listen(&mut self) {
        for (n, outbox) in &self.outboxes {
            let seen = self.seen.entry(*n).or_default();
            for packet in drain(outbox) {
                let users = (0..5).filter(|other| packet.contains(&format!("\"user{other}\"")));
                if packet.contains("online_users") {
                    *seen = users.collect();
                } else if packet.contains("user_online") {
                    seen.extend(users);
                } else {
                    seen.retain(|other| !packet.contains(&format!("\"user{other}\"")));
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn every_observers_list_is_right_at_the_end(steps in prop::collection::vec(step(), 1..60), contacts_only: bool) {
        let (mut roster, mut world) = (Roster::default(), World { contacts_only, ..World::default() });
        for step in steps {
            match step {
                Step::Connect(n) if !world.outboxes.contains_key(&n) => {
                    let circle = world.circle(n);
                    roster.online(user(n), &Arc::from(format!("user{n}")), &socket(n), &circle.blocked);
                    world.seen.remove(&n);
                    world.outboxes.insert(n, join_with(&mut roster, n, &circle));
                }
                Step::Disconnect(n) => {
                    if let Some(outbox) = world.outboxes.remove(&n) {
                        roster.leave(user(n), None, &outbox);
                        roster.offline(user(n), &format!("user{n}"));
                    }
                }
                // Who blocks is connected.
                Step::Block(a, b, blocks) if world.outboxes.contains_key(&a) => {
                    let changed =
                        if blocks { world.blocks.insert((a, b)) } else { world.blocks.remove(&(a, b)) };
                    if changed {
                        roster.blocking(&block(a, b), blocks, now());
                    }
                }
                Step::Write(a, b) => {
                    if world.met.insert((a, b)) {
                        world.met.insert((b, a));
                        roster.acquainted(ConversationId::between(user(a), user(b)), now());
                    }
                }
                Step::Flush => roster.flush(now()),
                Step::Connect(_) | Step::Block(..) => {}
            }
            world.listen();
        }
        roster.flush(now());
        world.listen();
        for n in world.outboxes.keys() {
            prop_assert_eq!(&world.seen[n], &world.expected(*n), "what {} sees", n);
        }
    }
}
