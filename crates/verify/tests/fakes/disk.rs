//! The fake store behind a slow disk: writes queue up for a writer, all takes turns, and a kill takes what was not written yet.

mod reads;
mod writer;

use std::sync::Arc;

use chat_domain::ports::{Clock, CommitListener, Committed, NewUser, Users};
use chat_testkit::MemoryStore;
use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::{
    bugs::{Bug, Flaw},
    sim::{Sim, Tasks},
};
pub(crate) use writer::Change;
use writer::Job;

/// What is written, and stays there whoever is killed.
pub(crate) struct Platter {
    sim: Arc<Sim>,
    flaw: Flaw,
    accounts: Vec<NewUser>,
    // Short, never held across an await.
    written: Mutex<Written>,
    fresh: Arc<Fresh>,
}

struct Written {
    store: Arc<MemoryStore>,
    /// All changes, for a disk that forgets.
    journal: Vec<Change>,
}

/// What is durable and was not told yet.
#[derive(Default)]
struct Fresh(Mutex<Vec<Committed>>);

impl Fresh {
    fn take(&self) -> Vec<Committed> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl CommitListener for Fresh {
    fn committed(&self, commits: Vec<Committed>) {
        self.0.lock().extend(commits);
    }
}

impl Platter {
    /// A disk with these accounts, on which everything goes well but for one bug.
    pub(crate) async fn new(sim: &Arc<Sim>, bug: Option<Bug>, accounts: Vec<NewUser>) -> Arc<Self> {
        let fresh = Arc::new(Fresh::default());
        let store = made(sim, &fresh, &accounts).await;
        let written = Mutex::new(Written { store, journal: Vec::new() });
        Arc::new(Self { sim: Arc::clone(sim), flaw: Flaw::new(bug), accounts, written, fresh })
    }

    /// The store as it is.
    pub(crate) fn store(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.written.lock().store)
    }

    /// What is wrong with it.
    pub(crate) const fn flaw(&self) -> &Flaw {
        &self.flaw
    }

    /// The process is gone: what was written is there, and what was not told never will be.
    pub(crate) async fn killed(&self) {
        self.fresh.take();
        if !self.flaw.is(Bug::LostByKill) {
            return;
        }
        let mut journal = std::mem::take(&mut self.written.lock().journal);
        journal.truncate(journal.len().saturating_sub(3));
        let store = made(&self.sim, &self.fresh, &self.accounts).await;
        for change in &journal {
            change.clone().again(&store, &self.sim.clock).await;
        }
        self.fresh.take();
        let mut written = self.written.lock();
        (written.store, written.journal) = (store, journal);
    }
}

async fn made(sim: &Sim, fresh: &Arc<Fresh>, accounts: &[NewUser]) -> Arc<MemoryStore> {
    let clock: Arc<dyn Clock> = Arc::new(sim.clock.clone());
    let listener: Arc<dyn CommitListener> = Arc::<Fresh>::clone(fresh);
    let store = MemoryStore::new(clock, listener);
    for account in accounts {
        store.insert(account.clone()).await.unwrap();
    }
    store
}

/// The ports as one life of the server has them.
pub(crate) struct Disk {
    platter: Arc<Platter>,
    jobs: UnboundedSender<Job>,
}

impl Disk {
    /// Opens what is written. Its writer is one of the tasks, and tells this listener.
    pub(crate) fn open(
        platter: &Arc<Platter>,
        listener: impl CommitListener + 'static,
        tasks: &mut Tasks,
    ) -> Arc<Self> {
        let (jobs, queue) = unbounded_channel();
        tasks.spawn(writer::write(Arc::clone(platter), queue, listener));
        Arc::new(Self { platter: Arc::clone(platter), jobs })
    }

    async fn pause(&self) {
        self.platter.sim.pause().await;
    }
}
