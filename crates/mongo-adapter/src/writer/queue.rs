//! The writer's queue: what arrives while an insert is on its way goes out with the next one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use chat_ports::{AppendError, Appended, NewMessage, StoreError};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::{Options, error::unavailable};

pub(super) type Reply = oneshot::Sender<Result<Appended, AppendError>>;

/// A message to be stored, and where the answer goes.
pub(super) struct Job {
    pub(super) message: NewMessage,
    pub(super) reply: Reply,
    pub(super) place: Place,
}

/// A queue that is emptied at once. Bounded in sends and in bytes of text, counted until a send is
/// answered; past them, and after closing, a send is refused at once.
pub(crate) struct Queue {
    jobs: Mutex<Vec<Job>>,
    held: Arc<Held>,
    arrived: Notify,
    closed: AtomicBool,
    max_entries: usize,
    max_bytes: usize,
}

#[derive(Default)]
struct Held {
    entries: AtomicUsize,
    bytes: AtomicUsize,
}

/// Room in the queue, given back when dropped.
pub(super) struct Place {
    held: Arc<Held>,
    bytes: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.held.entries.fetch_sub(1, Ordering::Relaxed);
        self.held.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Queue {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            jobs: Mutex::default(),
            held: Arc::default(),
            arrived: Notify::new(),
            closed: AtomicBool::new(false),
            max_entries: options.queue_entries.max(1),
            max_bytes: options.queue_bytes,
        }
    }

    /// Queues a send; its place among others is that of this call.
    ///
    /// # Errors
    /// The queue is full or closed.
    pub(crate) fn push(
        &self,
        message: NewMessage,
    ) -> Result<oneshot::Receiver<Result<Appended, AppendError>>, StoreError> {
        let place = self.place(message.text.as_str().len())?;
        let (reply, answer) = oneshot::channel();
        let mut jobs = self.jobs.lock();
        // Looked at under the lock, so that nothing is queued after the writer's last look.
        if self.closed.load(Ordering::SeqCst) {
            return Err(unavailable("the store is closed"));
        }
        jobs.push(Job { message, reply, place });
        drop(jobs);
        self.arrived.notify_one();
        Ok(answer)
    }

    fn place(&self, bytes: usize) -> Result<Place, StoreError> {
        let entries = self.held.entries.fetch_add(1, Ordering::Relaxed);
        let held_bytes = self.held.bytes.fetch_add(bytes, Ordering::Relaxed);
        let place = Place { held: self.held.clone(), bytes };
        if entries >= self.max_entries || held_bytes.saturating_add(bytes) > self.max_bytes {
            return Err(unavailable("the writer's queue is full"));
        }
        Ok(place)
    }

    /// Everything that waits, in the order of arrival.
    pub(super) fn take(&self) -> Vec<Job> {
        std::mem::take(&mut *self.jobs.lock())
    }

    /// Lets the writer look around, though nothing arrives.
    pub(crate) fn wake(&self) {
        self.arrived.notify_one();
    }

    /// Waits until something arrives, or the queue is closed.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Refuses everything from now on; what waits is still done.
    pub(crate) fn close(&self) {
        let jobs = self.jobs.lock();
        self.closed.store(true, Ordering::SeqCst);
        drop(jobs);
        self.arrived.notify_one();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.lock().is_empty()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use chat_testkit::SequentialIds;

    use super::*;
    use crate::{MongoUri, writer::tests::new_message};

    fn queue(entries: usize, bytes: usize) -> Queue {
        let uri = MongoUri::parse("mongodb://localhost/chat").unwrap();
        Queue::new(&Options { queue_entries: entries, queue_bytes: bytes, ..Options::new(uri) })
    }

    #[test]
    fn past_its_bounds_a_send_is_refused_until_an_earlier_one_is_done() {
        let ids = SequentialIds::new();
        let queue = queue(3, 10);
        let push = |text: &str| queue.push(new_message(&ids, text));
        let waiting = [push("12345").unwrap(), push("12345").unwrap()];
        assert!(push("1").unwrap_err().to_string().contains("full"), "in bytes");
        let mut taken = queue.take();
        assert!(push("1").is_err(), "what is taken counts until it is done");
        taken.pop();
        let more = [push("1").unwrap(), push("1").unwrap()];
        assert!(push("1").unwrap_err().to_string().contains("full"), "in sends");
        drop((waiting, more));
    }

    #[test]
    fn after_closing_a_send_is_refused_and_what_waits_is_kept() {
        let ids = SequentialIds::new();
        let queue = queue(3, 10);
        let waiting = queue.push(new_message(&ids, "1")).unwrap();
        queue.close();
        assert!(queue.push(new_message(&ids, "1")).unwrap_err().to_string().contains("closed"));
        assert_eq!(queue.take().len(), 1);
        drop(waiting);
    }
}
