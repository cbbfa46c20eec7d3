//! The only thread that changes anything: it drains its queue into one transaction, makes that
//! durable, lets the listener know, and answers.

mod batch;
mod blocks;
mod ledger;
mod log;
mod marking;
mod put;
mod recovery;
mod revising;
mod stage;
mod users;

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use chat_ports::{CommitListener, StoreError};

pub(crate) use log::bounds;

use crate::{
    fault::Fault,
    files::{self, Starts},
    job::Job,
    overlay::Staged,
    shared::Shared,
};
use batch::Batch;
use ledger::Ledger;
use log::Log;

/// How long jobs are staged before what there is gets committed: look-ups on a slow disk must not
/// keep everybody waiting.
const MOST_STAGING: Duration = Duration::from_millis(100);
/// Jobs between two looks at the clock.
const CLOCK_STRIDE: usize = 8;
/// How often deadlines are looked at while there is no room.
const ROOM_CHECK: Duration = Duration::from_millis(20);
/// Entries that are pruned at a time while nobody waits.
const QUIET_SLICE: u64 = 4_096;
/// Entries that are pruned along with a commit, at least.
const BUSY_SLICE: u64 = 128;

/// How long the writer sleeps at most while a text is to leave the log's files.
const ERASE_PAUSE: Duration = Duration::from_millis(500);

/// The writer.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    listener: Arc<dyn CommitListener>,
    ledger: Ledger,
    log: Option<Log>,
    /// The number of the next entry.
    next_n: u64,
    /// Where the log's entries begin.
    first_n: u64,
    /// Up to which number they may go.
    prunable: u64,
    /// Up to which number texts are to leave the log's files; 0 where none are.
    erase_upto: u64,
    /// What a failed commit may have stored all the same.
    in_doubt: Option<Batch>,
    scratch: Vec<u8>,
}

impl Writer {
    /// Opens the log and takes what is not swept, from `mark` on, into memory.
    pub(crate) fn open(
        shared: Arc<Shared>,
        listener: Arc<dyn CommitListener>,
        mark: u64,
    ) -> Result<Self, Fault> {
        let log = Log::open(&shared)?;
        shared.life.store(files::life(log.connection())?, Ordering::Relaxed);
        let ledger = Ledger::new(Arc::clone(&shared));
        let (first_n, last) = log.bounds()?.unwrap_or((mark + 1, mark));
        let mut writer = Self {
            shared,
            listener,
            ledger,
            log: Some(log),
            next_n: last.max(mark) + 1,
            first_n,
            // What the tables have was synced when the folder was opened.
            prunable: mark,
            erase_upto: if first_n <= mark { mark } else { 0 },
            in_doubt: None,
            scratch: Vec::new(),
        };
        writer.replay(mark)?;
        writer.note_start();
        Ok(writer)
    }

    /// Notes this start. Where that fails, as on a disk that is full, the store works all the same; only positions are then as good as
    /// their numbers.
    fn note_start(&self) {
        let Some(log) = &self.log else { return };
        match Starts::begin(log.connection(), self.next_n) {
            Ok(starts) => drop(self.shared.starts.set(starts)),
            Err(error) => {
                drop(log.roll_back());
                tracing::warn!(%error, "this start could not be noted in the log");
            }
        }
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let _answering = AbandonOnDrop(Arc::clone(&self.shared));
        let mut backlog = VecDeque::new();
        loop {
            let idle = backlog.is_empty() && !self.may_prune();
            let most = (self.erase_upto > 0).then_some(ERASE_PAUSE);
            if !self.shared.queue.take(&mut backlog, idle, most) {
                return;
            }
            let jobs = self.select(&mut backlog);
            if jobs.is_empty() && !backlog.is_empty() {
                self.shared.overlay.wait_for_room(ROOM_CHECK);
            } else if !jobs.is_empty() {
                self.process(jobs, &mut backlog);
            }
            self.keep_house(backlog.is_empty() && self.shared.queue.is_empty());
        }
    }

    /// Takes from the backlog what can be done now: as many entries as memory has room for, in
    /// their order, those whose time is over, and everything that is no entry.
    fn select(&self, backlog: &mut VecDeque<Job>) -> VecDeque<Job> {
        let mut room = self.shared.overlay.room();
        if room >= backlog.len() {
            return std::mem::take(backlog);
        }
        let now = self.shared.clock.instant();
        let (mut jobs, mut left) = (VecDeque::new(), VecDeque::new());
        for job in backlog.drain(..) {
            if !job.is_entry() || job.is_late(now) {
                jobs.push_back(job);
            } else if room > 0 {
                room -= 1;
                jobs.push_back(job);
            } else {
                left.push_back(job);
            }
        }
        *backlog = left;
        jobs
    }

    /// Does what it has time for in one commit; the rest goes back to the front of the backlog.
    fn process(&mut self, mut jobs: VecDeque<Job>, backlog: &mut VecDeque<Job>) {
        let held = |jobs: &VecDeque<Job>| (jobs.len(), jobs.iter().map(Job::bytes).sum::<usize>());
        let taken = held(&jobs);
        let mut batch = Batch::default();
        let result = self.write(&mut jobs, &mut batch);
        let left = held(&jobs);
        jobs.append(backlog);
        *backlog = jobs;
        self.ledger.release();
        match result {
            Ok(()) => self.publish(batch),
            Err(fault) => self.fail(batch, &fault),
        }
        self.ledger.trim();
        self.shared.queue.release(taken.0 - left.0, taken.1 - left.1);
    }

    /// Stages jobs until there are no more or it has taken long enough, and commits. After a failure
    /// the rest is refused with it.
    fn write(&mut self, jobs: &mut VecDeque<Job>, batch: &mut Batch) -> Result<(), Fault> {
        let now = self.shared.clock.instant();
        let (mut result, mut count) = (self.ensure_log(), 0_usize);
        while let Some(job) = jobs.pop_front() {
            let is_alone = job.is_alone();
            if is_alone && count > 0 {
                jobs.push_front(job);
                break;
            }
            match &result {
                Ok(()) => result = self.stage(job, now, batch),
                Err(fault) => job.refuse(|| refusal(fault)),
            }
            count += 1;
            if is_alone {
                break;
            }
            if count.is_multiple_of(CLOCK_STRIDE) && result.is_ok() && self.is_long_since(now) {
                break;
            }
        }
        result?;
        self.prune_along(batch.staged.len())?;
        self.log()?.commit()
    }

    fn is_long_since(&self, start: Instant) -> bool {
        self.shared.clock.instant().saturating_duration_since(start) >= MOST_STAGING
    }

    /// What is durable now is shown to readers, told to the listener, and answered: in this order.
    fn publish(&mut self, mut batch: Batch) {
        // A batch may have nothing to write: its commit says nothing of the disk.
        if batch.probed || !batch.staged.is_empty() {
            self.shared.health.log.store(true, Ordering::Relaxed);
        }
        self.next_n += batch.staged.len() as u64;
        if !batch.staged.is_empty() {
            self.show(batch.staged.drain(..));
        }
        if !batch.commits.is_empty() {
            self.listener.committed(std::mem::take(&mut batch.commits));
        }
        batch.send_answers();
    }

    fn show(&self, staged: impl IntoIterator<Item = Staged>) {
        self.shared.overlay.apply(staged, self.shared.clock.instant());
    }

    fn log(&self) -> Result<&Log, Fault> {
        self.log.as_ref().ok_or_else(|| Fault::Down("the log is not open".into()))
    }

    fn may_prune(&self) -> bool {
        self.first_n <= self.prunable && self.log.is_some() && !self.shared.pruning.is_held()
    }

    /// Deletes a few entries inside of a commit that is made anyway.
    fn prune_along(&mut self, entries: usize) -> Result<(), Fault> {
        if entries == 0 || !self.may_prune() {
            return Ok(());
        }
        let result = self.prune((entries as u64 * 2).max(BUSY_SLICE));
        if result.is_err() {
            // Or the next commit would fail of it as well: it waits until more is swept.
            self.prunable = 0;
        }
        result
    }

    fn prune(&mut self, most: u64) -> Result<(), Fault> {
        let last = self.prunable.min(self.first_n + most - 1);
        self.log()?.prune(self.first_n, last)?;
        self.first_n = last + 1;
        Ok(())
    }

    /// What nobody waits for. A failure is not answered to anybody: it will meet the next commit as
    /// well.
    fn keep_house(&mut self, quiet: bool) {
        let result = self.prune_if_quiet(quiet).and_then(|()| match &self.log {
            Some(log) => log.checkpoint_if_due(quiet),
            None => Ok(()),
        });
        let result = result.and_then(|()| self.erase_if_pruned());
        if let Err(fault) = result {
            self.prunable = 0;
            if fault.is_damage() {
                self.shared.paths.suspect_log();
            }
            tracing::warn!(error = %fault, "the log could not be pruned or checkpointed; it will be tried again");
        }
    }

    /// Brings the log's file to disk without a WAL beside it once what is to be erased is pruned. Where somebody reads
    /// just then, it is tried again: after the next jobs, or after a pause.
    fn erase_if_pruned(&mut self) -> Result<(), Fault> {
        if self.erase_upto > 0 && self.first_n > self.erase_upto && self.log()?.erase()? {
            self.erase_upto = 0;
        }
        Ok(())
    }

    /// Gives the store another life: positions of what was missed before are none of this one's.
    fn renew_life(&mut self) -> Result<(), Fault> {
        let log = self.log()?;
        log.begin()?;
        Ok(files::renew_life(log.connection())?)
    }

    fn prune_if_quiet(&mut self, quiet: bool) -> Result<(), Fault> {
        if quiet && self.may_prune() { self.prune(QUIET_SLICE) } else { Ok(()) }
    }
}

/// What a caller hears of a failed commit.
fn refusal(fault: &Fault) -> StoreError {
    if fault.is_full() {
        StoreError::Unavailable("the disk is full".into())
    } else if fault.is_connection() || fault.is_damage() {
        StoreError::Unavailable(fault.to_string().into())
    } else {
        StoreError::Internal(fault.to_string().into())
    }
}

/// Refuses what waits when the thread ends, however it ends.
struct AbandonOnDrop(Arc<Shared>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.queue.abandon();
    }
}
