//! The store: made, waited for, closed.

mod ports;

use std::{
    future::Future,
    sync::{Arc, mpsc},
};

use chat_ports::{Clock, Commit, CommitListener, StoreError, model::UserId};
use parking_lot::Mutex;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::JoinHandle,
};

use crate::{
    OpenError, Options, StartError,
    clock::PrimaryClock,
    commits::{Commits, Stamp},
    connection::Collections,
    conversations::Upkeep,
    error::{Fault, unavailable},
    gate::Gate,
    lanes::{self, Lanes},
    late::Late,
    supervisor,
    writer::{self, Queue},
};

/// What the parts of a store share.
pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) listener: Arc<dyn CommitListener>,
    pub(crate) gate: Gate,
    pub(crate) primary_clock: PrimaryClock,
    /// The numbers under which what becomes durable is told.
    pub(crate) commits: Commits,
    /// Sends that wait for the writer.
    pub(crate) queue: Queue,
    /// Readings that wait for their conversation's task.
    pub(crate) lanes: Lanes,
    pub(crate) upkeep: Upkeep,
    /// What a process that died may have left on its way.
    pub(crate) late: Late,
    /// The store's own runtime: the driver works only there.
    pub(crate) handle: Handle,
}

impl Inner {
    /// Runs an operation on the store's runtime, within the time that one may take, while the gates
    /// are open. Its future runs under any executor; dropping it does not stop the operation.
    ///
    /// # Errors
    /// What the operation failed with; [`StoreError::Unavailable`] while MongoDB is away.
    pub(crate) async fn run<T, E, F>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Collections>) -> F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        E: Send + 'static,
        Fault: From<E>,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let collections = self.gate.pass()?.clone();
        let (inner, work) = (self.clone(), work(collections.clone()));
        let task = self.handle.spawn(async move {
            let done = collections.limit(work).await;
            done.inspect_err(|fault| inner.observe(fault))
        });
        match task.await {
            Ok(done) => Ok(done?),
            Err(_cancelled) => Err(unavailable("the store is closed")),
        }
    }

    /// A number and the time for a write that concerns these two.
    pub(crate) fn stamp(&self, users: [UserId; 2]) -> Stamp {
        self.commits.take(users, || self.primary_clock.now(&*self.clock))
    }

    /// The same for what was in doubt.
    pub(crate) fn stamp_in_doubt(&self) -> Stamp {
        self.commits.take_in_doubt(|| self.primary_clock.now(&*self.clock), self.clock.instant())
    }

    /// A write is over that took a stamp. What it changed is to be told yet.
    pub(crate) fn end<T>(
        &self,
        stamp: Stamp,
        outcome: &Result<T, Fault>,
        has_changed: impl FnOnce(&T) -> bool,
    ) {
        match outcome {
            Ok(done) if has_changed(done) => {}
            Err(fault) if !fault.is_refusal() => self.commits.doubt(stamp.number, self.clock.instant()),
            Ok(_) | Err(_) => self.commits.void(stamp.number),
        }
    }

    /// Tells the listener what became durable under these numbers.
    pub(crate) fn tell(&self, commits: Vec<(Commit, u64)>) {
        self.commits.tell(&*self.listener, commits, self.clock.instant());
    }

    /// Lets the supervisor look, where a fault tells of an outage.
    pub(crate) fn observe(&self, fault: &Fault) {
        if fault.is_outage() {
            self.gate.suspected.notify_one();
        }
    }
}

/// A database that serves as the chat's store. Implements every repository port.
pub struct Store {
    pub(crate) inner: Arc<Inner>,
    /// The runtime and what is to be waited for when it is shut down; gone once closed.
    running: Mutex<Option<Running>>,
}

struct Running {
    runtime: Runtime,
    tasks: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("uri", &self.inner.options.uri).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store and returns at once: a supervisor connects, checks the server, applies the
    /// migrations that are missing, then opens the gates. Until then, and whenever MongoDB is away, the
    /// ports answer [`StoreError::Unavailable`].
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn open(
        options: Options,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Arc<Self>, OpenError> {
        let runtime = Builder::new_multi_thread()
            .thread_name("mongo")
            .worker_threads(options.worker_threads.max(1))
            .enable_all()
            .build()
            .map_err(OpenError::Threads)?;
        let (lanes, readings) = Lanes::new(&options);
        let inner = Arc::new(Inner {
            clock,
            listener,
            gate: Gate::new(),
            primary_clock: PrimaryClock::new(options.max_clock_offset),
            commits: Commits::default(),
            queue: Queue::new(&options),
            lanes,
            upkeep: Upkeep::new(&options),
            late: Late::default(),
            handle: runtime.handle().clone(),
            options,
        });
        let mut tasks = lanes::start(&inner, readings);
        tasks.push(runtime.spawn(writer::run(inner.clone())));
        runtime.spawn(supervisor::run(inner.clone()));
        Ok(Arc::new(Self { inner, running: Mutex::new(Some(Running { runtime, tasks })) }))
    }

    /// Waits until the store works for the first time.
    ///
    /// # Errors
    /// Only what waiting can't mend: refused credentials, a server that is too old, migrations that this
    /// build does not know. It names the setting, and no secret.
    pub async fn ready(&self) -> Result<(), StartError> {
        self.inner.gate.ready().await
    }

    /// Closes the store: what is queued is finished and what is written behind is flushed, within the time
    /// that one operation may take. Blocks; must not be called on the store's own runtime.
    pub fn close(&self) {
        self.refuse_everything();
        let Some(Running { runtime, tasks }) = self.running.lock().take() else { return };
        let (done, finished) = mpsc::sync_channel(1);
        let inner = self.inner.clone();
        runtime.spawn(async move {
            finish(&inner, tasks).await;
            if done.send(()).is_err() {
                tracing::debug!("the store was closed without waiting for this");
            }
        });
        if finished.recv_timeout(self.inner.options.operation_timeout).is_err() {
            tracing::warn!("MongoDB did not take in time what was still to be written");
        }
        runtime.shutdown_background();
    }

    fn refuse_everything(&self) {
        self.inner.gate.close();
        self.inner.queue.close();
        self.inner.lanes.close();
    }
}

async fn finish(inner: &Inner, tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        // One that panicked has nothing to finish.
        drop(task.await);
    }
    if let Some(collections) = inner.gate.collections()
        && let Err(fault) = inner.upkeep.finish(&collections).await
    {
        tracing::warn!("the list of conversations was not written, the next start derives it: {fault}");
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.refuse_everything();
        if let Some(Running { runtime, .. }) = self.running.lock().take() {
            runtime.shutdown_background();
        }
    }
}
