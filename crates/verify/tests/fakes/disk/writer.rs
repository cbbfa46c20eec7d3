//! The writer: what has queued up is written as one, then told, then answered.

use std::{sync::Arc, time::Duration};

use chat_domain::{
    async_trait,
    model::Message,
    ports::{
        AppendError, Appended, BlockChange, BlockError, Blocks, Clock, CommitListener, Delete, Edit,
        MessageLog, NewMessage, Receipt, ReceiptSpan, StoreError,
    },
};
use chat_testkit::{ManualClock, MemoryStore};
use tokio::sync::{mpsc::UnboundedReceiver, oneshot};

use super::{Disk, Platter};
use crate::bugs::Bug;

/// Changes that may be written as one.
const BATCH: usize = 6;

/// What is to be written.
#[derive(Clone)]
pub(crate) enum Change {
    Append(NewMessage),
    Receipt(Receipt),
    Edit(Edit),
    Delete(Delete),
    Block(BlockChange),
}

/// What became of it.
pub(super) enum Outcome {
    Appended(Result<Appended, AppendError>),
    Marked(Result<Option<ReceiptSpan>, StoreError>),
    Changed(Result<Option<Arc<Message>>, StoreError>),
    Blocked(Result<bool, BlockError>),
}

/// A change in the queue: done also if nobody waits for it any more.
pub(super) struct Job {
    change: Change,
    waits: oneshot::Sender<Outcome>,
}

impl Change {
    async fn run(self, store: &MemoryStore) -> Outcome {
        match self {
            Self::Append(message) => Outcome::Appended(store.append(message).await),
            Self::Receipt(receipt) => Outcome::Marked(store.receipt(receipt).await),
            Self::Edit(edit) => Outcome::Changed(store.edit(edit).await),
            Self::Delete(delete) => Outcome::Changed(store.delete(delete).await),
            Self::Block(change) => Outcome::Blocked(store.change(change).await),
        }
    }

    /// Does once more what was done in time.
    pub(super) async fn again(mut self, store: &MemoryStore, clock: &ManualClock) {
        let in_time = clock.instant() + Duration::from_secs(1);
        match &mut self {
            Self::Append(message) => message.deadline = in_time,
            Self::Receipt(receipt) => receipt.deadline = in_time,
            Self::Edit(edit) => edit.deadline = in_time,
            Self::Delete(delete) => delete.deadline = in_time,
            Self::Block(_) => {}
        }
        let _as_before = self.run(store).await;
    }
}

/// Writes what comes, as long as the process lives.
pub(super) async fn write(
    platter: Arc<Platter>,
    mut queue: UnboundedReceiver<Job>,
    listener: impl CommitListener,
) {
    while let Some(first) = queue.recv().await {
        platter.sim.pause().await;
        let mut batch = vec![first];
        while batch.len() <= platter.sim.below(BATCH)
            && let Ok(job) = queue.try_recv()
        {
            batch.push(job);
        }
        let store = platter.store();
        let mut done = Vec::new();
        for Job { change, waits } in batch {
            let change = platter.flaw.change(change);
            platter.written.lock().journal.push(change.clone());
            done.push((change.run(&store).await, waits));
        }
        let told = platter.flaw.tell(platter.fresh.take());
        platter.sim.pause().await;
        told.into_iter().for_each(|commits| listener.committed(commits));
        for (outcome, waits) in done {
            platter.sim.pause().await;
            // Who does not wait any more has been told that nobody knows.
            let _gone = waits.send(outcome);
        }
    }
}

impl Disk {
    async fn write(&self, change: Change) -> Result<Outcome, StoreError> {
        let (waits, outcome) = oneshot::channel();
        let job = Job { change, waits };
        self.jobs.send(job).map_err(|gone| StoreError::Unavailable(gone.to_string().into()))?;
        let outcome = outcome.await.map_err(|gone| StoreError::Unavailable(gone.into()))?;
        self.pause().await;
        Ok(outcome)
    }

    async fn change_message(&self, change: Change) -> Result<Option<Arc<Message>>, StoreError> {
        let Outcome::Changed(changed) = self.write(change).await? else { return Err(mixed_up()) };
        Ok(changed?.map(|message| self.platter.flaw.show(message)))
    }

    /// Blocks or unblocks as any other change is written.
    pub(super) async fn change_block(&self, change: BlockChange) -> Result<bool, BlockError> {
        if self.platter.flaw.is(Bug::BlockAnsweredEarly) {
            let _unawaited =
                self.jobs.send(Job { change: Change::Block(change), waits: oneshot::channel().0 });
            return Ok(true);
        }
        let Outcome::Blocked(changed) = self.write(Change::Block(change)).await? else {
            return Err(mixed_up().into());
        };
        changed
    }
}

fn mixed_up() -> StoreError {
    StoreError::Internal("the outcome of another change".into())
}

#[async_trait]
impl MessageLog for Disk {
    async fn append(&self, message: NewMessage) -> Result<Appended, AppendError> {
        let Outcome::Appended(appended) = self.write(Change::Append(message)).await? else {
            return Err(mixed_up().into());
        };
        let Appended { message, repeated } = appended?;
        Ok(Appended { message: self.platter.flaw.show(message), repeated })
    }

    async fn receipt(&self, receipt: Receipt) -> Result<Option<ReceiptSpan>, StoreError> {
        let Outcome::Marked(marked) = self.write(Change::Receipt(receipt)).await? else {
            return Err(mixed_up());
        };
        marked
    }

    async fn edit(&self, edit: Edit) -> Result<Option<Arc<Message>>, StoreError> {
        self.change_message(Change::Edit(edit)).await
    }

    async fn delete(&self, delete: Delete) -> Result<Option<Arc<Message>>, StoreError> {
        self.change_message(Change::Delete(delete)).await
    }
}
