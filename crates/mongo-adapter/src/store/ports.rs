//! The ports that write: [`MessageLog`], and [`StoreHealth`].

use std::{future::Future, sync::Arc, time::Instant};

use async_trait::async_trait;
use bson::doc;
use chat_ports::{
    AppendError, Appended, Delete, Edit, MessageLog, NewMessage, Receipt, ReceiptSpan, StoreError,
    StoreHealth,
    model::{Message, MessageId},
};
use tokio::sync::oneshot;

use super::{Inner, Store};
use crate::{
    connection::Collections,
    documents::{object_id, read_message},
    error::{Fault, unavailable},
    lanes::{Job, Revision},
};

#[async_trait]
impl MessageLog for Store {
    async fn append(&self, message: NewMessage) -> Result<Appended, AppendError> {
        self.inner.gate.pass()?;
        let answer = self.inner.queue.push(message)?;
        answer.await.unwrap_or_else(|_gone| Err(closed().into()))
    }

    async fn receipt(&self, receipt: Receipt) -> Result<Option<ReceiptSpan>, StoreError> {
        let inner = self.inner.clone();
        self.in_time(receipt.deadline, async move { mark(&inner, receipt).await }).await
    }

    async fn edit(&self, edit: Edit) -> Result<Option<Arc<Message>>, StoreError> {
        self.revise(Revision::Edit(edit)).await
    }

    async fn delete(&self, delete: Delete) -> Result<Option<Arc<Message>>, StoreError> {
        self.revise(Revision::Delete(delete)).await
    }
}

impl Store {
    /// Does something on the store's runtime, and waits for it until the deadline at most. What has begun then goes on.
    async fn in_time<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.inner.clone();
        let task = self.inner.handle.spawn(async move {
            let patience = deadline.saturating_duration_since(inner.clock.instant());
            if patience.is_zero() {
                return Err(StoreError::Timeout);
            }
            tokio::time::timeout(patience, work).await.unwrap_or(Err(StoreError::Timeout))
        });
        task.await.unwrap_or_else(|_cancelled| Err(closed()))
    }

    async fn revise(&self, revision: Revision) -> Result<Option<Arc<Message>>, StoreError> {
        let inner = self.inner.clone();
        self.in_time(revision.deadline(), async move { revise(&inner, revision).await }).await
    }
}

/// Finds the message, and hands the receipt to its conversation's lane.
async fn mark(inner: &Inner, receipt: Receipt) -> Result<Option<ReceiptSpan>, StoreError> {
    let collections = inner.gate.pass()?.clone();
    let found = find(&collections, receipt.message).await.inspect_err(|fault| inner.observe(fault))?;
    let Some(message) = found.filter(|message| message.receiver == receipt.receiver) else { return Ok(None) };
    let (reply, answer) = oneshot::channel();
    let (conversation, seq) = (message.conversation(), message.seq);
    inner.lanes.push(Job::Mark { receipt, conversation, seq, reply })?;
    answer.await.unwrap_or_else(|_gone| Err(closed())).map(Some)
}

/// Finds the message, and hands the change to its conversation's lane.
async fn revise(inner: &Inner, revision: Revision) -> Result<Option<Arc<Message>>, StoreError> {
    let collections = inner.gate.pass()?.clone();
    let found = find(&collections, revision.message()).await.inspect_err(|fault| inner.observe(fault))?;
    let Some(message) = found else { return Ok(None) };
    let (reply, answer) = oneshot::channel();
    inner.lanes.push(Job::Revise { revision, conversation: message.conversation(), reply })?;
    answer.await.unwrap_or_else(|_gone| Err(closed()))
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
