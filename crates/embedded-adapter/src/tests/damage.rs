//! Files that are damaged: made again where nothing acknowledged is lost, refused otherwise.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
};

use chat_testkit::{ManualClock, RecordingListener};
use rusqlite::Connection;

use super::world::{World, assert_gap_free, found};
use crate::{Options, Store, schema::DERIVED_TABLES};

fn open(dir: &Path, check_bytes: u64) -> Result<Store, crate::OpenError> {
    let options = Options { check_bytes, ..Options::new(dir) };
    Store::open(options, Arc::new(ManualClock::new()), RecordingListener::new())
}

/// A store with messages and readings, swept and closed.
fn filled() -> World {
    let world = World::new(|_| {});
    for round in 0..400_u32 {
        let other = (round % 7) as u8 + 2;
        let message = world.message(1, other, Some(&format!("c{round}")));
        let message = futures_executor::block_on(chat_ports::MessageLog::append(&*world.store, message))
            .unwrap()
            .message;
        if round % 3 == 0 {
            world.read(other, &message);
        }
    }
    world.assert_consistent();
    world
}

/// Writes nonsense over a table's first page.
fn spoil(file: &Path, table: &str) {
    let connection = Connection::open(file).unwrap();
    let page: u64 = connection
        .query_row("SELECT rootpage FROM sqlite_master WHERE name = ?1", [table], |row| row.get::<_, i64>(0))
        .unwrap() as u64;
    let size: u64 =
        connection.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0)).unwrap() as u64;
    drop(connection);
    let mut file = File::options().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start((page - 1) * size)).unwrap();
    file.write_all(&[0x5a; 4096]).unwrap();
}

#[test]
fn damaged_derived_tables_are_made_again_from_the_messages() {
    for table in DERIVED_TABLES {
        let world = filled();
        let before: Vec<_> = {
            let world = World::reopened_after(world, |_| {});
            let state = (world.list(1), world.all(1, 2));
            spoil_closed(&world, table);
            vec![(world, state)]
        };
        for (world, state) in before {
            let world = world.reopened();
            assert_eq!((world.list(1), world.all(1, 2)), state, "{table}");
            assert!(world.file("tables.db.damaged").exists());
            assert_eq!(world.send(1, 2).seq, state.1.len() as u64 + 1);
            assert!(found(&world.store, state.1[0].id).is_some());
            world.assert_consistent();
        }
    }
}

#[test]
fn of_two_messages_with_one_id_the_first_is_found_also_after_rebuilding() {
    let world = World::new(|_| {});
    let twin = world.message(1, 2, None);
    for _ in 0..2 {
        let twin = twin.clone();
        futures_executor::block_on(chat_ports::MessageLog::append(&*world.store, twin)).unwrap();
    }
    let world = world.reopened();
    assert_eq!(found(&world.store, twin.id).unwrap().seq, 1);
    spoil_closed(&world, "ids");
    let world = world.reopened();
    assert_eq!(found(&world.store, twin.id).unwrap().seq, 1);
    assert_eq!(world.all(1, 2).len(), 2);
}

fn spoil_closed(world: &World, table: &str) {
    world.store.close();
    spoil(&world.file("tables.db"), table);
}

#[test]
fn damaged_messages_are_refused_with_the_way_back() {
    for (file, table) in
        [("tables.db", "messages"), ("tables.db", "reads"), ("log.db", "entries"), ("log.db", "users")]
    {
        let world = filled();
        spoil(&world.file(file), table);
        let refusal = open(world.dir.path(), u64::MAX).unwrap_err().to_string();
        assert!(
            refusal.contains(file) && refusal.contains(table) && refusal.contains("restore a backup"),
            "{refusal}"
        );
    }
}

#[test]
fn a_truncated_file_is_refused() {
    let world = filled();
    let file = world.file("tables.db");
    let length = fs::metadata(&file).unwrap().len();
    File::options().write(true).open(&file).unwrap().set_len(length / 2).unwrap();
    assert!(open(world.dir.path(), 0).unwrap_err().to_string().contains("tables.db"));
}

#[test]
fn damage_that_is_met_while_running_is_repaired_by_the_next_start() {
    let world = filled();
    let message = world.reopened().all(1, 2)[0].clone();
    let world = filled();
    spoil(&world.file("tables.db"), "dedup");
    // A file past the bound is not checked at every start.
    let store = open(world.dir.path(), 0).unwrap();
    let repeat = chat_ports::NewMessage {
        client_id: Some(chat_testkit::build::client_id("c0")),
        ..world.message(1, 2, None)
    };
    let answer = futures_executor::block_on(chat_ports::MessageLog::append(&store, repeat));
    assert!(answer.is_err(), "{answer:?}");
    store.close();
    assert!(world.file("tables.db.suspect").exists());
    let store = open(world.dir.path(), 0).unwrap();
    assert!(!world.file("tables.db.suspect").exists());
    assert!(found(&store, message.id).is_some());
}

#[test]
fn damage_in_the_log_that_is_met_while_running_is_refused_by_the_next_start() {
    for write in [false, true] {
        let world = filled();
        spoil(&world.file("log.db"), "users");
        let store = open(world.dir.path(), 0).unwrap();
        let failed = if write {
            let alice = chat_testkit::build::new_user(super::world::user(1), "alice");
            futures_executor::block_on(chat_ports::Users::insert(&store, alice)).is_err()
        } else {
            futures_executor::block_on(chat_ports::Users::find(&store, super::world::user(1))).is_err()
        };
        assert!(failed);
        store.close();
        assert!(world.file("log.db.suspect").exists() && !world.file("tables.db.suspect").exists());
        for _ in 0..2 {
            let refusal = open(world.dir.path(), 0).unwrap_err().to_string();
            assert!(refusal.contains("log.db is damaged (users"), "{refusal}");
        }
    }
}

#[test]
fn an_interrupted_rebuilding_is_finished() {
    let world = filled();
    let (tables, rebuilt) = (world.file("tables.db"), world.file("tables.db.rebuilt"));
    fs::rename(&tables, &rebuilt).unwrap();
    fs::write(world.file("tables.db.rebuilding"), "half").unwrap();
    let world = world.reopened();
    assert!(!rebuilt.exists() && !world.file("tables.db.rebuilding").exists());
    assert_gap_free(&world.all(1, 2));
    world.assert_consistent();
}
