//! What is in memory, what is in the tables, and that nobody can tell which.

use std::time::Duration;

use chat_ports::{
    ConversationQuery, Conversations, HistoryAnchor, HistoryQuery, MessageLog, Messages, StoreError,
    model::ConversationId,
};
use futures_executor::block_on;
use proptest::prelude::*;
use rusqlite::Connection;

use super::world::{World, assert_gap_free, exists, found, user, wait_until};
use crate::writer::bounds;

#[derive(Debug, Clone)]
enum Step {
    Send {
        from: u8,
        to: u8,
    },
    /// Reads up to one of the messages so far, as its receiver.
    Read {
        which: prop::sample::Index,
    },
    /// Delivers up to one of the messages so far, as its receiver.
    Deliver {
        which: prop::sample::Index,
    },
    Edit {
        which: prop::sample::Index,
    },
    Delete {
        which: prop::sample::Index,
    },
    /// Sends an earlier message again.
    Repeat {
        which: prop::sample::Index,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let pair = (0..4_u8, 0..4_u8).prop_filter("not to oneself", |(a, b)| a != b);
    prop_oneof![
        8 => pair.prop_map(|(from, to)| Step::Send { from, to }),
        3 => any::<prop::sample::Index>().prop_map(|which| Step::Read { which }),
        2 => any::<prop::sample::Index>().prop_map(|which| Step::Deliver { which }),
        2 => any::<prop::sample::Index>().prop_map(|which| Step::Edit { which }),
        1 => any::<prop::sample::Index>().prop_map(|which| Step::Delete { which }),
        1 => any::<prop::sample::Index>().prop_map(|which| Step::Repeat { which }),
        1 => Just(Step::Restart),
    ]
}

/// Everything that can be read, after each step and at the end.
fn story(steps: &[Step], sweep_entries: usize) -> Vec<String> {
    let mut world = World::new(|options| options.sweep_entries = sweep_entries);
    let (mut sent, mut story) = (Vec::new(), Vec::new());
    let mut positions = vec![world.position()];
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Send { from, to } => {
                let new = world.message(*from, *to, Some(&format!("c{at}")));
                let message = block_on(world.store.append(new.clone())).unwrap().message;
                sent.push((new, message));
            }
            Step::Read { which } if !sent.is_empty() => {
                let (_, message) = which.get(&sent);
                let reader = message.receiver.bytes()[0];
                story.push(format!("{:?}", world.read_at(reader, message, 5_000 + at as i64)));
            }
            Step::Deliver { which } if !sent.is_empty() => {
                let (_, message) = which.get(&sent);
                let receiver = message.receiver.bytes()[0];
                story.push(format!("{:?}", world.deliver_at(receiver, message, 5_000 + at as i64)));
            }
            Step::Edit { which } if !sent.is_empty() => {
                let (_, message) = which.get(&sent);
                story.push(format!("{:?}", world.edit(message, &format!("text {at}"), 5_000 + at as i64)));
            }
            Step::Delete { which } if !sent.is_empty() => {
                let (_, message) = which.get(&sent);
                story.push(format!("{:?}", world.delete(message, 5_000 + at as i64)));
            }
            Step::Repeat { which } if !sent.is_empty() => {
                let (new, _) = which.get(&sent);
                story.push(format!("{:?}", block_on(world.store.append(new.clone())).unwrap()));
            }
            Step::Read { .. }
            | Step::Deliver { .. }
            | Step::Edit { .. }
            | Step::Delete { .. }
            | Step::Repeat { .. } => {}
            Step::Restart => world = world.reopened(),
        }
        if at % 7 == 0 {
            look(&world, &mut story);
            positions.push(world.position());
        }
    }
    look(&world, &mut story);
    for (at, since) in positions.iter().enumerate() {
        for me in 0..4 {
            story.push(format!("{:?}", world.missed(me, since, 1 + at as u32)));
        }
    }
    story.extend(sent.iter().map(|(_, message)| format!("{:?}", found(&world.store, message.id))));
    story.extend(world.commits.commits().iter().map(|commit| format!("{commit:?}")));
    world.assert_consistent();
    story
}

fn look(world: &World, story: &mut Vec<String>) {
    for a in 0..4 {
        story.push(format!("{:?}", world.list(a)));
        for b in 0..a {
            for (anchor, max_bytes) in [
                (HistoryAnchor::After(0), usize::MAX),
                (HistoryAnchor::Newest { skip: 1 }, 40),
                (HistoryAnchor::Before(4), usize::MAX),
                (HistoryAnchor::After(2), 40),
            ] {
                let conversation = ConversationId::between(user(a), user(b));
                let query = HistoryQuery { conversation, anchor, limit: 5, max_bytes };
                story.push(format!("{:?}", block_on(world.store.history(query)).unwrap()));
            }
        }
        let after = world.list(a).first().map(|entry| chat_ports::model::ConversationCursor {
            timestamp: entry.last_message.timestamp,
            message: entry.last_message.id,
        });
        let query = ConversationQuery { user: user(a), after, limit: 1, max_unread: 2 };
        story.push(format!("{:?}", block_on(Conversations::list(&*world.store, query)).unwrap()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_swept_and_what_is_not_reads_the_same(steps in prop::collection::vec(step(), 1..60)) {
        let in_memory = story(&steps, usize::MAX);
        for sweep_entries in [1, 4] {
            let swept = story(&steps, sweep_entries);
            let differs = swept.iter().zip(&in_memory).position(|(a, b)| a != b);
            prop_assert_eq!(differs.map(|at| (&swept[at], &in_memory[at])), None);
            prop_assert_eq!(swept.len(), in_memory.len());
        }
    }
}

#[test]
fn swept_entries_leave_memory_and_after_a_checkpoint_the_log() {
    let world = World::new(|options| options.sweep_entries = 10);
    for _ in 0..95 {
        let message = world.send(1, 2);
        world.read(2, &message);
    }
    let world = world.reopened();
    world.swept();
    assert_gap_free(&world.all(1, 2));
    let log = Connection::open(world.file("log.db")).unwrap();
    // The first checkpoint comes with the first sweep after a pause, or with closing.
    world.clock.advance(Duration::from_secs(60));
    (0..10).for_each(|_| drop(world.send(1, 2)));
    wait_until(|| bounds(&log).unwrap().is_none());
    drop(log);
    let world = world.reopened();
    assert_eq!(world.send(2, 1).seq, 106);
    world.assert_consistent();
}

#[test]
fn while_memory_is_full_sends_wait_until_their_deadline_and_everything_else_goes_on() {
    let world = World::new(|options| {
        options.sweep_entries = 5;
        options.overlay_entries = 10;
    });
    let tables = Connection::open(world.file("tables.db")).unwrap();
    tables.execute_batch("BEGIN IMMEDIATE").unwrap();
    (0..10).for_each(|_| drop(world.send(1, 2)));
    let waiting = world.store.append(world.message(1, 2, None));
    let (sender, answer) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || sender.send(block_on(waiting)).unwrap());
        wait_until(|| world.store.shared().queue.held() == 1);
        world.add_user("somebody", 9);
        assert!(exists(&world.store, "somebody"));
        assert_eq!(world.all(1, 2).len(), 10);
        assert!(answer.try_recv().is_err(), "it waits");
        world.clock.advance(Duration::from_secs(6));
        let late = answer.recv().unwrap();
        assert!(matches!(late, Err(chat_ports::AppendError::Store(StoreError::Timeout))), "{late:?}");
    });
    tables.execute_batch("ROLLBACK").unwrap();
    assert_eq!(world.send(1, 2).seq, 11);
    drop(tables);
    world.assert_consistent();
}

#[test]
fn a_sweep_is_due_by_age_as_well() {
    let world = World::new(|options| options.sweep_age = Duration::from_millis(20));
    world.send(1, 2);
    assert_eq!(world.store.shared().overlay.size().0, 1);
    world.clock.advance(Duration::from_millis(20));
    world.swept();
    assert_eq!(world.all(1, 2).len(), 1);
}
