//! Crashes, torn files, and backups.

use std::{
    fs::{self, File},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use chat_ports::{
    HistoryAnchor, HistoryQuery, Messages,
    model::{ConversationId, Message},
};
use chat_testkit::{ManualClock, RecordingListener};
use futures_executor::block_on;
use rusqlite::Connection;
use tempfile::TempDir;

use super::world::{World, assert_gap_free, exists, found, user};
use crate::{BackupError, Options, Store, restore, verify};

fn open(dir: &Path) -> Store {
    Store::open(Options::new(dir), Arc::new(ManualClock::new()), RecordingListener::new()).unwrap()
}

fn conversation(store: &Store, a: u8, b: u8) -> Vec<Arc<Message>> {
    let conversation = ConversationId::between(user(a), user(b));
    let query = HistoryQuery {
        conversation,
        anchor: HistoryAnchor::After(0),
        limit: u32::MAX,
        max_bytes: usize::MAX,
    };
    block_on(store.history(query)).unwrap().items
}

/// The files as a crash would leave them: between two commits, at whatever moment of a checkpoint.
fn crash_copy(dir: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let hold = |name: &str| {
        let connection = Connection::open(dir.join(name)).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    };
    let held = (hold("log.db"), hold("tables.db"));
    for name in ["log.db", "log.db-wal", "tables.db", "tables.db-wal"] {
        fs::copy(dir.join(name), copy.path().join(name)).unwrap();
    }
    drop(held);
    copy
}

/// Sends from several threads until told to stop, and notes what was acknowledged.
fn under_load(world: &World, meanwhile: impl FnOnce(&Mutex<Vec<Arc<Message>>>)) -> Vec<Arc<Message>> {
    let (stop, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for sender in 2..6_u8 {
            let (stop, acknowledged, world) = (&stop, &acknowledged, &world);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let message = world.send(sender, 1);
                    if message.seq % 5 == 0 {
                        world.read(1, &message);
                    }
                    acknowledged.lock().unwrap().push(message);
                }
            });
        }
        meanwhile(&acknowledged);
        stop.store(true, Ordering::Relaxed);
    });
    acknowledged.into_inner().unwrap()
}

#[test]
fn after_a_crash_everything_acknowledged_is_there_and_everything_agrees() {
    let world = World::new(|options| options.sweep_entries = 37);
    let mut copies = Vec::new();
    under_load(&world, |acknowledged| {
        for round in 1..=12 {
            super::world::wait_until(|| acknowledged.lock().unwrap().len() >= round * 40);
            let before = acknowledged.lock().unwrap().clone();
            copies.push((before, crash_copy(world.dir.path())));
        }
    });
    for (acknowledged, copy) in copies {
        let store = open(copy.path());
        for message in &acknowledged {
            let stored = found(&store, message.id).unwrap();
            assert_eq!(Message { delivered_at: None, read_at: None, ..Message::clone(&stored) }, **message);
        }
        (2..6).for_each(|sender| assert_gap_free(&conversation(&store, sender, 1)));
        store.close();
        assert_eq!(verify(copy.path()).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn a_torn_tail_of_the_log_costs_only_what_was_torn() {
    let world = World::new(|_| {});
    (0..50).for_each(|_| drop(world.send(1, 2)));
    let copy = crash_copy(world.dir.path());
    let wal = copy.path().join("log.db-wal");
    let whole = fs::metadata(&wal).unwrap().len();
    let mut lengths = Vec::new();
    for cut in [1, 3_000, 4_121, 20_000] {
        let torn = tempfile::tempdir().unwrap();
        for name in ["log.db", "log.db-wal", "tables.db", "tables.db-wal"] {
            fs::copy(copy.path().join(name), torn.path().join(name)).unwrap();
        }
        let file = File::options().write(true).open(torn.path().join("log.db-wal")).unwrap();
        file.set_len(whole - cut).unwrap();
        // What a disk may leave at the end instead of the rest.
        file.set_len(whole).unwrap();
        let store = open(torn.path());
        let messages = conversation(&store, 1, 2);
        assert_gap_free(&messages);
        lengths.push(messages.len());
        store.close();
        assert_eq!(verify(torn.path()).unwrap(), Vec::<String>::new());
    }
    assert!(lengths.is_sorted_by(|a, b| a >= b) && lengths[0] == 49 && lengths[3] > 30, "{lengths:?}");
}

#[test]
fn a_backup_of_a_running_store_is_restored_with_everything_acknowledged_before() {
    let world = World::new(|options| options.sweep_entries = 37);
    world.add_user("alice", 1);
    let (folder, mut before) = (tempfile::tempdir().unwrap(), Vec::new());
    let file = folder.path().join("backup");
    under_load(&world, |acknowledged| {
        super::world::wait_until(|| acknowledged.lock().unwrap().len() >= 300);
        before = acknowledged.lock().unwrap().clone();
        block_on(world.store.backup(file.clone())).unwrap();
    });
    assert!(matches!(block_on(world.store.backup(file.clone())), Err(BackupError::Exists(_))));
    let restored = folder.path().join("restored");
    restore(&file, &restored).unwrap();
    let store = open(&restored);
    for message in &before {
        let stored = found(&store, message.id).unwrap();
        assert_eq!(stored.seq, message.seq);
    }
    for sender in 2..6 {
        let copied = conversation(&store, sender, 1);
        assert_gap_free(&copied);
        let ids = |messages: &[Arc<Message>]| messages.iter().map(|message| message.id).collect::<Vec<_>>();
        assert_eq!(ids(&copied), ids(&world.all(sender, 1)[..copied.len()]));
    }
    assert!(exists(&store, "alice"));
    store.close();
    assert_eq!(verify(&restored).unwrap(), Vec::<String>::new());
    assert!(matches!(restore(&file, &restored), Err(BackupError::Exists(_))));
    assert!(matches!(restore(&restored.join("log.db"), folder.path()), Err(BackupError::Foreign(_))));
}

#[test]
fn of_backups_to_one_path_one_is_made_and_nothing_is_overwritten() {
    let world = World::new(|_| {});
    world.send(1, 2);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    let made: usize = std::thread::scope(|scope| {
        let backups = [(); 6].map(|()| scope.spawn(|| block_on(world.store.backup(file.clone()))));
        let results = backups.map(|backup| backup.join().unwrap());
        results.iter().filter(|result| !matches!(result, Err(BackupError::Exists(_)))).for_each(|result| {
            assert!(result.is_ok(), "{result:?}");
        });
        results.iter().filter(|result| result.is_ok()).count()
    });
    assert_eq!(made, 1);
    restore(&file, &folder.path().join("restored")).unwrap();
    assert!(!folder.path().join("backup.partial").exists());

    let other = folder.path().join("other");
    fs::write(folder.path().join("other.partial"), "another process writes here").unwrap();
    let refusal = block_on(world.store.backup(other.clone())).unwrap_err().to_string();
    assert!(refusal.contains("other.partial exists already"), "{refusal}");
    assert!(!other.exists());
    assert_eq!(
        fs::read_to_string(folder.path().join("other.partial")).unwrap(),
        "another process writes here"
    );
}

#[test]
fn a_folder_in_use_is_not_restored_into() {
    let world = World::new(|_| {});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    block_on(world.store.backup(file.clone())).unwrap();
    // As between another process's locking the folder and making its files.
    let lock = File::create(folder.path().join("store.lock")).unwrap();
    lock.lock().unwrap();
    let refusal = restore(&file, folder.path()).unwrap_err().to_string();
    assert!(refusal.contains("store.lock is locked"), "{refusal}");
    assert!(!folder.path().join("log.db").exists());
    drop(lock);
    restore(&file, folder.path()).unwrap();
}

#[test]
fn an_interrupted_restoring_is_refused() {
    let world = World::new(|_| {});
    world.send(1, 2);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    block_on(world.store.backup(file.clone())).unwrap();
    restore(&file, folder.path()).unwrap();
    fs::remove_file(folder.path().join("tables.db")).unwrap();
    let refusal =
        Store::open(Options::new(folder.path()), Arc::new(ManualClock::new()), RecordingListener::new());
    assert!(refusal.unwrap_err().to_string().contains("tables.db"));
}
