//! Readings: a few tasks, so that on this node each conversation has one that changes its messages.
//!
//! Two updates of one message beside each other would be safe on MongoDB, not on FerretDB 1. A lane is
//! picked by the conversation, works one reading after the other, and tells the listener of each.

mod reading;

use std::{hash::BuildHasher, sync::Arc};

use chat_ports::{Receipt, ReceiptSpan, StoreError, model::ConversationId};
use foldhash::fast::FixedState;
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{Options, error::unavailable, store::Inner};

type Reply = oneshot::Sender<Result<ReceiptSpan, StoreError>>;

/// A reading of a message that was sent to the reader, and where the answer goes.
pub(crate) struct Job {
    pub(crate) reading: Receipt,
    pub(crate) conversation: ConversationId,
    /// The message's number.
    pub(crate) seq: u64,
    pub(crate) reply: Reply,
}

/// The lanes' queues. Bounded each; past the bound, and after closing, a reading is refused at once.
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

    /// Queues a reading.
    ///
    /// # Errors
    /// The lane is full, or the store is closed.
    pub(crate) fn push(&self, job: Job) -> Result<(), StoreError> {
        let senders = self.senders.lock();
        let lane = lane_of(&job.conversation, senders.len());
        let Some(sender) = senders.get(lane) else { return Err(unavailable("the store is closed")) };
        sender.try_send(job).map_err(|_full_or_gone| unavailable("too many readings wait"))
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
    while let Some(job) = jobs.recv().await {
        reading::carry_out(&inner, job).await;
    }
}
