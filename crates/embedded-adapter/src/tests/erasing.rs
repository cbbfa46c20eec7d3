//! A text that was deleted or replaced leaves the files, not the tables only.

use std::{cell::Cell, fs, path::Path, time::Duration};

use rusqlite::Connection;

use super::world::{World, found, wait_until};

/// Whether any file of the folder has this text.
fn stands_in(dir: &Path, text: &str) -> bool {
    let files = fs::read_dir(dir).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap_or_default());
    files.into_iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

/// Many messages, of which one has the text; the rest shares its pages.
fn filled(world: &World, text: &str) -> std::sync::Arc<chat_ports::model::Message> {
    (0..300).for_each(|_| drop(world.send(1, 2)));
    let secret = world.send_text(1, 2, text);
    (0..240).for_each(|number| drop(world.send(1 + number % 3, 4)));
    (0..300).for_each(|_| drop(world.send(2, 1)));
    secret
}

#[test]
fn a_deleted_text_and_a_replaced_one_leave_every_file_soon() {
    for sweep_entries in [100, usize::MAX] {
        let world = World::new(|options| {
            options.sweep_entries = sweep_entries;
            options.sweep_age = Duration::from_secs(3_600);
        });
        let (gone, replaced) = ("the text that is gone 4711", "the text that is replaced 4712");
        let (first, second) = (filled(&world, gone), filled(&world, replaced));
        assert!(stands_in(world.dir.path(), gone) && stands_in(world.dir.path(), replaced));
        world.delete(&first, 5_000);
        world.edit(&second, "another text", 5_000);
        // The clock that the sweeps go by stands still otherwise.
        wait_until(|| {
            world.clock.advance(Duration::from_secs(1));
            !stands_in(world.dir.path(), gone) && !stands_in(world.dir.path(), replaced)
        });
        assert!(found(&world.store, first.id).unwrap().is_deleted());
        world.assert_consistent();
    }
}

#[test]
fn what_was_to_leave_the_files_when_the_store_closed_leaves_them_at_the_next_start() {
    let text = "the text that is gone 4713";
    let world = World::new(|options| options.sweep_age = Duration::from_secs(3_600));
    let secret = filled(&world, text);
    world.delete(&secret, 5_000);
    let world = world.reopened();
    wait_until(|| {
        world.clock.advance(Duration::from_secs(1));
        !stands_in(world.dir.path(), text)
    });
}

#[test]
fn a_text_leaves_the_files_after_a_reader_was_in_the_way_without_further_work() {
    let text = "the text that is gone 4714";
    for file in ["tables.db", "log.db"] {
        let world = World::new(|options| options.sweep_age = Duration::from_secs(3_600));
        let secret = filled(&world, text);
        wait_until(|| world.dir.path().join(file).exists());
        let reader = Connection::open(world.dir.path().join(file)).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        let count = "SELECT count(*) FROM sqlite_schema";
        assert!(reader.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap() > 0);
        world.delete(&secret, 5_000);
        // Longer than all that is done once.
        let rounds = Cell::new(0);
        wait_until(|| {
            world.clock.advance(Duration::from_secs(1));
            rounds.set(rounds.get() + 1);
            rounds.get() > 8_000
        });
        assert!(stands_in(world.dir.path(), text), "the reader is in the way");
        reader.execute_batch("COMMIT").unwrap();
        wait_until(|| !stands_in(world.dir.path(), text));
    }
}
