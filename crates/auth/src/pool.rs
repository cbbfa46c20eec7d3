//! A few threads of low priority that work off a bounded queue.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{Builder, JoinHandle},
};

/// Something to be done.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// The queue is full; the job was dropped.
#[derive(Debug)]
pub(crate) struct Full;

/// The threads and their queue. Overflow: refused with [`Full`]. On drop, what waits is dropped and the
/// threads are joined.
pub(crate) struct Pool {
    /// Gone only while dropping.
    queue: Option<SyncSender<Job>>,
    stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts the threads.
    pub(crate) fn start(name: &str, threads: usize, queue: usize) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut pool = Self { queue: Some(sender), stopped: Arc::default(), threads: Vec::new() };
        for number in 0..threads {
            let (receiver, stopped) = (Arc::clone(&receiver), Arc::clone(&pool.stopped));
            let builder = Builder::new().name(format!("{name}-{number}"));
            pool.threads.push(builder.spawn(move || work(&receiver, &stopped))?);
        }
        Ok(pool)
    }

    /// Queues a job, without waiting.
    pub(crate) fn run(&self, job: Job) -> Result<(), Full> {
        let queue = self.queue.as_ref().ok_or(Full)?;
        queue.try_send(job).map_err(|_full_or_closed| Full)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        self.queue = None;
        for thread in self.threads.drain(..) {
            // Jobs' panics are caught, so there is nothing to learn from a thread's end.
            let _ended = thread.join();
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>, stopped: &AtomicBool) {
    lower_priority();
    while let Some(job) = next(queue) {
        if stopped.load(Ordering::Acquire) {
            return;
        }
        // A job that panics drops its reply, which its caller sees; the thread goes on.
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a job of the hashing threads panicked");
        }
    }
}

/// Waits for a job. The lock is a turnstile: one idle thread waits in the queue, the others for it.
fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Nice 19 for the calling thread, so that logins don't cost messages their time. Linux keeps a nice
/// value a thread; elsewhere this call would slow the whole process, so it is left out.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "the hashing threads keep their priority");
    }
}
