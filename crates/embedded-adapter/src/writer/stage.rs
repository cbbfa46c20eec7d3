//! What each job becomes inside of a commit.

use std::{sync::Arc, time::Instant};

use chat_ports::{
    AppendError, Appended, BlockChange, Commit, CommitNumber, Committed, NewMessage, NewUser, Receipt,
    StoreError,
    model::{ConversationId, Message, SocketId},
};

use super::{Batch, Writer, blocks, marking::Marking, users};
use crate::{
    fault::Fault,
    job::{Answer, AppendReply, BlockReply, DoneReply, Job, MarkReply, UserReply},
    overlay::{DedupKey, Numbered, Staged},
    record::{Entry, Row},
    state::{ConversationState, Who},
    tables,
};

/// What is written to see whether the log can grow: some pages.
const PROBE: [u8; 16_384] = [0; 16_384];

/// A message that was sent before.
struct Repeat {
    first: Arc<Message>,
    /// Whether the first one is in this batch as well.
    staged: bool,
}

impl Writer {
    /// Stages a job. An error is the log's and ends the batch; what concerns one job only is its answer.
    pub(super) fn stage(&mut self, job: Job, now: Instant, batch: &mut Batch) -> Result<(), Fault> {
        if job.is_late(now) {
            job.refuse(|| StoreError::Timeout);
            return Ok(());
        }
        match job {
            Job::Append(message, reply) => self.append(message, reply, batch),
            Job::Mark(receipt, reply) => self.mark(receipt, reply, batch),
            Job::Change(revision, reply) => self.revise(revision, reply, batch),
            Job::Block(change, reply) => self.block(change, reply, batch),
            Job::PutBlocks(blocks, reply) => self.put_rows(reply, batch, |log| blocks::put(log, &blocks)),
            Job::AddUser(user, reply) => self.add_user(*user, reply, batch),
            Job::Presence(records, reply) => {
                self.change(reply, batch, |log| users::record_presence(log, &records))
            }
            Job::ClearPresence(reply) => self.change(reply, batch, users::clear_presence),
            Job::PutUsers(users, reply) => self.put_rows(reply, batch, |log| users::put(log, &users)),
            Job::PutMessages(messages, reply) => self.put_messages(messages, reply, batch),
            Job::Probe(reply) => self.probe(reply, batch),
            Job::Prune { mark, erase } => {
                self.prunable = self.prunable.max(mark);
                if erase {
                    self.erase_upto = self.erase_upto.max(mark);
                }
                Ok(())
            }
            #[cfg(test)]
            Job::Tamper(tamper) => {
                tamper(self.log()?.connection());
                Ok(())
            }
        }
    }

    fn append(&mut self, new: NewMessage, reply: AppendReply, batch: &mut Batch) -> Result<(), Fault> {
        let conversation = ConversationId::between(new.sender, new.receiver);
        let sender = Who::is(new.sender, &conversation);
        let mut known = match self.ledger.known(&conversation) {
            Ok(known) => known,
            Err(fault) => {
                return self.excuse(batch, Answer::Append(reply, Err(StoreError::from(fault).into())));
            }
        };
        let Some(place) = known.state.next(sender) else {
            let full = StoreError::Internal("the conversation is full".into());
            return self.excuse(batch, Answer::Append(reply, Err(full.into())));
        };
        let (message, except) = stored_form(new, place.seq);
        match self.repeat_of(&message, &conversation, &mut known, batch) {
            Ok(Some(repeat)) => {
                answer_repeat(repeat, &message, reply, batch);
                return Ok(());
            }
            Ok(None) => {}
            Err(fault) => {
                return self.excuse(batch, Answer::Append(reply, Err(StoreError::from(fault).into())));
            }
        }
        known.state.sent(sender, place, &message);
        self.ledger.put(conversation, known);
        self.tell(Commit::Sent { message: Arc::clone(&message), except }, 1, batch);
        let appended = Appended { message: Arc::clone(&message), repeated: false };
        batch.answer(Answer::Append(reply, Ok(appended)));
        self.write_entry(Entry::Sent(Row { message, place }), known.state, batch)
    }

    /// Looks for the same message: in this batch, in memory, in the tables. The batch is the
    /// reservation: a copy that came in the meantime finds the first one there and shares its
    /// outcome.
    fn repeat_of(
        &mut self,
        message: &Arc<Message>,
        conversation: &ConversationId,
        known: &mut super::ledger::Known,
        batch: &mut Batch,
    ) -> Result<Option<Repeat>, Fault> {
        if message.client_id.is_none() {
            return Ok(None);
        }
        let key = DedupKey(Arc::clone(message));
        if let Some(first) = batch.keys.get(&key) {
            return Ok(Some(Repeat { first: Arc::clone(&first.0), staged: true }));
        }
        if let Some(first) = self.ledger.repeated(&key, conversation, known)? {
            return Ok(Some(Repeat { first, staged: false }));
        }
        batch.keys.insert(key);
        Ok(None)
    }

    fn mark(&mut self, receipt: Receipt, reply: MarkReply, batch: &mut Batch) -> Result<(), Fault> {
        let found = match self.ledger.find(receipt.message) {
            Ok(Some(found)) if found.message.receiver == receipt.receiver => found,
            Ok(_) => return self.excuse(batch, Answer::Mark(reply, Ok(None))),
            Err(fault) => return self.excuse(batch, Answer::Mark(reply, Err(fault.into()))),
        };
        match self.plan_marking(&receipt, &found) {
            Ok(Marking { span, marks }) => {
                if span.count > 0 {
                    let Receipt { kind, receiver, except, .. } = receipt;
                    let commit = Commit::Receipt { kind, receiver, span: span.clone(), except };
                    self.tell(commit, marks.len(), batch);
                }
                batch.answer(Answer::Mark(reply, Ok(Some(span))));
                marks
                    .into_iter()
                    .try_for_each(|(mark, state)| self.write_entry(Entry::Marked(mark), state, batch))
            }
            Err(fault) => self.excuse(batch, Answer::Mark(reply, Err(fault.into()))),
        }
    }

    /// The listener will be told of a commit, by the number of the last of its entries, which are written next.
    pub(super) fn tell(&self, commit: Commit, entries: usize, batch: &mut Batch) {
        let before = self.next_n + batch.staged.len() as u64;
        let number = CommitNumber(before + (entries as u64).saturating_sub(1));
        batch.commits.push(Committed { commit, number: Some(number) });
    }

    pub(super) fn write_entry(
        &mut self,
        entry: Entry,
        state: ConversationState,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let n = self.next_n + batch.staged.len() as u64;
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        entry.encode(&mut scratch);
        let result = self.log().and_then(|log| log.append(n, &scratch));
        self.scratch = scratch;
        batch.staged.push(Staged { numbered: Numbered { n, entry }, state });
        result
    }

    fn add_user(&mut self, user: NewUser, reply: UserReply, batch: &mut Batch) -> Result<(), Fault> {
        let log = self.log()?;
        match log.begin().and_then(|()| users::insert(log.connection(), user)) {
            Ok(result) => {
                batch.answer(Answer::User(reply, result));
                Ok(())
            }
            Err(fault) => {
                batch.answer(Answer::User(reply, Err(super::refusal(&fault).into())));
                Err(fault)
            }
        }
    }

    fn block(&self, change: BlockChange, reply: BlockReply, batch: &mut Batch) -> Result<(), Fault> {
        let log = self.log()?;
        match log.begin().and_then(|()| blocks::change(log.connection(), &change)) {
            Ok(result) => {
                batch.answer(Answer::Block(reply, result));
                Ok(())
            }
            Err(fault) => {
                batch.answer(Answer::Block(reply, Err(super::refusal(&fault).into())));
                Err(fault)
            }
        }
    }

    fn change(
        &self,
        reply: DoneReply,
        batch: &mut Batch,
        write: impl FnOnce(&rusqlite::Connection) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        batch.answer(Answer::Done(reply, Ok(())));
        let log = self.log()?;
        log.begin()?;
        write(log.connection())
    }

    /// Writes something only if the last commit failed: nobody may be sending any more who would
    /// find out.
    fn probe(&self, reply: DoneReply, batch: &mut Batch) -> Result<(), Fault> {
        if self.shared.health.log.load(std::sync::atomic::Ordering::Relaxed) {
            batch.answer(Answer::Done(reply, Ok(())));
            return Ok(());
        }
        batch.probed = true;
        self.change(reply, batch, |log| {
            // Something that has to grow, or a file with a little room inside would pass for one
            // that can grow.
            tables::set_meta(log, "probe", PROBE)?;
            Ok(tables::set_meta(log, "probe", 1)?)
        })
    }

    pub(super) fn excuse(&self, batch: &mut Batch, answer: Answer) -> Result<(), Fault> {
        batch.answer_anyway(answer);
        Ok(())
    }
}

fn stored_form(new: NewMessage, seq: u32) -> (Arc<Message>, Option<SocketId>) {
    let except = new.except.clone();
    (Arc::new(new.into_message(seq.into())), except)
}

fn answer_repeat(repeat: Repeat, message: &Message, reply: AppendReply, batch: &mut Batch) {
    let result = if repeat.first.is_repeated_by(&message.text) {
        Ok(Appended { message: repeat.first, repeated: true })
    } else {
        Err(AppendError::ClientIdTaken)
    };
    let answer = Answer::Append(reply, result);
    if repeat.staged { batch.answer(answer) } else { batch.answer_anyway(answer) }
}
