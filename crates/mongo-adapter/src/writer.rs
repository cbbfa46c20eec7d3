//! The writer: one task that stores every message of this node.
//!
//! It empties its queue into the next insert while the last one is on its way, and looks things up
//! beside it. What to do with an outcome is decided in [`core`]; here it is carried out: what became
//! durable is handed to the list's upkeep, told to the listener, then answered.

mod core;
mod entry;
mod io;
mod lingering;
mod looking;
mod numbers;
mod queue;

use std::{future::pending, pin::Pin, sync::Arc, time::Duration};

use chat_ports::Commit;

pub(crate) use self::queue::Queue;
use self::{
    core::{Bounds, Core, Effects, Inserted},
    looking::{Look, Looked},
};
use crate::{connection::Collections, error::Fault, store::Inner};

/// How late a deadline may be answered while an operation hangs.
const TICK: Duration = Duration::from_millis(20);

type Inserting = Pin<Box<dyn Future<Output = Inserted> + Send>>;
type Looking = Pin<Box<dyn Future<Output = (Look, Result<Looked, Fault>)> + Send>>;

/// Runs until the queue is closed and empty.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut writer = Writer::new(inner);
    while !writer.is_done() {
        writer.turn().await;
    }
}

struct Writer {
    inner: Arc<Inner>,
    core: Core,
    inserting: Option<Inserting>,
    looking: Option<Looking>,
    /// As of which primary the numbers are remembered.
    term: u64,
}

impl Writer {
    fn new(inner: Arc<Inner>) -> Self {
        let options = &inner.options;
        let core = Core::new(Bounds {
            batch_entries: options.batch_entries.max(1),
            batch_bytes: options.batch_bytes,
            doubtful_entries: options.doubtful_entries,
            cached_conversations: options.cached_conversations.max(2),
        });
        let term = inner.gate.term();
        Self { inner, core, inserting: None, looking: None, term }
    }

    fn is_done(&mut self) -> bool {
        self.inner.queue.is_closed() && self.core.is_idle() && self.inner.queue.is_empty()
    }

    /// Begins what can be begun, then waits for the next thing to happen.
    async fn turn(&mut self) {
        self.take();
        self.begin();
        self.tell();
        let restless = self.core.is_restless() || self.inner.late.is_watched();
        let free = self.inserting.is_none();
        tokio::select! {
            biased;
            outcome = on_its_way(&mut self.inserting) => {
                self.inserting = None;
                self.core.inserted(outcome, self.inner.clock.instant());
            }
            (look, looked) = on_its_way(&mut self.looking) => {
                self.looking = None;
                self.looked(&look, looked);
            }
            // While an insert is on its way, what arrives waits for it in the queue.
            () = self.inner.queue.arrived(), if free => {}
            () = tokio::time::sleep(TICK), if restless || !free => {}
        }
    }

    fn take(&mut self) {
        let now = self.inner.clock.instant();
        for job in self.inner.queue.take() {
            self.core.accept(job);
        }
        self.core.expire(now);
        let term = self.inner.gate.term();
        if self.term != term {
            self.term = term;
            self.core.forget_numbers();
        }
    }

    fn begin(&mut self) {
        let Some(collections) = self.inner.gate.collections() else { return };
        if self.looking.is_none()
            && let Some(look) = self.next_look()
        {
            self.looking = Some(Box::pin(looking(self.inner.clone(), collections.clone(), look)));
        }
        if self.inserting.is_none() {
            let mut documents = io::Documents::default();
            let inner = &self.inner;
            let count = self.core.plan(|message, dedup| documents.push(inner, message, dedup));
            if count > 0 {
                self.inserting = Some(Box::pin(inserting(self.inner.clone(), collections, documents)));
            }
        }
    }

    /// What is to be looked up; nothing in it where only what comes late is looked for.
    fn next_look(&mut self) -> Option<Look> {
        let now = self.inner.clock.instant();
        self.core.looks(now).or_else(|| self.inner.late.is_due(now).then(Look::default))
    }

    fn looked(&mut self, look: &Look, looked: Result<Looked, Fault>) {
        let now = self.inner.clock.instant();
        match looked {
            Ok(mut looked) => {
                self.core.effects.commits.append(&mut looked.late);
                self.core.looked(look, &looked, now);
            }
            Err(fault) => {
                self.inner.observe(&fault);
                tracing::debug!("a look-up failed: {fault}");
                self.core.looked_in_vain(now);
            }
        }
    }

    /// Hands on what became durable, tells it, and answers.
    fn tell(&mut self) {
        let Effects { commits, void, doubtful, answers } = self.core.effects();
        for (commit, _number) in &commits {
            if let Commit::Sent { message, .. } = commit {
                self.inner.upkeep.sent(message);
            }
        }
        let now = self.inner.clock.instant();
        if self.core.lingering.is_overdue(now) {
            self.inner.commits.prolong(now);
        }
        doubtful.into_iter().for_each(|number| self.inner.commits.doubt(number, now));
        void.into_iter().for_each(|number| self.inner.commits.void(number));
        if !commits.is_empty() {
            self.inner.tell(commits);
        }
        answers.into_iter().for_each(entry::Answer::send);
    }
}

async fn inserting(inner: Arc<Inner>, collections: Arc<Collections>, documents: io::Documents) -> Inserted {
    io::insert(&collections, documents).await.unwrap_or_else(|fault| {
        inner.observe(&fault);
        tracing::debug!("an insert's outcome is unknown: {fault}");
        Inserted::Unknown { refused: fault.is_refusal() }
    })
}

async fn looking(
    inner: Arc<Inner>,
    collections: Arc<Collections>,
    look: Look,
) -> (Look, Result<Looked, Fault>) {
    let looked = io::look(&inner, &collections, &look).await;
    (look, looked)
}

/// What an operation comes to; never, while there is none.
async fn on_its_way<T>(operation: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    match operation {
        Some(operation) => operation.await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
