//! Brings a file of an earlier format to this one, in place and in one transaction.

use rusqlite::Connection;

use crate::schema;

/// From format 1: no deliveries, edits, deletions, blocks and changes yet. What was read counts as delivered with it.
const LOG_1: &str = "
CREATE TABLE blocks (
    blocker BLOB NOT NULL,
    blocked BLOB NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (blocker, blocked)
) STRICT, WITHOUT ROWID;
";

const TABLES_1: &str = "
ALTER TABLE messages ADD COLUMN edited_at INTEGER;
ALTER TABLE messages ADD COLUMN deleted_at INTEGER;
ALTER TABLE messages ADD COLUMN first_text BLOB;
CREATE TABLE deliveries (k INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
INSERT INTO deliveries SELECT k, at FROM reads ORDER BY k;
ALTER TABLE conversations ADD COLUMN low_got INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN low_got_nth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN high_got INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN high_got_nth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN n INTEGER NOT NULL DEFAULT 0;
UPDATE conversations SET low_got = low_read, low_got_nth = low_read_nth, high_got = high_read, high_got_nth = high_read_nth;
CREATE TABLE changes (
    cid INTEGER NOT NULL,
    n INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    side INTEGER NOT NULL,
    PRIMARY KEY (cid, n)
) STRICT, WITHOUT ROWID;
";

/// Upgrades a file of this kind, if its format is an earlier one.
pub(super) fn upgrade(connection: &Connection, application: i32, format: i32) -> rusqlite::Result<()> {
    if format != 1 {
        return Ok(());
    }
    let is_log = application == schema::LOG_ID;
    let sql = if is_log { LOG_1 } else { TABLES_1 };
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.execute_batch(sql)?;
    if is_log {
        super::renew_life(connection)?;
    }
    connection.execute_batch(&format!("PRAGMA user_version = {}; COMMIT;", schema::FORMAT))?;
    tracing::info!(from = format, to = schema::FORMAT, "a file of the store was brought to a newer format");
    Ok(())
}
