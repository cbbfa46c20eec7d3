//! Commits told again are those that were told.

use std::{sync::Arc, time::Duration};

use chat_ports::{Commit, CommitNumber, Committed, ReceiptKind, ReplayQuery, Replays, model::Message};
use futures_executor::block_on;
use proptest::prelude::*;

use super::world::{World, user};

#[derive(Debug, Clone)]
enum Step {
    Send(u8, u8),
    Deliver(usize),
    Read(usize),
    Edit(usize),
    Delete(usize),
    Sweep,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let pair = prop_oneof![Just((1, 2)), Just((2, 1)), Just((1, 3)), Just((3, 2))];
    prop_oneof![
        4 => pair.prop_map(|(from, to)| Step::Send(from, to)),
        2 => any::<usize>().prop_map(Step::Deliver),
        2 => any::<usize>().prop_map(Step::Read),
        2 => any::<usize>().prop_map(Step::Edit),
        1 => any::<usize>().prop_map(Step::Delete),
        1 => Just(Step::Sweep),
        1 => Just(Step::Restart),
    ]
}

fn replay(world: &World, me: u8, after: u64, most: u32) -> Option<Vec<Committed>> {
    let upto = world.store.numbering().unwrap().last;
    let query = ReplayQuery { user: user(me), after: CommitNumber(after), upto, most, max_ids: 100 };
    block_on(world.store.replay(query)).unwrap().map(|replay| replay.commits)
}

fn concerns(me: u8, commit: &Commit) -> bool {
    let me = user(me);
    match commit {
        Commit::Sent { message, .. } | Commit::Edited { message } | Commit::Deleted { message } => {
            [message.sender, message.receiver].contains(&me)
        }
        Commit::Receipt { kind, receiver, span, .. } => {
            span.sender == me || (*kind == ReceiptKind::Read && *receiver == me)
        }
        _ => false,
    }
}

/// What a client makes of a commit: what it is about, without the state of messages, which is that of now.
fn gist(committed: &Committed) -> (u64, String) {
    let what = match &committed.commit {
        Commit::Sent { message, .. } => format!("sent {}", message.id),
        Commit::Receipt { kind, receiver, span, .. } => format!("{kind:?} {receiver} {:?}", span.messages),
        Commit::Edited { message } => format!("edited {}", message.id),
        Commit::Deleted { message } => format!("deleted {}", message.id),
        _ => String::new(),
    };
    (committed.number.unwrap().0, what)
}

/// What was told past a number, and a receipt of that number, but for edits that a later one, a deletion or the message itself has overtaken, and for
/// deliveries that came right before their reading.
fn told(all: &[Committed], me: u8, after: u64) -> Vec<(u64, String)> {
    let range: Vec<_> = all
        .iter()
        .filter(|committed| {
            let (n, is_receipt) =
                (committed.number.unwrap().0, matches!(committed.commit, Commit::Receipt { .. }));
            n > after || n == after && is_receipt
        })
        .collect();
    let gists: Vec<_> = range.iter().map(|committed| gist(committed).1).collect();
    let is_overtaken = |place: usize| match &range[place].commit {
        Commit::Edited { message } => {
            let later = &gists[place + 1..];
            gists.contains(&format!("sent {}", message.id))
                || later.contains(&format!("edited {}", message.id))
                || all.iter().any(|later| gist(later).1 == format!("deleted {}", message.id))
        }
        Commit::Sent { .. } | Commit::Receipt { .. } | Commit::Deleted { .. } | _ => false,
    };
    let is_silent = |place: usize| match (&range[place].commit, range.get(place + 1).map(|next| &next.commit))
    {
        (
            Commit::Receipt { kind: ReceiptKind::Delivered, span, .. },
            Some(Commit::Receipt { kind: ReceiptKind::Read, span: read, .. }),
        ) => span.messages.last() == read.messages.last(),
        _ => false,
    };
    (0..range.len())
        .filter(|place| concerns(me, &range[*place].commit) && !is_overtaken(*place) && !is_silent(*place))
        .map(|place| gist(range[place]))
        .collect()
}

fn run(steps: Vec<Step>) {
    let mut world = World::new(|options| options.sweep_age = Duration::from_secs(3_600));
    let mut sent: Vec<Arc<Message>> = Vec::new();
    for (at, step) in (3_000_000_i64..).zip(steps) {
        let pick = |n: usize| sent.get(n % sent.len().max(1)).cloned();
        let receiver = |message: &Message| message.receiver.bytes()[0];
        match step {
            Step::Send(from, to) => sent.push(world.send(from, to)),
            Step::Deliver(n) => drop(pick(n).map(|m| world.deliver_at(receiver(&m), &m, at))),
            Step::Read(n) => drop(pick(n).map(|m| world.read_at(receiver(&m), &m, at))),
            Step::Edit(n) => drop(pick(n).map(|m| world.edit(&m, "another text", at))),
            Step::Delete(n) => drop(pick(n).map(|m| world.delete(&m, at))),
            Step::Sweep => assert!(world.store.shared().overlay.drain(Duration::from_secs(10))),
            Step::Restart => world = world.reopened(),
        }
    }
    let all = world.commits.numbered();
    let last = world.store.numbering().unwrap().last.0;
    assert!(all.windows(2).all(|pair| pair[0].number < pair[1].number));
    for after in 0..=last {
        for me in 1..=3 {
            let again: Vec<_> = replay(&world, me, after, 1_000).unwrap().iter().map(gist).collect();
            assert_eq!(again, told(&all, me, after), "user {me} after {after}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_again_is_what_was_told(steps in proptest::collection::vec(step(), 1..40)) {
        run(steps);
    }
}

#[test]
fn messages_are_told_again_as_they_are_now() {
    let world = World::new(|_| {});
    let (first, second) = (world.send(1, 2), world.send(1, 2));
    let edited = world.edit(&first, "better", 2_000_000).unwrap();
    world.delete(&second, 2_000_001);
    let again: Vec<Commit> = replay(&world, 2, 0, 10).unwrap().into_iter().map(|told| told.commit).collect();
    let gone = world.all(1, 2).pop().unwrap();
    assert_eq!(
        again,
        [
            Commit::Sent { message: edited, except: None },
            Commit::Sent { message: Arc::clone(&gone), except: None },
            Commit::Deleted { message: gone },
        ]
    );
}

#[test]
fn more_than_was_asked_for_and_what_is_to_come_are_not_told() {
    let world = World::new(|_| {});
    (0..3).for_each(|_| drop(world.send(1, 2)));
    assert_eq!(replay(&world, 2, 0, 3).unwrap().len(), 3);
    assert_eq!(replay(&world, 2, 0, 2), None);
    let upto = CommitNumber(world.store.numbering().unwrap().last.0 + 1);
    let query = ReplayQuery { user: user(2), after: CommitNumber(0), upto, most: 10, max_ids: 100 };
    assert_eq!(block_on(world.store.replay(query)).unwrap(), None);
}

#[test]
fn an_edit_is_not_told_with_the_text_of_one_past_the_range() {
    let world = World::new(|options| options.sweep_age = Duration::from_secs(3_600));
    let (sent, other, gone) = (world.send(1, 2), world.send(1, 2), world.send(1, 2));
    let after = world.store.numbering().unwrap().last;
    for message in [&sent, &other, &gone] {
        world.edit(message, "first", 2_000_000).unwrap();
    }
    let upto = world.store.numbering().unwrap().last;
    let query = ReplayQuery { user: user(2), after, upto, most: 10, max_ids: 100 };
    let again = || -> Vec<Commit> {
        let replay = block_on(world.store.replay(query)).unwrap().unwrap();
        replay.commits.into_iter().map(|told| told.commit).collect()
    };
    assert_eq!(again().len(), 3);
    world.edit(&sent, "second", 2_000_001).unwrap();
    world.read(2, &other);
    world.delete(&gone, 2_000_002);
    let other = world.all(1, 2).swap_remove(1);
    assert_eq!(other.text, "first");
    let expected = [Commit::Edited { message: other }];
    assert_eq!(again(), expected, "in memory");
    assert!(world.store.shared().overlay.drain(Duration::from_secs(10)));
    assert_eq!(again(), expected, "in the tables");
    let later = ReplayQuery { after: upto, upto: world.store.numbering().unwrap().last, ..query };
    let later = block_on(world.store.replay(later)).unwrap().unwrap().commits;
    let edits = later
        .iter()
        .filter(|told| matches!(&told.commit, Commit::Edited { message } if message.text == "second"));
    assert_eq!(edits.count(), 1);
}
