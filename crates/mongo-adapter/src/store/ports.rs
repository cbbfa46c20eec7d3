//! The ports that write: [`MessageLog`], and [`StoreHealth`].

use std::sync::Arc;

use async_trait::async_trait;
use bson::doc;
use chat_ports::{
    AppendError, Appended, BlockChange, BlockError, Blocks, Changes, ChangesError, ChangesPage, ChangesQuery,
    Delete, Edit, MessageLog, NewMessage, Receipt, ReceiptSpan, StoreError, StoreHealth, SyncPosition,
    model::{Block, Message, MessageId, UserId},
};
use tokio::sync::oneshot;

use super::{Inner, Store};
use crate::{
    connection::Collections,
    documents::{object_id, read_message},
    error::{Fault, unavailable},
    lanes::Job,
};

#[async_trait]
impl MessageLog for Store {
    async fn append(&self, message: NewMessage) -> Result<Appended, AppendError> {
        self.inner.gate.pass()?;
        let answer = self.inner.queue.push(message)?;
        answer.await.unwrap_or_else(|_gone| Err(closed().into()))
    }

    async fn receipt(&self, reading: Receipt) -> Result<Option<ReceiptSpan>, StoreError> {
        let inner = self.inner.clone();
        let task = self.inner.handle.spawn(async move {
            let now = inner.clock.instant();
            let patience = reading.deadline.saturating_duration_since(now);
            if patience.is_zero() {
                return Err(StoreError::Timeout);
            }
            let read = tokio::time::timeout(patience, read(&inner, reading)).await;
            read.unwrap_or(Err(StoreError::Timeout))
        });
        task.await.unwrap_or_else(|_cancelled| Err(closed()))
    }

    async fn edit(&self, _edit: Edit) -> Result<Option<Arc<Message>>, StoreError> {
        Err(StoreError::Internal("this store edits no messages yet".into()))
    }

    async fn delete(&self, _delete: Delete) -> Result<Option<Arc<Message>>, StoreError> {
        Err(StoreError::Internal("this store deletes no messages yet".into()))
    }
}

#[async_trait]
impl Changes for Store {
    async fn position(&self) -> Result<SyncPosition, StoreError> {
        Err(StoreError::Internal("this store has no changes yet".into()))
    }

    async fn changes(&self, _query: ChangesQuery) -> Result<ChangesPage, ChangesError> {
        Err(StoreError::Internal("this store has no changes yet".into()).into())
    }
}

#[async_trait]
impl Blocks for Store {
    async fn change(&self, _change: BlockChange) -> Result<bool, BlockError> {
        Err(StoreError::Internal("this store has no blocks yet".into()).into())
    }

    async fn blocked_by(&self, _blocker: UserId) -> Result<Vec<Block>, StoreError> {
        Ok(Vec::new())
    }

    async fn between(&self, _user: UserId, _others: Vec<UserId>) -> Result<Vec<Block>, StoreError> {
        Ok(Vec::new())
    }
}

/// Finds the message, and hands the reading to its conversation's lane.
async fn read(inner: &Inner, reading: Receipt) -> Result<Option<ReceiptSpan>, StoreError> {
    let collections = inner.gate.pass()?.clone();
    let found = find(&collections, reading.message).await.inspect_err(|fault| inner.observe(fault))?;
    let Some(message) = found.filter(|message| message.receiver == reading.receiver) else { return Ok(None) };
    let (reply, answer) = oneshot::channel();
    let (conversation, seq) = (message.conversation(), message.seq);
    inner.lanes.push(Job { reading, conversation, seq, reply })?;
    answer.await.unwrap_or_else(|_gone| Err(closed())).map(Some)
}

async fn find(collections: &Arc<Collections>, id: MessageId) -> Result<Option<Message>, Fault> {
    let filter = doc! { "_id": object_id(id.0) };
    let found = collections.messages.find_one(filter).max_time(collections.operation_timeout);
    let document = collections.limit(found).await?;
    let stored = document.map(|document| read_message(&document)).transpose()?;
    Ok(stored.map(|stored| stored.message))
}

#[async_trait]
impl StoreHealth for Store {
    /// Asks the primary. Fails as well while this node's clock is too far from the primary's.
    async fn check(&self) -> Result<(), StoreError> {
        self.inner.gate.pass()?;
        self.inner.primary_clock.check()?;
        let ping = |collections: Arc<Collections>| async move {
            collections.database.run_command(doc! { "ping": 1 }).await
        };
        self.inner.run(ping).await.map(drop)
    }
}

fn closed() -> StoreError {
    unavailable("the store is closed")
}
