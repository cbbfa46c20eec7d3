//! What the threads of a store share.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
};

use chat_ports::Clock;
use parking_lot::Mutex;

use crate::{
    Options,
    files::{Paths, Starts},
    overlay::Overlay,
    queue::Queue,
};

/// What the threads of a store share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) paths: Paths,
    /// The 16 bytes that both files have.
    pub(crate) store_id: [u8; 16],
    /// Which life of the store it was when it was opened.
    pub(crate) life: AtomicI64,
    /// The starts of the store, once the log is open.
    pub(crate) starts: OnceLock<Starts>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Queue,
    pub(crate) overlay: Overlay,
    pub(crate) health: Health,
    pub(crate) pruning: PruningHold,
    /// Held by a backup: one at a time.
    pub(crate) backup: Mutex<()>,
}

/// What the last write on each file came to.
#[derive(Debug)]
pub(crate) struct Health {
    /// Whether the writer's last commit that let the log grow went through.
    pub(crate) log: AtomicBool,
    /// Whether the last sweep went through.
    pub(crate) tables: AtomicBool,
}

impl Default for Health {
    fn default() -> Self {
        Self { log: AtomicBool::new(true), tables: AtomicBool::new(true) }
    }
}

/// Keeps the log's entries from being pruned while somebody must see them.
#[derive(Debug, Default)]
pub(crate) struct PruningHold(AtomicUsize);

impl PruningHold {
    /// Holds pruning until the guard is dropped.
    #[must_use]
    pub(crate) fn hold(&self) -> impl Drop + '_ {
        self.0.fetch_add(1, Ordering::SeqCst);
        Held(self)
    }

    /// Whether somebody holds it.
    pub(crate) fn is_held(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

struct Held<'a>(&'a PruningHold);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
