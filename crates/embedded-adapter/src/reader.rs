//! The threads that read: connections of their own, a bounded queue, never behind a writer.

mod archive;
mod assemble;
mod blocks;
mod changes;
mod conversations;
mod messages;
mod partners;
mod users;

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use chat_ports::StoreError;
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{
    fault::{Fault, closed},
    lazy::Lazy,
    shared::Shared,
};

pub(crate) use messages::history_in_memory;
pub(crate) use users::user_by_id;

type Task = Box<dyn FnOnce(&mut Desk) + Send>;

/// Reads that wait for a reader: at most [`Options::read_queue`](crate::Options::read_queue), then
/// `Unavailable`.
pub(crate) struct Readers {
    inner: Mutex<Inner>,
    ready: Condvar,
    most: usize,
}

#[derive(Default)]
struct Inner {
    tasks: VecDeque<Task>,
    closed: bool,
}

/// What a reader works with.
pub(crate) struct Desk {
    pub(crate) shared: Arc<Shared>,
    log: Lazy,
    tables: Lazy,
    /// Whether the log was asked for last: if that read fails, it is the log's fault.
    at_log: bool,
}

impl Readers {
    pub(crate) fn new(most: usize) -> Self {
        Self { inner: Mutex::default(), ready: Condvar::new(), most: most.max(1) }
    }

    /// Has something read by the next free reader.
    ///
    /// # Errors
    /// The queue is full, the store closed, or the read failed.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Desk) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.push(Box::new(move |desk: &mut Desk| {
            let result = read(desk);
            if let Err(fault) = &result {
                desk.after(fault);
            }
            // Who asked may have gone.
            drop(reply.send(result.map_err(StoreError::from)));
        }))?;
        answer.await.unwrap_or_else(|_lost| Err(closed()))
    }

    /// Works until the readers are closed and nothing waits.
    pub(crate) fn work(&self, shared: Arc<Shared>) {
        let (log, tables) = (Lazy::new(shared.paths.log()), Lazy::new(shared.paths.tables()));
        let mut desk = Desk { shared, log, tables, at_log: false };
        while let Some(task) = self.next() {
            // A reader that panics would leave the others with its share of the work.
            if catch_unwind(AssertUnwindSafe(|| task(&mut desk))).is_err() {
                tracing::error!("a read panicked; its connections are replaced");
                desk.forget();
            }
        }
    }

    /// Refuses everything from now on; what waits is still read.
    pub(crate) fn close(&self) {
        self.inner.lock().closed = true;
        self.ready.notify_all();
    }

    fn push(&self, task: Task) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(closed());
        }
        if inner.tasks.len() >= self.most {
            return Err(StoreError::Unavailable("too many reads are waiting".into()));
        }
        inner.tasks.push_back(task);
        drop(inner);
        self.ready.notify_one();
        Ok(())
    }

    fn next(&self) -> Option<Task> {
        let mut inner = self.inner.lock();
        loop {
            if let Some(task) = inner.tasks.pop_front() {
                return Some(task);
            }
            if inner.closed {
                return None;
            }
            self.ready.wait(&mut inner);
        }
    }
}

impl Desk {
    /// The accounts.
    pub(crate) fn log(&mut self) -> Result<&Connection, Fault> {
        self.at_log = true;
        self.log.get()
    }

    /// The projections.
    pub(crate) fn tables(&mut self) -> Result<&Connection, Fault> {
        self.at_log = false;
        self.tables.get()
    }

    /// Reads something from both files.
    pub(crate) fn probe(&mut self) -> Result<(), Fault> {
        crate::files::store_id(self.log()?)?;
        crate::files::store_id(self.tables()?)?;
        Ok(())
    }

    /// Draws the consequences of a read that failed.
    fn after(&mut self, fault: &Fault) {
        if fault.is_connection() {
            self.forget();
        }
        if fault.is_damage() {
            let paths = &self.shared.paths;
            if self.at_log { paths.suspect_log() } else { paths.suspect_tables() }
        }
    }

    fn forget(&mut self) {
        self.log.forget();
        self.tables.forget();
    }
}
