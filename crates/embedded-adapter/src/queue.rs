//! The writer's queue: what arrives while a commit is on its way goes out as the next one.

use std::{collections::VecDeque, time::Duration};

use chat_ports::StoreError;
use parking_lot::{Condvar, Mutex};

use crate::{Options, fault::closed, job::Job};

/// A queue that is emptied at once. Bounded in jobs and bytes, counted until a job is *done*; past
/// them, and after closing, a job is answered `Unavailable` at once.
#[derive(Debug)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    ready: Condvar,
    max_jobs: usize,
    max_bytes: usize,
}

#[derive(Default)]
struct Inner {
    jobs: Vec<Job>,
    held_jobs: usize,
    held_bytes: usize,
    /// Whether the writer sleeps: only then does a push pay for waking it.
    asleep: bool,
    closed: bool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("held_jobs", &self.held_jobs).finish_non_exhaustive()
    }
}

impl Queue {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            inner: Mutex::default(),
            ready: Condvar::new(),
            max_jobs: options.queue_entries.max(1),
            max_bytes: options.queue_bytes,
        }
    }

    /// Queues a job, or answers it.
    pub(crate) fn push(&self, job: Job) {
        let bytes = job.bytes();
        let mut inner = self.inner.lock();
        let full =
            inner.held_jobs >= self.max_jobs || inner.held_bytes.saturating_add(bytes) > self.max_bytes;
        if inner.closed || full {
            let error = if inner.closed { closed } else { queue_full };
            drop(inner);
            return job.refuse(error);
        }
        inner.held_jobs += 1;
        inner.held_bytes += bytes;
        inner.jobs.push(job);
        if std::mem::take(&mut inner.asleep) {
            drop(inner);
            self.ready.notify_one();
        }
    }

    /// Queues a note of the store to itself, whatever the bounds.
    pub(crate) fn push_note(&self, job: Job) {
        let mut inner = self.inner.lock();
        if inner.closed {
            return;
        }
        inner.held_jobs += 1;
        inner.jobs.push(job);
        inner.asleep = false;
        self.ready.notify_one();
    }

    /// Moves everything that waits behind `backlog`; first waits for something if `wait`, not longer than `most`
    /// where that is given. False once it is closed and empty.
    pub(crate) fn take(&self, backlog: &mut VecDeque<Job>, wait: bool, most: Option<Duration>) -> bool {
        let mut inner = self.inner.lock();
        while wait && inner.jobs.is_empty() && !inner.closed {
            inner.asleep = true;
            match most {
                None => self.ready.wait(&mut inner),
                Some(most) => {
                    if self.ready.wait_for(&mut inner, most).timed_out() {
                        break;
                    }
                }
            }
        }
        inner.asleep = false;
        backlog.extend(inner.jobs.drain(..));
        !(inner.closed && backlog.is_empty())
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.inner.lock().jobs.is_empty()
    }

    /// How many jobs are not done.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.inner.lock().held_jobs
    }

    /// Makes room again for jobs that are done.
    pub(crate) fn release(&self, jobs: usize, bytes: usize) {
        let mut inner = self.inner.lock();
        inner.held_jobs -= jobs;
        inner.held_bytes -= bytes;
    }

    /// Refuses everything from now on; what waits is still done.
    pub(crate) fn close(&self) {
        self.inner.lock().closed = true;
        self.ready.notify_all();
    }

    /// Closes, and refuses what waits: the writer is gone.
    pub(crate) fn abandon(&self) {
        self.close();
        let jobs = std::mem::take(&mut self.inner.lock().jobs);
        jobs.into_iter().for_each(|job| job.refuse(closed));
    }
}

fn queue_full() -> StoreError {
    StoreError::Unavailable("the writer's queue is full".into())
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn past_its_bound_and_after_closing_a_job_is_refused_at_once() {
        let queue = Queue::new(&Options { queue_entries: 2, ..Options::new("") });
        let push = || {
            let (reply, answer) = oneshot::channel();
            queue.push(Job::Probe(reply));
            answer
        };
        let mut waiting = [push(), push()];
        assert!(push().try_recv().unwrap().unwrap_err().to_string().contains("queue is full"));
        let mut backlog = VecDeque::new();
        assert!(queue.take(&mut backlog, true, None));
        assert!(push().try_recv().unwrap().is_err(), "what is taken counts until it is done");
        queue.release(1, 0);
        let mut third = push();
        assert!(third.try_recv().is_err(), "it waits");
        queue.close();
        assert!(push().try_recv().unwrap().unwrap_err().to_string().contains("closed"));
        queue.abandon();
        assert!(third.try_recv().unwrap().is_err());
        assert!(waiting.iter_mut().all(|answer| answer.try_recv().is_err()), "the writer has them");
    }
}
