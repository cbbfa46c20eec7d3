//! The store: opening, closing, and which port is answered by which thread.

mod archive;
mod ports;

use std::{
    fs::File,
    io,
    path::PathBuf,
    sync::{Arc, OnceLock, atomic::AtomicI64},
    thread::{Builder, JoinHandle},
};

use chat_ports::{Clock, CommitListener};
use parking_lot::Mutex;

use crate::{
    BackupError, OpenError, Options, backup, files,
    overlay::Overlay,
    queue::Queue,
    reader::Readers,
    shared::{Health, PruningHold, Shared},
    sweeper::Sweeper,
    writer::Writer,
};

/// The repositories on SQLite in one folder: see the crate's docs for how they work.
///
/// Implements [`Users`](chat_ports::Users), [`MessageLog`](chat_ports::MessageLog),
/// [`Messages`](chat_ports::Messages), [`Conversations`](chat_ports::Conversations),
/// [`Archive`](chat_ports::Archive), [`Replays`](chat_ports::Replays) and [`StoreHealth`](chat_ports::StoreHealth). Its futures need no runtime. Closed on drop.
pub struct Store {
    shared: Arc<Shared>,
    readers: Arc<Readers>,
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    writer: Option<JoinHandle<()>>,
    sweeper: Option<JoinHandle<()>>,
    readers: Vec<JoinHandle<()>>,
    /// Kept for its lock, until everything has ended.
    lock: File,
}

impl Store {
    /// Opens the folder, or makes it, and takes up what is in the log and not in the tables yet.
    /// Blocks: for well under a second, unless derived tables have to be rebuilt.
    ///
    /// `listener` is told of every commit, on the writer's thread: it must not block.
    ///
    /// # Errors
    /// One clear line for an operator each, which names the file.
    pub fn open(
        options: Options,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, OpenError> {
        let folder = files::open(&options)?;
        let shared = Arc::new(Shared {
            queue: Queue::new(&options),
            overlay: Overlay::new(&options, folder.mark),
            paths: folder.paths,
            store_id: folder.store_id,
            life: AtomicI64::default(),
            starts: OnceLock::new(),
            clock,
            health: Health::default(),
            pruning: PruningHold::default(),
            backup: Mutex::default(),
            options,
        });
        let writer = Writer::open(Arc::clone(&shared), listener, folder.mark)
            .map_err(|fault| files::fault_error(&shared.paths.log(), fault))?;
        let readers = Arc::new(Readers::new(shared.options.read_queue));
        let threads = start(&shared, &readers, writer, folder.lock).map_err(OpenError::Thread)?;
        Ok(Self { shared, readers, threads: Mutex::new(Some(threads)) })
    }

    /// Writes everything acknowledged so far into one new file, while the store goes on. It is put
    /// back by [`restore`](crate::restore).
    ///
    /// # Errors
    /// The file exists already, or `FILE.partial`, which another backup is writing or an interrupted
    /// one has left; it can't be written; or the store can't be read.
    pub async fn backup(&self, file: PathBuf) -> Result<(), BackupError> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let copy = move || drop(reply.send(backup::backup(&shared, &file)));
        Builder::new().name("store-backup".into()).spawn(copy).map_err(BackupError::Thread)?;
        answer.await.unwrap_or(Err(BackupError::Closed))
    }

    /// What the threads share, for tests that reach inside.
    #[cfg(test)]
    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Does what waits, sweeps and syncs, and ends the threads; blocks until then. Later calls are
    /// answered `Unavailable`. Closing twice does nothing.
    pub fn close(&self) {
        let Some(threads) = self.threads.lock().take() else { return };
        threads.end(&self.shared, &self.readers);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.shared.options.dir).finish_non_exhaustive()
    }
}

impl Threads {
    /// Ends those that were started, and gives the folder up when they have.
    fn end(self, shared: &Shared, readers: &Readers) {
        shared.queue.close();
        readers.close();
        self.writer.into_iter().for_each(join);
        shared.overlay.close();
        self.sweeper.into_iter().chain(self.readers).for_each(join);
        drop(self.lock);
    }
}

/// Starts all of them, or none.
fn start(shared: &Arc<Shared>, readers: &Arc<Readers>, writer: Writer, lock: File) -> io::Result<Threads> {
    let mut threads = Threads { writer: None, sweeper: None, readers: Vec::new(), lock };
    match start_each(&mut threads, shared, readers, writer) {
        Ok(()) => Ok(threads),
        Err(error) => {
            threads.end(shared, readers);
            Err(error)
        }
    }
}

fn start_each(
    threads: &mut Threads,
    shared: &Arc<Shared>,
    readers: &Arc<Readers>,
    writer: Writer,
) -> io::Result<()> {
    let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| Builder::new().name(name.into()).spawn(work);
    for _ in 0..shared.options.readers.max(1) {
        let (shared, readers) = (Arc::clone(shared), Arc::clone(readers));
        threads.readers.push(spawn("store-reader", Box::new(move || readers.work(shared)))?);
    }
    let sweeper = Sweeper::new(Arc::clone(shared));
    threads.writer = Some(spawn("store-writer", Box::new(move || writer.run()))?);
    threads.sweeper = Some(spawn("store-sweeper", Box::new(move || sweeper.run()))?);
    Ok(())
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the store had panicked");
    }
}
