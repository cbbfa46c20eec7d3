//! Whether the store works just now, and who waits for it.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use chat_ports::StoreError;
use tokio::sync::{Notify, watch};

use crate::{StartError, connection::Collections, error::unavailable};

/// Where the store is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It has not worked yet.
    Starting,
    /// It works.
    Ready,
    /// It worked, and will again.
    Away,
    /// It never will.
    Failed(StartError),
    /// It was closed.
    Closed,
}

/// Whether the store works just now.
#[derive(Debug)]
pub(crate) struct Gate {
    collections: OnceLock<Arc<Collections>>,
    phase: watch::Sender<Phase>,
    /// Counts the primaries that were met.
    term: AtomicU64,
    /// Somebody met a fault that tells of an outage.
    pub(crate) suspected: Notify,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            collections: OnceLock::new(),
            phase: watch::Sender::new(Phase::Starting),
            term: AtomicU64::new(0),
            suspected: Notify::new(),
        }
    }

    /// The collections, while the store works.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] while it does not.
    pub(crate) fn pass(&self) -> Result<&Arc<Collections>, StoreError> {
        let why = match *self.phase.borrow() {
            Phase::Ready => None,
            Phase::Starting | Phase::Failed(_) => Some("MongoDB was not reached yet"),
            Phase::Away => Some("MongoDB is away"),
            Phase::Closed => Some("the store is closed"),
        };
        match (why, self.collections.get()) {
            (None, Some(collections)) => Ok(collections),
            (why, _) => Err(unavailable(why.unwrap_or("MongoDB was not reached yet"))),
        }
    }

    /// The collections, while MongoDB is there: also while the store is being closed.
    pub(crate) fn collections(&self) -> Option<Arc<Collections>> {
        let there = matches!(*self.phase.borrow(), Phase::Ready | Phase::Closed);
        self.collections.get().filter(|_| there).cloned()
    }

    /// Which primary it is: what was remembered of an earlier one may be wrong.
    pub(crate) fn term(&self) -> u64 {
        self.term.load(Ordering::Acquire)
    }

    /// Another primary was met.
    pub(crate) fn begin_term(&self) {
        self.term.fetch_add(1, Ordering::AcqRel);
    }

    /// Gives the collections out, once.
    pub(crate) fn connected(&self, collections: Arc<Collections>) {
        // A second connection would be the supervisor's mistake; the first one serves as well.
        drop(self.collections.set(collections));
    }

    /// The store works from now on.
    pub(crate) fn open(&self) {
        self.change(|phase| (*phase == Phase::Starting).then_some(Phase::Ready));
    }

    /// The store never will work.
    pub(crate) fn fail(&self, error: StartError) {
        self.change(|phase| (*phase == Phase::Starting).then_some(Phase::Failed(error)));
    }

    /// MongoDB went away, if it had been there.
    pub(crate) fn lose(&self) {
        self.change(|phase| (*phase == Phase::Ready).then_some(Phase::Away));
    }

    /// MongoDB is back, if it had been away.
    pub(crate) fn regain(&self) {
        self.change(|phase| (*phase == Phase::Away).then_some(Phase::Ready));
    }

    /// The store is closed, for good.
    pub(crate) fn close(&self) {
        self.change(|phase| (*phase != Phase::Closed).then_some(Phase::Closed));
    }

    fn change(&self, next: impl FnOnce(&Phase) -> Option<Phase>) {
        self.phase.send_if_modified(|phase| match next(phase) {
            Some(next) => {
                *phase = next;
                true
            }
            None => false,
        });
    }

    /// Waits until the store has worked once.
    ///
    /// # Errors
    /// It never will.
    pub(crate) async fn ready(&self) -> Result<(), StartError> {
        let mut phases = self.phase.subscribe();
        let settled = phases.wait_for(|phase| *phase != Phase::Starting).await;
        match settled.as_deref() {
            Ok(Phase::Failed(error)) => Err(error.clone()),
            Ok(Phase::Ready | Phase::Away) => Ok(()),
            Ok(Phase::Starting | Phase::Closed) | Err(_) => Err(StartError::Closed),
        }
    }
}
