//! Connections: how each of them is set up.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use crate::fault::Fault;

/// What a connection is for; each wants other settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Writes `log.db`: a commit is on disk when it returns.
    LogWriter,
    /// Writes `tables.db`: its commits are synced by checkpoints only; until then the log has
    /// everything.
    Sweeper,
    /// Reads.
    Reader,
}

/// How long a connection waits for a lock. Locks are held for moments only: while a WAL is recovered.
const BUSY: Duration = Duration::from_secs(2);
const STATEMENTS: usize = 48;
/// What a WAL file may keep on disk after a burst, bytes.
const JOURNAL_LIMIT: i64 = 64 << 20;

/// Opens a file that must exist.
pub(crate) fn open(path: &Path, role: Role, quota: Option<u64>) -> rusqlite::Result<Connection> {
    // For readers as well: a WAL needs its index writable, even to read.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection, role)?;
    if let Some(quota) = quota {
        set_quota(&connection, quota)?;
    }
    Ok(connection)
}

/// Settings that are no property of the file.
pub(crate) fn configure(connection: &Connection, role: Role) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    match role {
        Role::LogWriter => {
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "cache_size", -2_048)?;
            own_checkpoints(connection)?;
            overwrite_what_is_deleted(connection)?;
        }
        Role::Sweeper => {
            connection.pragma_update(None, "synchronous", "normal")?;
            connection.pragma_update(None, "cache_size", -16_384)?;
            own_checkpoints(connection)?;
            overwrite_what_is_deleted(connection)?;
        }
        Role::Reader => {
            connection.pragma_update(None, "query_only", true)?;
            // What one read goes over: a commit empties it, and the system keeps the file in memory as well.
            connection.pragma_update(None, "cache_size", -512)?;
        }
    }
    Ok(())
}

/// Texts that are deleted, or pruned from the log, leave no copy in free space.
fn overwrite_what_is_deleted(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))
}

/// For what sorts whole tables: in memory they would take as much of it as they are long.
pub(crate) fn sort_on_disk(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "temp_store", "file")
}

/// Checkpoints run when the thread says so, not inside of somebody's commit.
fn own_checkpoints(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", JOURNAL_LIMIT, |_| Ok(()))
}

/// Turns the write-ahead log on, which the file remembers. SQLite answers with the mode that it
/// has stayed in where the file system can't do it; that mode would let readers block commits.
pub(crate) fn use_wal(connection: &Connection) -> Result<(), Fault> {
    let mode =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(Fault::Down(format!(
        "no write-ahead log can be had here (journal mode {mode}): use a local file system"
    )))
}

/// Refuses growth past so many bytes, as a full disk would.
pub(crate) fn set_quota(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let page: u64 =
        connection.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))?.unsigned_abs();
    let pages = (bytes / page.max(1)).clamp(1, i32::MAX as u64);
    connection.pragma_update_and_check(None, "max_page_count", pages as i64, |_| Ok(()))
}

/// Counts the pages in a connection's WAL as of its last commit.
pub(crate) fn count_wal_pages(connection: &mut Connection) -> rusqlite::Result<Arc<AtomicU32>> {
    let pages = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&pages);
    connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count: std::ffi::c_int| {
        counter.store(count.unsigned_abs(), Ordering::Relaxed);
        Ok(())
    }))?;
    Ok(pages)
}

/// Copies the WAL into the file: `PASSIVE`, as far as no reader is in the way; `TRUNCATE`, waiting for
/// them. Whether all of it was copied; then what the file says is synced.
pub(crate) fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<bool> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let (busy, pages, copied): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(busy == 0 && pages == copied)
    })
}

/// Copies the WAL into the file and empties it, unless somebody reads: nobody is waited for. Whether it was done.
pub(crate) fn try_truncate(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(Duration::ZERO)?;
    let done = checkpoint(connection, "TRUNCATE");
    connection.busy_timeout(BUSY)?;
    done
}

/// Who a file says it is: its `application_id` and `user_version`.
pub(crate) fn identity(connection: &Connection) -> rusqlite::Result<(i32, i32)> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    Ok((pragma("application_id")?, pragma("user_version")?))
}

/// Makes tables and identity in one transaction: either all of it is there, or nothing.
pub(crate) fn create(connection: &Connection, id: i32, version: i32, sql: &str) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;\n{sql}\nPRAGMA application_id = {id};\nPRAGMA user_version = {version};\nCOMMIT;"
    ))
}
