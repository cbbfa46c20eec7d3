//! A folder of the first format is taken as it is.

use chat_ports::model::Timestamp;
use rusqlite::Connection;

use super::world::World;

/// Takes back what the second format added.
fn downgrade(dir: &std::path::Path) {
    let log = Connection::open(dir.join("log.db")).unwrap();
    log.execute_batch("DROP TABLE blocks; DELETE FROM meta WHERE name = 'life'; PRAGMA user_version = 1;")
        .unwrap();
    let tables = Connection::open(dir.join("tables.db")).unwrap();
    let columns = ["low_got", "low_got_nth", "high_got", "high_got_nth", "n"];
    let conversations: String =
        columns.iter().map(|column| format!("ALTER TABLE conversations DROP COLUMN {column};")).collect();
    let columns = ["edited_at", "deleted_at", "first_text"];
    let messages: String =
        columns.iter().map(|column| format!("ALTER TABLE messages DROP COLUMN {column};")).collect();
    tables
        .execute_batch(&format!(
            "DROP TABLE deliveries; DROP TABLE changes; {conversations} {messages} PRAGMA user_version = 1;"
        ))
        .unwrap();
}

#[test]
fn a_folder_of_the_first_format_is_brought_to_this_one() {
    let world = World::new(|_| {});
    let sent: Vec<_> = (0..6).map(|_| world.send(1, 2)).collect();
    world.read_at(2, &sent[3], 5_000);
    let mut before = world.all(1, 2);
    let world = world.reopened_after(downgrade);
    assert_eq!(world.all(1, 2), before);
    let since = world.position();
    assert_eq!(world.deliver_at(2, &sent[5], 6_000).unwrap().count, 2);
    before.truncate(4);
    assert_eq!(world.all(1, 2)[..4], before);
    assert_eq!(world.all(1, 2)[5].delivered_at, Some(Timestamp::from_millis(6_000)));
    assert_eq!(world.missed(1, &since, 10).len(), 2);
    world.assert_consistent();
}
