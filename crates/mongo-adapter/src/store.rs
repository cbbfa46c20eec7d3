//! The store: made, waited for, closed.

use std::{future::Future, sync::Arc};

use chat_ports::{Clock, CommitListener, StoreError};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::{
    OpenError, Options, StartError,
    connection::Collections,
    conversations::Upkeep,
    error::{Fault, unavailable},
    gate::{Gate, Phase},
    supervisor,
};

/// What the parts of a store share.
pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) listener: Arc<dyn CommitListener>,
    pub(crate) gate: Gate,
    pub(crate) upkeep: Upkeep,
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
    runtime: Mutex<Option<Runtime>>,
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
        let inner = Arc::new(Inner {
            clock,
            listener,
            gate: Gate::new(),
            upkeep: Upkeep::new(&options),
            handle: runtime.handle().clone(),
            options,
        });
        runtime.spawn(supervisor::run(inner.clone()));
        Ok(Arc::new(Self { inner, runtime: Mutex::new(Some(runtime)) }))
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
        self.inner.gate.enter(Phase::Closed);
        if let Some(runtime) = self.runtime.lock().take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.inner.gate.enter(Phase::Closed);
        if let Some(runtime) = self.runtime.lock().take() {
            runtime.shutdown_background();
        }
    }
}
