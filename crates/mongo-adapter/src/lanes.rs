//! Receipts, edits and deletions: a few tasks, so that on this node each conversation has one that changes its messages.
//!
//! Two updates of one message beside each other would be safe on MongoDB, not on FerretDB 1. A lane is
//! picked by the conversation, does one change after the other, and tells the listener of each. What it gives up without knowing
//! whether it is stored it looks for later.

mod doubtful;
mod marking;
mod revising;

use std::{hash::BuildHasher, sync::Arc, time::Instant};

use chat_ports::{
    Delete, Edit, Receipt, ReceiptSpan, StoreError,
    model::{ConversationId, Message, MessageId},
};
use foldhash::fast::FixedState;
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use self::doubtful::Doubts;
use crate::{Options, error::unavailable, store::Inner};

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A change of messages that are stored, and where the answer goes.
pub(crate) enum Job {
    /// A receipt for a message that was sent to the receiver.
    Mark {
        receipt: Receipt,
        conversation: ConversationId,
        /// The message's number.
        seq: u64,
        reply: Reply<ReceiptSpan>,
    },
    /// Another text for a message, or none.
    Revise { revision: Revision, conversation: ConversationId, reply: Reply<Option<Arc<Message>>> },
}

/// What becomes of a message's text.
#[derive(Debug, Clone)]
pub(crate) enum Revision {
    /// Another one.
    Edit(Edit),
    /// None.
    Delete(Delete),
}

impl Revision {
    /// Which message.
    pub(crate) const fn message(&self) -> MessageId {
        match self {
            Self::Edit(edit) => edit.message,
            Self::Delete(delete) => delete.message,
        }
    }

    /// Until when it must be stored.
    pub(crate) const fn deadline(&self) -> Instant {
        match self {
            Self::Edit(edit) => edit.deadline,
            Self::Delete(delete) => delete.deadline,
        }
    }
}

impl Job {
    const fn conversation(&self) -> &ConversationId {
        match self {
            Self::Mark { conversation, .. } | Self::Revise { conversation, .. } => conversation,
        }
    }

    /// Answers without doing anything. Who asked may have gone.
    fn refuse(self, error: StoreError) {
        match self {
            Self::Mark { reply, .. } => drop(reply.send(Err(error))),
            Self::Revise { reply, .. } => drop(reply.send(Err(error))),
        }
    }
}

/// The lanes' queues. Bounded each; past the bound, and after closing, a change is refused at once.
pub(crate) struct Lanes {
    senders: Mutex<Vec<mpsc::Sender<Job>>>,
}

/// The other ends.
pub(crate) type Receivers = Vec<mpsc::Receiver<Job>>;

impl Lanes {
    pub(crate) fn new(options: &Options) -> (Self, Receivers) {
        let lanes = (0..options.lanes.max(1)).map(|_| mpsc::channel(options.lane_entries.max(1)));
        let (senders, receivers) = lanes.unzip();
        (Self { senders: Mutex::new(senders) }, receivers)
    }

    /// Queues a change.
    ///
    /// # Errors
    /// The lane is full, or the store is closed.
    pub(crate) fn push(&self, job: Job) -> Result<(), StoreError> {
        let senders = self.senders.lock();
        let lane = lane_of(job.conversation(), senders.len());
        let Some(sender) = senders.get(lane) else { return Err(unavailable("the store is closed")) };
        sender.try_send(job).map_err(|_full_or_gone| unavailable("too many changes wait"))
    }

    /// Refuses everything from now on; what waits is still done.
    pub(crate) fn close(&self) {
        self.senders.lock().clear();
    }
}

fn lane_of(conversation: &ConversationId, lanes: usize) -> usize {
    let hash = FixedState::default().hash_one(conversation);
    usize::try_from(hash % lanes.max(1) as u64).unwrap_or_default()
}

/// Starts a task for each lane; they end when the lanes are closed and empty.
pub(crate) fn start(inner: &Arc<Inner>, receivers: Receivers) -> Vec<JoinHandle<()>> {
    receivers.into_iter().map(|jobs| inner.handle.spawn(run(inner.clone(), jobs))).collect()
}

async fn run(inner: Arc<Inner>, mut jobs: mpsc::Receiver<Job>) {
    let mut doubts = Doubts::default();
    loop {
        let next = doubts.next();
        let pause = next.map(|next| next.saturating_duration_since(inner.clock.instant()));
        // However many changes wait.
        if pause.is_some_and(|pause| pause.is_zero()) {
            doubts.look(&inner).await;
            continue;
        }
        let job = tokio::select! {
            job = jobs.recv() => job,
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => continue,
        };
        let Some(job) = job else { return };
        if doubts.is_full() {
            job.refuse(unavailable("too many changes are in doubt"));
            continue;
        }
        let doubtful = match job {
            Job::Mark { receipt, conversation, seq, reply } => {
                marking::carry_out(&inner, receipt, conversation, seq, reply).await
            }
            Job::Revise { revision, reply, .. } => revising::carry_out(&inner, revision, reply).await,
        };
        doubts.keep(doubtful, inner.clock.instant());
    }
}
