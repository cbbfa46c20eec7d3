//! The thread that fills the tables: it takes what the log has, sorted, in one large transaction at
//! a time.

mod marks;
mod plan;
mod write;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;

use crate::{
    fault::Fault,
    job::Job,
    overlay::Numbered,
    shared::Shared,
    sqlite::{self, Role},
    tables,
};
use plan::Plan;

/// Pages in the tables' WAL from which on it is copied into the file after a sweep.
const CHECKPOINT_PAGES: u32 = 8_192;
/// How long a sweep may stand in the WAL only: until then the log keeps its entries as well.
const CHECKPOINT_AGE: Duration = Duration::from_secs(30);
/// How long the sweeper sleeps at most without work while a text is to leave the tables' files.
const ERASE_PAUSE: Duration = Duration::from_millis(500);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The sweeper.
pub(crate) struct Sweeper {
    shared: Arc<Shared>,
    open: Option<Open>,
    /// Since when sweeps have not been checkpointed; none if there are none.
    unsynced_since: Option<Instant>,
    /// Whether texts were taken away that still stand in a WAL or in the log.
    erasing: bool,
}

struct Open {
    connection: Connection,
    wal_pages: Arc<AtomicU32>,
}

impl Sweeper {
    /// A sweeper that opens the tables when it first sweeps.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let unsynced_since = Some(shared.clock.instant());
        Self { shared, open: None, unsynced_since, erasing: false }
    }

    /// Works until the store closes and everything is swept, or can't be.
    pub(crate) fn run(mut self) {
        let _telling = UnhealthyOnPanic(Arc::clone(&self.shared));
        loop {
            let most = self.erasing.then_some(ERASE_PAUSE);
            let Some(entries) = self.shared.overlay.next_sweep(&*self.shared.clock, most) else { break };
            if !entries.is_empty() && !self.sweep_until_done(&entries) {
                return;
            }
            self.erasing |= entries.iter().any(Numbered::erases);
            self.checkpoint(false);
            self.release_memory();
        }
        self.checkpoint(true);
    }

    /// Tries again until it goes through; false if the store closes before that.
    fn sweep_until_done(&mut self, entries: &[Numbered]) -> bool {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.sweep(entries) {
                Ok(()) => {
                    self.shared.health.tables.store(true, Ordering::Relaxed);
                    return true;
                }
                Err(fault) => self.report(&fault),
            }
            if self.shared.overlay.pause(pause) {
                return false;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn report(&mut self, fault: &Fault) {
        self.open = None;
        if self.shared.health.tables.swap(false, Ordering::Relaxed) {
            let file = self.shared.paths.tables();
            tracing::error!(file = %file.display(), error = %fault, "a sweep failed; it is tried again");
        }
        if fault.is_damage() {
            self.shared.paths.suspect_tables();
        }
    }

    fn sweep(&mut self, entries: &[Numbered]) -> Result<(), Fault> {
        let Some(last) = entries.last() else { return Ok(()) };
        let connection = &self.open()?.connection;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mark = tables::mark(connection)?;
        // After a commit whose outcome was unknown these are there already.
        let fresh = entries.get(entries.partition_point(|entry| entry.n <= mark)..).unwrap_or_default();
        let mut plan = Plan::of(fresh);
        write::write(connection, &mut plan, last.n)?;
        connection.execute_batch("COMMIT")?;
        self.unsynced_since.get_or_insert(self.shared.clock.instant());
        // Everything that these entries changed, also if an earlier try wrote it.
        self.shared.overlay.remove(last.n, Plan::of(entries).conversations());
        Ok(())
    }

    fn open(&mut self) -> Result<&Open, Fault> {
        if self.open.is_none() {
            let shared = &self.shared;
            let path = shared.paths.tables();
            let mut connection = sqlite::open(&path, Role::Sweeper, shared.options.max_tables_bytes)?;
            if crate::files::store_id(&connection)? != Some(shared.store_id) {
                return Err(Fault::Down(format!("{} is not this store's any more", path.display())));
            }
            sqlite::use_wal(&connection)?;
            let wal_pages = sqlite::count_wal_pages(&mut connection)?;
            self.open = Some(Open { connection, wal_pages });
        }
        self.open.as_ref().ok_or_else(|| Fault::Down("the tables are not open".into()))
    }

    /// Gives back the pages that a large sweep went over: the next one is seconds away and goes over others.
    fn release_memory(&self) {
        if let Some(Err(error)) = self.open.as_ref().map(|open| open.connection.release_memory()) {
            tracing::debug!(%error, "the sweeper keeps its pages");
        }
    }

    /// Copies the WAL into the file and syncs it, and lets the writer prune what it has then.
    fn checkpoint(&mut self, now: bool) {
        let Some(since) = self.unsynced_since else { return };
        let age = self.shared.clock.instant().saturating_duration_since(since);
        let erasing = self.erasing;
        let result = self.open().and_then(|open| {
            let pages = open.wal_pages.load(Ordering::Relaxed);
            if !now && !erasing && pages < CHECKPOINT_PAGES && age < CHECKPOINT_AGE {
                return Ok(None);
            }
            let mark = tables::mark(&open.connection)?;
            let done = match (erasing, now) {
                (true, false) => sqlite::try_truncate(&open.connection)?,
                (true, true) => sqlite::checkpoint(&open.connection, "TRUNCATE")?,
                (false, _) => sqlite::checkpoint(&open.connection, "PASSIVE")?,
            };
            Ok(done.then_some(mark))
        });
        match result {
            Ok(Some(mark)) => {
                self.unsynced_since = None;
                self.erasing = false;
                self.shared.queue.push_note(Job::Prune { mark, erase: erasing });
            }
            // A reader was in the way, or it is not time yet: the next sweep looks again, or
            // the end of a pause where something is to be erased.
            Ok(None) => {}
            Err(fault) => self.report(&fault),
        }
    }
}

/// Lets nobody believe in sweeps after the thread that makes them is gone.
struct UnhealthyOnPanic(Arc<Shared>);

impl Drop for UnhealthyOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.health.tables.store(false, Ordering::Relaxed);
            tracing::error!("the sweeper panicked: restart the server before memory is full");
        }
    }
}
