//! Whether the store works just now, and who waits for it.

use std::sync::{Arc, OnceLock};

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
    /// Somebody met a fault that tells of an outage.
    pub(crate) suspected: Notify,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            collections: OnceLock::new(),
            phase: watch::Sender::new(Phase::Starting),
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

    /// Gives the collections out, once.
    pub(crate) fn connected(&self, collections: Arc<Collections>) {
        // A second connection would be the supervisor's mistake; the first one serves as well.
        drop(self.collections.set(collections));
    }

    /// Goes to another phase; closed stays closed.
    pub(crate) fn enter(&self, next: Phase) {
        self.phase.send_if_modified(|phase| {
            let moves = *phase != Phase::Closed && *phase != next;
            if moves {
                *phase = next;
            }
            moves
        });
    }

    /// The phase now.
    pub(crate) fn phase(&self) -> Phase {
        self.phase.borrow().clone()
    }

    /// Sees every later change of the phase.
    pub(crate) fn watch(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Waits until the store has worked once.
    ///
    /// # Errors
    /// It never will.
    pub(crate) async fn ready(&self) -> Result<(), StartError> {
        let mut phases = self.watch();
        let settled = phases.wait_for(|phase| *phase != Phase::Starting).await;
        match settled.as_deref() {
            Ok(Phase::Failed(error)) => Err(error.clone()),
            Ok(Phase::Ready | Phase::Away) => Ok(()),
            Ok(Phase::Starting | Phase::Closed) | Err(_) => Err(StartError::Closed),
        }
    }
}
