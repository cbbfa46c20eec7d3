//! Commits that fail: full disks, broken connections, unknown outcomes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chat_ports::{Clock, Commit, CommitListener, Committed, StoreHealth, Users, model::Timestamp};
use chat_testkit::{ManualClock, RecordingListener};
use futures_executor::block_on;

use super::world::{World, assert_gap_free, assert_unavailable, user};
use crate::{Options, Store, fault::Fault, job::Job, writer::Writer};

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
    world.store.shared().queue.push_note(Job::Prune { mark: 0, erase: false });
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
fn entries_of_somebody_else_are_not_taken_for_a_failed_commits() {
    let world = World::new(|_| {});
    world.store.close();
    let listener = RecordingListener::new();
    let mut writer = Writer::open(Arc::clone(world.store.shared()), listener.clone(), 0).unwrap();
    let (reply, mut answer) = tokio::sync::oneshot::channel();
    let other = "UPDATE entries SET entry = zeroblob(length(entry))";
    let change = Job::Tamper(Box::new(move |log| assert_eq!(log.execute(other, []).unwrap(), 1)));
    let jobs = [Job::Append(world.message(1, 2, None), reply), change];
    writer.commit_with_unknown_outcome(jobs.into(), true, &Fault::Down("an I/O error".into()));
    assert_unavailable(answer.try_recv().unwrap());
    assert!(listener.take().is_empty());
}

#[test]
fn a_log_that_cannot_be_brought_to_disk_is_not_taken_up_again() {
    let world = World::new(|_| {});
    world.send(1, 2);
    let reader = rusqlite::Connection::open(world.file("log.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM entries").unwrap();
    world.tamper(|log| log.pragma_update(None, "query_only", true).unwrap());
    assert_unavailable(world.try_send(1, 2));
    let refused = world.try_send(1, 2);
    assert!(refused.as_ref().unwrap_err().to_string().contains("being read"), "{refused:?}");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(world.send(1, 2).seq, 2);
    world.assert_consistent();
}

/// How much each commit stored.
#[derive(Default)]
struct Sizes(parking_lot::Mutex<Vec<usize>>);

impl CommitListener for Sizes {
    fn committed(&self, commits: Vec<Committed>) {
        self.0.lock().push(commits.len());
    }
}

#[test]
fn a_batch_that_takes_long_to_stage_is_committed_in_parts_and_in_order() {
    let (world, dir, sizes) = (World::new(|_| {}), tempfile::tempdir().unwrap(), Arc::new(Sizes::default()));
    let store = Store::open(Options::new(dir.path()), Arc::new(world.clock.clone()), sizes.clone()).unwrap();
    let queue = &store.shared().queue;
    // The writer is busy while the queue fills.
    let (begun, begin) = std::sync::mpsc::channel();
    let (go, wait) = std::sync::mpsc::channel();
    queue.push(Job::Tamper(Box::new(move |_| {
        begun.send(()).unwrap();
        wait.recv().unwrap();
    })));
    begin.recv().unwrap();
    let mut answers = Vec::new();
    for _ in 0..40 {
        let (reply, answer) = tokio::sync::oneshot::channel();
        answers.push(answer);
        let clock = world.clock.clone();
        queue.push(Job::Append(world.message(1, 2, None), reply));
        queue.push(Job::Tamper(Box::new(move |_| clock.advance(Duration::from_millis(30)))));
    }
    go.send(()).unwrap();
    let numbers: Vec<u64> =
        answers.into_iter().map(|answer| block_on(answer).unwrap().unwrap().message.seq).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    assert_eq!(*sizes.0.lock(), [4; 10]);
    super::world::wait_until(|| queue.held() == 0);
}

#[test]
fn a_send_costs_one_row_of_the_log_and_those_that_wait_share_a_commit() {
    const SENDS: usize = 128;
    let (world, dir, sizes) = (World::new(|_| {}), tempfile::tempdir().unwrap(), Arc::new(Sizes::default()));
    let store = Store::open(Options::new(dir.path()), Arc::new(world.clock.clone()), sizes.clone()).unwrap();
    let queue = &store.shared().queue;
    let (report, written) = std::sync::mpsc::channel();
    let count = || {
        let report = report.clone();
        let rows = "SELECT total_changes()";
        Job::Tamper(Box::new(move |log| {
            report.send(log.query_row(rows, [], |row| row.get::<_, i64>(0)).unwrap()).unwrap();
        }))
    };
    // The writer is busy while the queue fills.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    queue.push(count());
    queue.push(Job::Tamper(Box::new(move |_| wait.recv().unwrap())));
    let before = written.recv().unwrap();
    let mut answers = Vec::new();
    for number in 0..SENDS {
        let (reply, answer) = tokio::sync::oneshot::channel();
        answers.push(answer);
        queue.push(Job::Append(world.message(1, 2 + (number % 16) as u8, None), reply));
    }
    go.send(()).unwrap();
    answers.into_iter().for_each(|answer| drop(block_on(answer).unwrap().unwrap()));
    queue.push(count());
    assert_eq!((written.recv().unwrap() - before, sizes.0.lock().clone()), (SENDS as i64, vec![SENDS]));
}

/// A clock on which the sweeper runs aground.
#[derive(Debug)]
struct Reef(ManualClock);

impl Clock for Reef {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn instant(&self) -> Instant {
        assert_ne!(std::thread::current().name(), Some("store-sweeper"), "on purpose");
        self.0.instant()
    }
}

#[test]
fn a_sweeper_that_panics_makes_the_check_fail_once_memory_is_full() {
    let (world, dir) = (World::new(|_| {}), tempfile::tempdir().unwrap());
    let options = Options { overlay_entries: 1, ..Options::new(dir.path()) };
    let clock = Arc::new(Reef(world.clock.clone()));
    let store = Store::open(options, clock, RecordingListener::new()).unwrap();
    block_on(store.check()).unwrap();
    block_on(chat_ports::MessageLog::append(&store, world.message(1, 2, None))).unwrap();
    super::world::wait_until(|| block_on(store.check()).is_err());
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
