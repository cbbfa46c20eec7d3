//! The writer's connection to `log.db`.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use rusqlite::Connection;

use crate::{
    fault::Fault,
    files,
    shared::Shared,
    sqlite::{self, Role},
};

/// Pages in the WAL from which on a quiet moment is used to copy them into the file.
const CHECKPOINT_PAGES: u32 = 1_000;
/// Pages from which on no quiet moment is waited for.
const OVERDUE_PAGES: u32 = 8_000;

/// The log, open for writing.
pub(super) struct Log {
    connection: Connection,
    wal_pages: Arc<AtomicU32>,
}

impl Log {
    /// Opens the log of a store whose identity is known: another one in its place is refused.
    pub(super) fn open(shared: &Shared) -> Result<Self, Fault> {
        let path = shared.paths.log();
        let mut connection = sqlite::open(&path, Role::LogWriter, shared.options.max_log_bytes)?;
        if files::store_id(&connection)? != Some(shared.store_id) {
            return Err(Fault::Down(format!("{} is not this store's log any more", path.display())));
        }
        sqlite::use_wal(&connection)?;
        let wal_pages = sqlite::count_wal_pages(&mut connection)?;
        Ok(Self { connection, wal_pages })
    }

    /// The connection, for the tables that are not log-first.
    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Begins a transaction unless one is open.
    pub(super) fn begin(&self) -> Result<(), Fault> {
        if self.connection.is_autocommit() {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        }
        Ok(())
    }

    /// Writes an entry down.
    pub(super) fn append(&self, n: u64, entry: &[u8]) -> Result<(), Fault> {
        self.begin()?;
        let mut insert = self.connection.prepare_cached("INSERT INTO entries (n, entry) VALUES (?1, ?2)")?;
        insert.execute((n.cast_signed(), entry))?;
        Ok(())
    }

    /// Makes everything since [`begin`](Self::begin) durable: it is on disk when this returns.
    pub(super) fn commit(&self) -> Result<(), Fault> {
        if !self.connection.is_autocommit() {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }

    /// Takes back everything since [`begin`](Self::begin), as far as SQLite has not done so itself.
    pub(super) fn roll_back(&self) -> Result<(), Fault> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }

    /// Copies the whole WAL into the file and syncs it: what can be read is on disk then.
    pub(super) fn settle(&self) -> Result<(), Fault> {
        if sqlite::checkpoint(&self.connection, "TRUNCATE")? {
            return Ok(());
        }
        Err(Fault::Down("the log is being read, and can't be brought to disk before that ends".into()))
    }

    /// Overwrites what was deleted in the WAL as well; false where a reader is in the way.
    pub(super) fn erase(&self) -> Result<bool, Fault> {
        Ok(sqlite::try_truncate(&self.connection)?)
    }

    /// The first and the last entry's numbers.
    pub(super) fn bounds(&self) -> Result<Option<(u64, u64)>, Fault> {
        bounds(&self.connection)
    }

    /// Deletes entries, both ends included, as part of the open transaction or in one of its own.
    pub(super) fn prune(&self, first: u64, last: u64) -> Result<(), Fault> {
        let mut delete = self.connection.prepare_cached("DELETE FROM entries WHERE n BETWEEN ?1 AND ?2")?;
        delete.execute((first.cast_signed(), last.cast_signed()))?;
        Ok(())
    }

    /// Copies the WAL into the file when it has grown, preferably while nobody waits.
    pub(super) fn checkpoint_if_due(&self, quiet: bool) -> Result<(), Fault> {
        let pages = self.wal_pages.load(Ordering::Relaxed);
        if pages >= OVERDUE_PAGES || (quiet && pages >= CHECKPOINT_PAGES) {
            self.wal_pages.store(0, Ordering::Relaxed);
            sqlite::checkpoint(&self.connection, "PASSIVE")?;
        }
        Ok(())
    }
}

/// The first and the last entry's numbers.
pub(crate) fn bounds(log: &Connection) -> Result<Option<(u64, u64)>, Fault> {
    let bound = |sql: &str| log.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    let first = bound("SELECT min(n) FROM entries")?;
    let last = bound("SELECT max(n) FROM entries")?;
    Ok(first.zip(last).map(|(first, last)| (first.cast_unsigned(), last.cast_unsigned())))
}
