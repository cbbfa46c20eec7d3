//! What is to be written to the list of conversations, and the task that writes it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bson::oid::ObjectId;
use chat_ports::{
    StoreError,
    model::{ConversationId, Message, UserId},
};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use super::{
    derive,
    document::{Last, MOST_STATEMENTS, write},
    marks,
};
use crate::{
    Options,
    connection::Collections,
    error::{Fault, unavailable},
    store::Inner,
};

/// Conversations that may wait to be written. Past it their messages are forgotten here, and found again
/// in the database when it keeps up; until then lists are [`StoreError::Unavailable`].
const MOST_PENDING: usize = 65_536;
/// Counts of unread messages that go on beside each other, over all lists.
const MOST_COUNTS: usize = 8;
/// After a failure.
const RETRY: Duration = Duration::from_millis(500);
/// How often the flush mark is set while there is traffic, and while there is none.
const MARK_EVERY: Duration = Duration::from_secs(5);
const MARK_IDLE: Duration = Duration::from_secs(30);

/// The last message of each conversation that changed and is not written yet.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pending: Mutex<Pending>,
    changed: Notify,
    interval: Duration,
    /// Names this process among those that share the database.
    pub(super) node: ObjectId,
    /// Bounds the counts that go on beside each other.
    pub(super) counts: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Pending {
    lasts: HashMap<ConversationId, Last>,
    /// How many messages could not be kept, and are to be found again.
    lost: u64,
}

impl Upkeep {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            pending: Mutex::default(),
            changed: Notify::new(),
            interval: options.upkeep_interval,
            node: ObjectId::new(),
            counts: Arc::new(Semaphore::new(MOST_COUNTS)),
        }
    }

    /// Takes a message that was committed. Never blocks for long; called by the writer before the
    /// listener is told and the send is answered, in the order of `seq`.
    pub(crate) fn sent(&self, message: &Arc<Message>) {
        let is_first = {
            let mut pending = self.pending.lock();
            let is_first = pending.lasts.is_empty();
            pending.take(message);
            is_first
        };
        if is_first {
            self.changed.notify_one();
        }
    }

    /// What is not written yet of a user's conversations.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] while that is not known.
    pub(super) fn pending_of(&self, user: UserId) -> Result<HashMap<ConversationId, Last>, StoreError> {
        let pending = self.pending.lock();
        if pending.lost > 0 {
            return Err(unavailable("the list of conversations is far behind"));
        }
        let own = pending.lasts.iter().filter(|(conversation, _)| conversation.includes(user));
        Ok(own.map(|(conversation, last)| (*conversation, *last)).collect())
    }

    fn lost(&self) -> u64 {
        self.pending.lock().lost
    }

    /// Writes all that is pending when it begins.
    pub(crate) async fn flush(&self, collections: &Collections) -> Result<(), Fault> {
        self.flush_some(collections, MOST_PENDING).await.map(drop)
    }

    /// Writes all that is pending, and takes this node's mark away: nothing is left to be derived. What
    /// a close does, after the last message.
    pub(crate) async fn finish(&self, collections: &Collections) -> Result<(), Fault> {
        self.flush(collections).await?;
        if self.lost() == 0 {
            marks::remove(collections, self.node).await?;
        }
        Ok(())
    }

    /// Writes so many conversations. Whether something is left.
    async fn flush_some(&self, collections: &Collections, most: usize) -> Result<bool, Fault> {
        let some = self.pending.lock().some(most);
        write(collections, &some).await?;
        let mut pending = self.pending.lock();
        for (conversation, written) in some {
            // What came meanwhile is newer, and stays.
            if pending.lasts.get(&conversation) == Some(&written) {
                pending.lasts.remove(&conversation);
            }
        }
        Ok(!pending.lasts.is_empty())
    }
}

impl Pending {
    fn take(&mut self, message: &Message) {
        let (conversation, has_room) = (message.conversation(), self.lasts.len() < MOST_PENDING);
        match self.lasts.get_mut(&conversation) {
            Some(last) if last.seq >= message.seq => {}
            Some(last) => *last = Last::from(message),
            None if has_room => drop(self.lasts.insert(conversation, Last::from(message))),
            None => self.lost += 1,
        }
    }

    fn some(&self, most: usize) -> Vec<(ConversationId, Last)> {
        let some = self.lasts.iter().take(most);
        some.map(|(conversation, last)| (*conversation, *last)).collect()
    }
}

/// Writes behind for as long as the store is open: at most one bulk an interval, with all that changed
/// meanwhile. The supervisor starts it once the store works.
pub(crate) async fn keep_up(inner: Arc<Inner>) {
    let mut keeper = Keeper { marked: tokio::time::Instant::now(), flushed: false };
    loop {
        let patience = if keeper.flushed { MARK_EVERY } else { MARK_IDLE };
        drop(tokio::time::timeout_at(keeper.marked + patience, inner.upkeep.changed.notified()).await);
        tokio::time::sleep(inner.upkeep.interval).await;
        let Ok(collections) = inner.gate.pass().cloned() else {
            inner.upkeep.changed.notify_one();
            tokio::time::sleep(RETRY).await;
            continue;
        };
        if let Err(fault) = keeper.turn(&inner.upkeep, &collections).await {
            inner.observe(&fault);
            tracing::debug!("the list of conversations was not written: {fault}");
            inner.upkeep.changed.notify_one();
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// What the task that writes behind remembers.
struct Keeper {
    marked: tokio::time::Instant,
    /// Whether something was written since the mark was set.
    flushed: bool,
}

impl Keeper {
    async fn turn(&mut self, upkeep: &Upkeep, collections: &Collections) -> Result<(), Fault> {
        if self.is_mark_due() {
            return self.mark(upkeep, collections).await;
        }
        if upkeep.pending.lock().lasts.is_empty() {
            return self.recover(upkeep, collections).await;
        }
        self.flushed = true;
        let is_left = upkeep.flush_some(collections, MOST_STATEMENTS).await?;
        if is_left || upkeep.lost() > 0 {
            upkeep.changed.notify_one();
        }
        Ok(())
    }

    fn is_mark_due(&self) -> bool {
        let patience = if self.flushed { MARK_EVERY } else { MARK_IDLE };
        self.marked.elapsed() >= patience
    }

    /// Writes all, then notes up to when all is written.
    async fn mark(&mut self, upkeep: &Upkeep, collections: &Collections) -> Result<(), Fault> {
        let now = marks::now(collections).await?;
        upkeep.flush(collections).await?;
        if upkeep.lost() == 0 {
            marks::set(collections, upkeep.node, now).await?;
        }
        (self.marked, self.flushed) = (tokio::time::Instant::now(), false);
        upkeep.changed.notify_one();
        Ok(())
    }

    /// Finds in the database what did not fit into memory: all that is lost by now was committed before.
    async fn recover(&self, upkeep: &Upkeep, collections: &Collections) -> Result<(), Fault> {
        let lost = upkeep.lost();
        if lost == 0 {
            return Ok(());
        }
        derive::since_mark(collections, upkeep.node).await?;
        let mut pending = upkeep.pending.lock();
        if pending.lost == lost {
            pending.lost = 0;
        } else {
            upkeep.changed.notify_one();
        }
        Ok(())
    }
}
