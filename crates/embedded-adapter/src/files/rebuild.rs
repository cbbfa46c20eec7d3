//! Makes the derived tables again from the messages, in a new file that then takes the old one's place.
//!
//! A new file, because tables that are damaged can't even be dropped safely; and a restored backup
//! goes the same way.

use std::{
    fs::{self, File},
    path::Path,
};

use chat_ports::ReceiptKind;
use rusqlite::{Connection, params};

use super::{Paths, beside, fault_error, io_error, make_private, remove};
use crate::{
    OpenError,
    fault::Fault,
    schema::{self, UNMARKED},
    sqlite,
    sqlite::Role,
    state::{ConversationState, KINDS, Place, Who},
    tables::{mark_key, message_key, split_key},
};

/// Messages between two lines in the log.
const PROGRESS: u64 = 250_000;
const SCAN: &str = "SELECT k, side, nth, prev, timestamp, id, pair, n FROM messages ORDER BY k";
const INSERT: &str = "INSERT INTO conversations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

/// Makes the tables again beside the damaged ones and puts them in their place. The damaged file is
/// kept as `tables.db.damaged`.
pub(super) fn rebuild(paths: &Paths) -> Result<(), OpenError> {
    // What the tables knew of changes is not made again.
    renew_life(&paths.log())?;
    make(&paths.tables(), &paths.rebuilding())?;
    rename(&paths.rebuilding(), &paths.rebuilt())?;
    finish(paths)
}

/// Puts rebuilt tables in their place, also if that was interrupted before; what was not finished
/// is removed.
pub(super) fn finish(paths: &Paths) -> Result<(), OpenError> {
    remove(&paths.rebuilding())?;
    if !paths.rebuilt().exists() {
        return Ok(());
    }
    let (tables, damaged) = (paths.tables(), paths.damaged());
    // The WAL goes before its file: a file without it is merely older, and about to be replaced.
    for suffix in ["-wal", ""] {
        let (from, to) = (beside(&tables, suffix), beside(&damaged, suffix));
        if from.exists() {
            rename(&from, &to)?;
        }
    }
    remove(&tables)?;
    rename(&paths.rebuilt(), &tables)?;
    sync_dir(&paths.dir)
}

/// Makes tables at `target` from the truth in `source`: a tables file or a backup. The file is synced.
pub(crate) fn make(source: &Path, target: &Path) -> Result<(), OpenError> {
    remove(target)?;
    make_private(target)?;
    let build = || -> Result<(), Fault> {
        let connection = Connection::open(target)?;
        sqlite::configure(&connection, Role::Sweeper)?;
        sqlite::sort_on_disk(&connection)?;
        // Nothing reads this file before it is whole and synced.
        connection.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "off")?;
        let sql = [schema::META, schema::TRUTH, schema::DERIVED].concat();
        sqlite::create(&connection, schema::TABLES_ID, schema::FORMAT, &sql)?;
        let source = source.to_string_lossy();
        connection.execute("ATTACH ?1 AS source", [source.as_ref()])?;
        copy_truth(&connection)?;
        connection.execute_batch("DETACH source")?;
        derive(&connection)?;
        sqlite::use_wal(&connection)?;
        Ok(connection.close().map_err(|(_, error)| error)?)
    };
    build().map_err(|fault| fault_error(source, fault))?;
    File::open(target).and_then(|file| file.sync_all()).map_err(|error| io_error(target, error))
}

fn copy_truth(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "BEGIN;
         INSERT INTO meta SELECT name, value FROM source.meta WHERE name IN ('store', 'mark', 'complete');
         INSERT INTO messages SELECT * FROM source.messages ORDER BY k;
         INSERT INTO reads SELECT * FROM source.reads ORDER BY k;
         INSERT INTO deliveries SELECT * FROM source.deliveries ORDER BY k;
         COMMIT;",
    )
}

/// Fills the derived tables from the truth in the same file.
fn derive(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN")?;
    let all: i64 = connection.query_row("SELECT count(*) FROM messages", [], |row| row.get(0))?;
    tracing::info!(messages = all, "rebuilding the derived tables");
    connection.execute_batch(
        // As in a sweep, the first one wins where there are two of a kind.
        "INSERT OR IGNORE INTO ids SELECT id, k FROM messages ORDER BY id, k;
         INSERT OR IGNORE INTO dedup SELECT (k >> 32) << 1 | side, client_id, k & 4294967295 FROM messages
             WHERE client_id IS NOT NULL ORDER BY 1, 2, 3;",
    )?;
    derive_conversations(connection, all)?;
    connection.execute_batch(
        "INSERT INTO inbox SELECT user, timestamp, id, cid FROM (
             SELECT substr(pair, 1, 12) AS user, timestamp, id, cid FROM conversations
             UNION ALL
             SELECT substr(pair, 13, 12), timestamp, id, cid FROM conversations
             WHERE substr(pair, 13, 12) <> substr(pair, 1, 12)
         ) ORDER BY user, timestamp, id;
         COMMIT;",
    )?;
    tracing::info!(messages = all, "the derived tables are rebuilt");
    Ok(())
}

/// A conversation while its messages go by.
struct Passing {
    cid: i64,
    pair: [u8; 24],
    state: ConversationState,
    timestamp: i64,
    id: [u8; 12],
    /// The last entry that brought a message.
    n: i64,
}

fn derive_conversations(connection: &Connection, all: i64) -> rusqlite::Result<()> {
    let mut scan = connection.prepare(SCAN)?;
    let mut rows = scan.query([])?;
    let (mut passing, mut seen): (Option<Passing>, u64) = (None, 0);
    while let Some(row) = rows.next()? {
        let (cid, seq) = split_key(row.get(0)?);
        if passing.as_ref().is_none_or(|passing| passing.cid != cid) {
            finish_conversation(connection, passing.take())?;
            let state = ConversationState::default();
            passing = Some(Passing { cid, pair: row.get(6)?, state, timestamp: 0, id: [0; 12], n: 0 });
        }
        if let Some(passing) = &mut passing {
            let sender = Who::from_bit(row.get(1)?).unwrap_or(Who::High);
            passing.state.append(sender, Place { seq, nth: row.get(2)?, prev: row.get(3)? });
            passing.n = passing.n.max(row.get(7)?);
            (passing.timestamp, passing.id) = (row.get(4)?, row.get(5)?);
        }
        seen += 1;
        if seen.is_multiple_of(PROGRESS) {
            tracing::info!(done = seen, of = all, "rebuilding the derived tables");
        }
    }
    finish_conversation(connection, passing)
}

fn finish_conversation(connection: &Connection, passing: Option<Passing>) -> rusqlite::Result<()> {
    let Some(Passing { cid, pair, mut state, timestamp, id, n }) = passing else { return Ok(()) };
    for receiver in [Who::Low, Who::High] {
        for kind in KINDS {
            derive_marks(connection, kind, cid, receiver, &mut state)?;
        }
    }
    let ConversationState { last, low, high } = state;
    connection.prepare_cached(INSERT)?.execute(params![
        cid,
        pair,
        timestamp,
        id,
        last,
        low.sent,
        low.last,
        low.read,
        low.read_nth,
        high.sent,
        high.last,
        high.read,
        high.read_nth,
        low.got,
        low.got_nth,
        high.got,
        high.got_nth,
        n,
    ])?;
    Ok(())
}

/// Up to where somebody has marked everything, and how many messages they have marked: those up to the last row,
/// without the unmarked ones among them.
fn derive_marks(
    connection: &Connection,
    kind: ReceiptKind,
    cid: i64,
    receiver: Who,
    state: &mut ConversationState,
) -> rusqlite::Result<()> {
    let table = match kind {
        ReceiptKind::Delivered => "deliveries",
        ReceiptKind::Read => "reads",
    };
    let range = [mark_key(cid, receiver, 0), mark_key(cid, receiver, u32::MAX), UNMARKED];
    let find = |sql: &str| {
        connection.prepare_cached(sql)?.query_row(range, |row| {
            Ok((row.get::<_, Option<i64>>(0)?.map(|k| split_key(k).1), row.get::<_, u32>(1)?))
        })
    };
    let (last, unmarked) = find(&format!(
        "SELECT max(k), count(*) FILTER (WHERE at = ?3) FROM {table} WHERE k BETWEEN ?1 AND ?2"
    ))?;
    let Some(last) = last else { return Ok(()) };
    let (upto, _) = find(&format!(
        "SELECT max(k), 0 FROM {table} WHERE k BETWEEN ?1 AND ?2
             AND k < coalesce((SELECT min(k) FROM {table} WHERE k BETWEEN ?1 AND ?2 AND at = ?3), ?2 + 1)",
    ))?;
    let mut nth = connection.prepare_cached("SELECT nth FROM messages WHERE k = ?1")?;
    let nth: u32 = nth.query_row([message_key(cid, last)], |row| row.get(0))?;
    state.mark(kind, receiver, upto.unwrap_or_default(), nth.saturating_sub(unmarked));
    Ok(())
}

fn renew_life(log: &Path) -> Result<(), OpenError> {
    let renew = || -> rusqlite::Result<()> {
        let connection = sqlite::open(log, Role::LogWriter, None)?;
        super::renew_life(&connection)?;
        connection.close().map_err(|(_, error)| error)
    };
    renew().map_err(|error| super::sqlite_error(log, error))
}

fn rename(from: &Path, to: &Path) -> Result<(), OpenError> {
    fs::rename(from, to).map_err(|error| io_error(from, error))
}

/// Makes renames last.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), OpenError> {
    #[cfg(unix)]
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| io_error(dir, error))?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}
