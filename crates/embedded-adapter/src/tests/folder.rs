//! Who may open a folder, and what is refused by which name.

use std::{fs, path::Path, sync::Arc};

use chat_testkit::{ManualClock, RecordingListener};
use rusqlite::Connection;

use super::world::World;
use crate::{OpenError, Options, Store, files, schema, sqlite};

fn open(dir: &Path) -> Result<Store, OpenError> {
    Store::open(Options::new(dir), Arc::new(ManualClock::new()), RecordingListener::new())
}

fn refusal(dir: &Path) -> String {
    let message = open(dir).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

/// A store with a message, closed, after something was done to a file of it.
fn changed(name: &str, change: impl FnOnce(&Path)) -> (World, String) {
    let world = World::new(|_| {});
    world.send(1, 2);
    world.store.close();
    change(&world.file(name));
    let refusal = refusal(world.dir.path());
    assert!(refusal.contains(name), "{refusal}");
    (world, refusal)
}

#[test]
fn a_second_open_is_refused_until_the_first_is_closed() {
    let world = World::new(|_| {});
    assert!(refusal(world.dir.path()).contains("another process has this folder open"));
    world.store.close();
    open(world.dir.path()).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_or_is_none_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    for folder in [&file, &file.join("below")] {
        assert!(refusal(folder).contains(&folder.display().to_string()));
    }
}

/// Where the tests run as root, permissions say nothing; the end-to-end tests try this as another user.
#[cfg(unix)]
#[test]
fn a_folder_or_file_that_cannot_be_written_is_refused_by_name() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new(|_| {});
    world.store.close();
    let probe = world.file("probe");
    let modes = |mode| fs::set_permissions(world.dir.path(), fs::Permissions::from_mode(mode)).unwrap();
    modes(0o500);
    let bound = fs::write(&probe, "x").is_err();
    if bound {
        assert!(refusal(world.dir.path()).contains("store.lock"));
    }
    modes(0o700);
    let log = world.file("log.db");
    fs::set_permissions(&log, fs::Permissions::from_mode(0o400)).unwrap();
    if bound {
        assert!(refusal(world.dir.path()).contains("log.db"));
    }
}

#[test]
fn a_newer_format_is_refused_in_either_file() {
    for name in ["log.db", "tables.db"] {
        let (_world, refusal) = changed(name, |path| {
            Connection::open(path).unwrap().pragma_update(None, "user_version", 3).unwrap();
        });
        assert!(refusal.contains("format 3"), "{refusal}");
    }
}

#[test]
fn a_foreign_database_is_refused_in_either_file() {
    for name in ["log.db", "tables.db"] {
        changed(name, |path| {
            fs::remove_file(path).unwrap();
            Connection::open(path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        });
    }
}

#[test]
fn a_missing_or_empty_file_is_refused_and_never_begun_afresh() {
    for name in ["log.db", "tables.db"] {
        let (world, refusal) = changed(name, |path| fs::remove_file(path).unwrap());
        assert!(refusal.contains("is missing"), "{refusal}");
        assert!(!world.file(name).exists());
        changed(name, |path| fs::write(path, "").unwrap());
        changed(name, |path| fs::write(path, "no database ".repeat(1_000)).unwrap());
    }
}

#[test]
fn another_stores_file_is_refused() {
    let other = World::new(|_| {});
    other.store.close();
    changed("tables.db", |path| {
        fs::copy(other.file("tables.db"), path).unwrap();
    });
}

#[test]
fn tables_older_than_the_log_are_refused() {
    let world = World::new(|_| {});
    world.send(1, 2);
    world.store.close();
    fs::copy(world.file("tables.db"), world.file("old.db")).unwrap();
    let world = world.reopened();
    world.send(1, 2);
    let world = world.reopened();
    // What the first closing has swept and synced leaves the log.
    world.tamper(|log| log.execute_batch("DELETE FROM entries WHERE n < 3").unwrap());
    world.send(1, 2);
    world.store.close();
    fs::copy(world.file("old.db"), world.file("tables.db")).unwrap();
    let refusal = refusal(world.dir.path());
    assert!(refusal.contains("tables.db") && refusal.contains("it is older"), "{refusal}");
}

#[test]
fn a_log_older_than_the_tables_is_refused_and_one_that_is_pruned_completely_is_not() {
    let world = World::new(|_| {});
    world.send(1, 2);
    world.send(1, 2);
    world.store.close();
    fs::copy(world.file("log.db"), world.file("old.db")).unwrap();
    let world = world.reopened();
    world.send(1, 2);
    world.store.close();
    let now = fs::read(world.file("log.db")).unwrap();
    fs::copy(world.file("old.db"), world.file("log.db")).unwrap();
    let refusal = refusal(world.dir.path());
    assert!(refusal.contains("log.db does not belong") && refusal.contains("ends at entry 2"), "{refusal}");
    let problems = crate::verify(world.dir.path()).unwrap();
    assert!(problems.iter().any(|problem| problem.contains("log.db: ends at entry 2")), "{problems:?}");

    fs::write(world.file("log.db"), now).unwrap();
    let log = Connection::open(world.file("log.db")).unwrap();
    log.execute("DELETE FROM entries", []).unwrap();
    drop(log);
    let world = world.reopened();
    assert_eq!(world.send(1, 2).seq, 4);
    world.assert_consistent();
}

#[test]
fn an_interrupted_making_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    let (log, tables) = (dir.path().join("log.db"), dir.path().join("tables.db"));
    // Tables that no log was made for yet.
    let begin = || {
        drop(open(dir.path()).unwrap());
        Connection::open(&tables).unwrap().execute("DELETE FROM meta WHERE name = 'complete'", []).unwrap();
    };
    begin();
    fs::remove_file(&log).unwrap();
    begin();
    fs::write(&log, "").unwrap();
    begin();
    // Both are made, and not noted as complete.
    drop(open(dir.path()).unwrap());
    fs::remove_file(&log).unwrap();
    assert!(refusal(dir.path()).contains("is missing"));
}

#[test]
fn a_lost_log_is_refused_also_while_the_tables_are_empty() {
    let loss: [fn(&Path); 2] =
        [|log| fs::remove_file(log).unwrap(), |log| drop(fs::File::create(log).unwrap())];
    for lose in loss {
        let world = World::new(|_| {});
        world.add_user("alice", 1);
        world.store.close();
        lose(&world.file("log.db"));
        let refusal = refusal(world.dir.path());
        assert!(refusal.contains("log.db is missing"), "{refusal}");
    }
}

#[test]
fn a_restored_store_without_users_or_messages_does_not_lose_its_log_silently() {
    let (world, folder) = (World::new(|_| {}), tempfile::tempdir().unwrap());
    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored"));
    futures_executor::block_on(world.store.backup(backup.clone())).unwrap();
    crate::restore(&backup, &restored).unwrap();
    fs::remove_file(restored.join("log.db")).unwrap();
    assert!(refusal(&restored).contains("log.db is missing"));
}

#[test]
fn a_making_that_was_interrupted_before_the_write_ahead_log_is_finished() {
    let world = World::new(|_| {});
    world.send(1, 2);
    let world = world.reopened_after(|dir| {
        for name in ["log.db", "tables.db"] {
            let connection = Connection::open(dir.join(name)).unwrap();
            connection.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).unwrap();
        }
    });
    world.send(1, 2);
    for name in ["log.db", "tables.db"] {
        let mode: String = Connection::open(world.file(name))
            .unwrap()
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal", "{name}");
    }
}

#[test]
fn a_place_that_cannot_have_a_write_ahead_log_is_refused_by_name() {
    let fault = sqlite::use_wal(&Connection::open_in_memory().unwrap()).unwrap_err();
    let refusal = files::fault_error(Path::new("log.db"), fault).to_string();
    assert_eq!(
        refusal,
        "log.db: no write-ahead log can be had here (journal mode memory): use a local file system"
    );
}

#[test]
fn a_file_with_an_identity_says_whose_it_is_from_its_first_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.db");
    let sql = [schema::META, schema::LOG].concat();
    let made = files::make(&path, schema::LOG_ID, &sql, [7; 16], |log| {
        assert_eq!(files::store_id(log).unwrap(), Some([7; 16]));
        Err(rusqlite::Error::QueryReturnedNoRows)
    });
    assert!(made.is_err());
    let log = Connection::open(&path).unwrap();
    assert_eq!(files::store_id(&log).unwrap(), Some([7; 16]));
}

#[cfg(unix)]
#[test]
fn a_new_folder_and_its_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a").join("b");
    open(&folder).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!([mode(&folder.join("log.db")), mode(&folder.join("tables.db"))], [0o600; 2]);
}
