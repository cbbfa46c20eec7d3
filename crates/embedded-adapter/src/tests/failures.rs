//! Commits that fail: full disks, broken connections, unknown outcomes.

use std::sync::Arc;

use chat_ports::{Commit, StoreHealth, Users};
use chat_testkit::RecordingListener;
use futures_executor::block_on;

use super::world::{World, assert_gap_free, assert_unavailable, user};
use crate::{fault::Fault, job::Job, writer::Writer};

/// A store whose log has room for some hundred messages, whichever connection writes to it.
fn small_disk() -> World {
    World::new(|options| options.max_log_bytes = Some(48 << 10))
}

/// Sends until the disk is full: how many were stored, and the answer to the one that was not.
fn fill_disk(world: &World) -> (usize, Result<chat_ports::Appended, chat_ports::AppendError>) {
    let mut stored = 0;
    loop {
        match world.try_send(1, 2) {
            Ok(_) => stored += 1,
            refused => return (stored, refused),
        }
    }
}

fn free_disk(world: &World) {
    world.tamper(|log| log.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())).unwrap());
}

#[test]
fn a_full_disk_refuses_changes_and_not_reads_and_leaves_no_gap() {
    let world = small_disk();
    world.add_user("early", 1);
    let first = world.send(1, 2);
    let (stored, refused) = fill_disk(&world);
    let stored = stored + 1;
    assert!(refused.as_ref().unwrap_err().to_string().contains("the disk is full"), "{refused:?}");
    assert_unavailable(refused);
    assert_unavailable(world.try_send(1, 3));
    assert!(block_on(world.store.check()).is_err());
    assert_eq!(world.all(1, 2).len(), stored);
    assert!(block_on(Users::find(&*world.store, user(1))).unwrap().is_some());

    free_disk(&world);
    block_on(world.store.check()).unwrap();
    assert_eq!(world.send(1, 2).seq, stored as u64 + 1);
    assert_eq!(world.send(1, 3).seq, 1);
    let told = world.commits.sent(first.conversation());
    assert_gap_free(&told);
    assert_eq!(world.all(1, 2), told);
    let world = world.reopened();
    assert_eq!(world.all(1, 2), told);
    world.assert_consistent();
}

#[test]
fn a_commit_of_nothing_does_not_pass_for_a_disk_with_room() {
    let world = small_disk();
    let (_, refused) = fill_disk(&world);
    assert_unavailable(refused);
    assert!(block_on(world.store.check()).is_err());
    // Nothing to write: notes, and a change of nobody.
    world.tamper(|_| {});
    world.store.shared().queue.push_note(Job::Prune(0));
    block_on(world.store.record_presence(Vec::new())).unwrap();
    assert!(block_on(world.store.check()).is_err());
    free_disk(&world);
    block_on(world.store.check()).unwrap();
    block_on(world.store.check()).unwrap();
}

#[test]
fn a_broken_connection_is_replaced_without_a_restart() {
    let world = World::new(|_| {});
    world.send(1, 2);
    world.tamper(|log| log.pragma_update(None, "query_only", true).unwrap());
    assert_unavailable(world.try_send(1, 2));
    assert_eq!(world.send(1, 2).seq, 2);
    block_on(world.store.check()).unwrap();
    world.assert_consistent();
}

#[test]
fn a_log_that_is_gone_is_refused_and_taken_up_when_it_is_back() {
    let world = World::new(|_| {});
    world.send(1, 2);
    world.tamper(|log| log.pragma_update(None, "query_only", true).unwrap());
    let (log, away) = (world.file("log.db"), world.file("away.db"));
    std::fs::rename(&log, &away).unwrap();
    for _ in 0..3 {
        assert_unavailable(world.try_send(1, 2));
    }
    assert!(block_on(world.store.check()).is_err());
    assert_eq!(world.all(1, 2).len(), 1);
    std::fs::rename(&away, &log).unwrap();
    assert_eq!(world.send(1, 2).seq, 2);
    assert_gap_free(&world.commits.sent(world.all(1, 2)[0].conversation()));
}

#[test]
fn what_a_failed_commit_has_stored_all_the_same_is_published_once() {
    let world = World::new(|_| {});
    world.send(1, 2);
    world.store.close();
    let listener = RecordingListener::new();
    let mut writer = Writer::open(Arc::clone(world.store.shared()), listener.clone(), 1).unwrap();
    for (stored, seq) in [(true, 2), (false, 3), (true, 3)] {
        let (reply, mut answer) = tokio::sync::oneshot::channel();
        let jobs = [Job::Append(world.message(1, 2, Some(&format!("c{seq}{stored}"))), reply)];
        writer.commit_with_unknown_outcome(jobs.into(), stored, &Fault::Down("an I/O error".into()));
        let answer = answer.try_recv().unwrap();
        let told = listener.take();
        if stored {
            assert_eq!(answer.unwrap().message.seq, seq);
            assert!(matches!(&told[..], [Commit::Sent { message, .. }] if message.seq == seq), "{told:?}");
        } else {
            assert_unavailable(answer);
            assert!(told.is_empty(), "{told:?}");
        }
    }
}

#[test]
fn a_closed_store_refuses_everything_and_closes_twice() {
    let world = World::new(|_| {});
    let message = world.send(1, 2);
    world.store.close();
    world.store.close();
    assert_unavailable(world.try_send(1, 2));
    assert!(block_on(Users::find(&*world.store, user(1))).is_err());
    assert!(block_on(world.store.check()).is_err());
    let world = world.reopened();
    assert_eq!(world.all(1, 2), [message]);
}
