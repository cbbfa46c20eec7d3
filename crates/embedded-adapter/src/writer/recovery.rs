//! What the writer finds in the log: at the start, and after a commit that failed.

use std::sync::atomic::Ordering;

use super::{Batch, Log, Writer, refusal};
use crate::{
    fault::Fault,
    overlay::{Numbered, Staged},
    record::Entry,
    state::Who,
};

/// Entries that are taken into memory at a time.
const REPLAY_SLICE: usize = 1_024;

impl Writer {
    /// Takes every entry past `mark` into memory, in order.
    pub(super) fn replay(&mut self, mark: u64) -> Result<(), Fault> {
        let log = self.log.take().ok_or_else(|| Fault::Down("the log is not open".into()))?;
        let result = self.replay_from(&log, mark);
        self.log = Some(log);
        self.ledger.release();
        result
    }

    fn replay_from(&mut self, log: &Log, mark: u64) -> Result<(), Fault> {
        let mut find = log.connection().prepare("SELECT n, entry FROM entries WHERE n > ?1 ORDER BY n")?;
        let mut rows = find.query([mark.cast_signed()])?;
        let (mut staged, mut expected) = (Vec::new(), mark + 1);
        while let Some(row) = rows.next()? {
            let n = row.get::<_, i64>(0)?.cast_unsigned();
            if n != expected {
                return Err(Fault::corrupt("entries", expected, "n"));
            }
            expected += 1;
            let entry = Entry::decode(n, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
            staged.push(self.take_up(n, entry)?);
            if staged.len() >= REPLAY_SLICE {
                self.show(staged.drain(..));
                self.ledger.trim();
            }
        }
        self.show(staged);
        Ok(())
    }

    /// The conversation's numbers with a replayed entry. An entry that does not follow from the one
    /// before it is damage.
    fn take_up(&mut self, n: u64, entry: Entry) -> Result<Staged, Fault> {
        let conversation = entry.conversation();
        let mut known = self.ledger.known(&conversation)?;
        match &entry {
            Entry::Sent(row) => {
                let sender = Who::is(row.message.sender, &conversation);
                if known.state.next(sender) != Some(row.place) {
                    return Err(Fault::corrupt("entries", n, "seq"));
                }
                known.state.sent(sender, row.place, &row.message);
            }
            Entry::Marked(mark) => known.state.mark(mark.kind, mark.receiver, mark.seq, mark.nth),
            Entry::Changed(changed) if changed.seq > known.state.last => {
                return Err(Fault::corrupt("entries", n, "seq"));
            }
            Entry::Changed(_) => {}
        }
        self.ledger.put(conversation, known);
        Ok(Staged { numbered: Numbered { n, entry }, state: known.state })
    }

    /// Deals with a batch whose commit failed: the numbers go back, unless it turns out to be stored.
    pub(super) fn fail(&mut self, mut batch: Batch, fault: &Fault) {
        self.ledger.forget();
        if self.shared.health.log.swap(false, Ordering::Relaxed) {
            tracing::error!(error = %fault, "the log can't be written to; changes are refused until it can");
        }
        if fault.is_damage() {
            self.shared.paths.suspect_log();
        }
        let Some(log) = self.log.take() else {
            return batch.refuse_answers(|| refusal(fault));
        };
        if fault.is_connection() {
            // Now, with its locks: they would be in the way of the next one.
            drop(log);
        } else if self.keep_log(log) {
            return batch.refuse_answers(|| refusal(fault));
        }
        match self.is_stored(&batch) {
            Ok(true) => self.publish(batch),
            Ok(false) => batch.refuse_answers(|| refusal(fault)),
            Err(_still_down) => {
                batch.refuse_answers(|| refusal(fault));
                if self.in_doubt.is_none() && !batch.staged.is_empty() {
                    self.in_doubt = Some(batch);
                }
            }
        }
    }

    /// Goes on with the same connection if the transaction can be taken back, pruning included.
    fn keep_log(&mut self, log: Log) -> bool {
        match log.roll_back().and_then(|()| log.bounds()) {
            Ok(bounds) => {
                self.first_n = bounds.map_or(self.next_n, |(first, _)| first);
                self.log = Some(log);
                true
            }
            Err(_unusable) => false,
        }
    }

    /// Opens the log again if it was given up, and first of all publishes what a failed commit has
    /// stored.
    pub(super) fn ensure_log(&mut self) -> Result<(), Fault> {
        if self.log.is_some() {
            return Ok(());
        }
        let batch = self.in_doubt.take().unwrap_or_default();
        match self.is_stored(&batch) {
            Ok(true) => self.publish(batch),
            Ok(false) => {}
            Err(fault) => {
                self.in_doubt = Some(batch);
                return Err(fault);
            }
        }
        tracing::info!("the log is open again");
        Ok(())
    }

    /// Opens the log and reads its tail: whether this batch, whose commit failed, is there all the same.
    fn is_stored(&mut self, batch: &Batch) -> Result<bool, Fault> {
        let log = Log::open(&self.shared)?;
        // A commit whose sync failed can be read, but may not be on disk.
        log.settle()?;
        let stored = self.is_tail(&log, batch)?;
        self.first_n = log.bounds()?.map_or(self.next_n, |(first, _)| first);
        self.log = Some(log);
        Ok(stored)
    }

    /// Whether the log goes on with this batch, byte for byte, or not at all.
    fn is_tail(&self, log: &Log, batch: &Batch) -> Result<bool, Fault> {
        let mut find = log.connection().prepare("SELECT n, entry FROM entries WHERE n >= ?1 ORDER BY n")?;
        let mut rows = find.query([self.next_n.cast_signed()])?;
        let (mut expected, mut bytes, mut found) = (batch.staged.iter(), Vec::new(), false);
        while let Some(row) = rows.next()? {
            let n = row.get::<_, i64>(0)?.cast_unsigned();
            let ours = expected.next().map(|staged| &staged.numbered).filter(|ours| ours.n == n);
            bytes.clear();
            ours.ok_or_else(foreign_tail)?.entry.encode(&mut bytes);
            if row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)? != bytes {
                return Err(foreign_tail());
            }
            found = true;
        }
        if found && expected.next().is_some() {
            return Err(foreign_tail());
        }
        Ok(found)
    }

    /// What a commit does that fails after, or before, its entries were on disk.
    #[cfg(test)]
    pub(crate) fn commit_with_unknown_outcome(
        &mut self,
        jobs: std::collections::VecDeque<crate::job::Job>,
        stored: bool,
        fault: &Fault,
    ) {
        let mut batch = Batch::default();
        let now = self.shared.clock.instant();
        jobs.into_iter().for_each(|job| self.stage(job, now, &mut batch).unwrap());
        if stored {
            self.log().unwrap().commit().unwrap();
        }
        self.ledger.release();
        self.fail(batch, fault);
    }
}

fn foreign_tail() -> Fault {
    Fault::Down("somebody else has written to the log".into())
}
