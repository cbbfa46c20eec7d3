//! Moving: everything that the database holds, in the order of an archive.
//!
//! A walk goes along `_id` for users and along the index on (`conversation`, `seq`) for messages, so a page
//! costs what it holds. What is put goes past the writer: in this order, page by page, nobody being told.
//! A document that is no user or message of ours is in no walk, but it is counted, so that an export tells
//! of it instead of leaving it behind.

mod accounts;
mod messages;

use std::{future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use bson::{RawArrayBuf, RawDocumentBuf, cstr, doc, rawdoc};
use chat_ports::{
    Archive, ArchiveError, ArchiveQuery, Extent, StoreError,
    model::{Block, Message, User, UserId},
};
use mongodb::Collection;

pub(crate) use messages::is_moved_in_read;

use crate::{
    Store, blocks,
    connection::Collections,
    error::{Fault, unavailable},
    store::Inner,
};

/// How long counting a collection may take.
const COUNTING: Duration = Duration::from_secs(600);

#[async_trait]
impl Archive for Store {
    fn holds_case_twins(&self) -> bool {
        true
    }

    async fn extent(&self) -> Result<Extent, StoreError> {
        self.on_runtime(|_, collections| async move { Ok(extent(&collections).await?) }).await
    }

    async fn users(&self, after: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        let work = move |_, collections: Arc<Collections>| async move {
            Ok(collections.limit(accounts::page(&collections, after, limit)).await?)
        };
        self.on_runtime(work).await
    }

    async fn messages(&self, query: ArchiveQuery) -> Result<Vec<Arc<Message>>, StoreError> {
        let work = move |_, collections: Arc<Collections>| async move {
            Ok(collections.limit(messages::page(&collections, query)).await?)
        };
        self.on_runtime(work).await
    }

    async fn put_users(&self, users: Vec<User>) -> Result<(), ArchiveError> {
        let work = |_, collections: Arc<Collections>| async move { accounts::put(&collections, users).await };
        self.on_runtime(work).await
    }

    async fn put_messages(&self, messages: Vec<Message>) -> Result<(), ArchiveError> {
        self.on_runtime(
            |inner, collections| async move { messages::put(&inner, &collections, messages).await },
        )
        .await
    }

    async fn blocks(&self, after: Option<(UserId, UserId)>, limit: u32) -> Result<Vec<Block>, StoreError> {
        let work = move |_, collections: Arc<Collections>| async move {
            Ok(collections.limit(blocks::page(&collections, after, limit)).await?)
        };
        self.on_runtime(work).await
    }

    async fn put_blocks(&self, blocks: Vec<Block>) -> Result<(), ArchiveError> {
        let work = |_, collections: Arc<Collections>| async move { blocks::put(&collections, blocks).await };
        self.on_runtime(work).await
    }
}

impl Store {
    /// Runs operations on the store's runtime while the gates are open. Each has its own time to take; the
    /// whole has not.
    async fn on_runtime<T, E, F>(&self, work: impl FnOnce(Arc<Inner>, Arc<Collections>) -> F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let collections = Arc::clone(self.inner.gate.pass()?);
        let task = self.inner.handle.spawn(work(Arc::clone(&self.inner), collections));
        task.await.unwrap_or_else(|_cancelled| Err(unavailable("the store is closed").into()))
    }
}

async fn extent(collections: &Collections) -> Result<Extent, Fault> {
    Ok(Extent {
        blocks: count(&collections.blocks).await?,
        users: count(&collections.users).await?,
        last_user: collections.limit(accounts::last(collections)).await?,
        messages: count(&collections.messages).await?,
        last_message: collections.limit(messages::last(collections)).await?,
    })
}

async fn count(collection: &Collection<RawDocumentBuf>) -> Result<u64, Fault> {
    let counted = tokio::time::timeout(COUNTING, collection.count_documents(doc! {}).into_future()).await;
    Ok(counted.map_err(|_elapsed| Fault::Late)??)
}

/// Inserts, in order, durably. Where it stopped, and the server's code, if not everything was inserted.
async fn insert(
    collections: &Collections,
    collection: &str,
    documents: RawArrayBuf,
) -> Result<Option<(usize, i32)>, Fault> {
    let mut command = RawDocumentBuf::new();
    command.append(cstr!("insert"), collection);
    command.append(cstr!("ordered"), true);
    command.append(cstr!("writeConcern"), rawdoc! { "w": "majority", "j": true });
    command.append(cstr!("documents"), documents);
    let answer = collections.limit(collections.database.run_raw_command(command)).await?;
    if answer.contains_key("writeConcernError") {
        return Err(unavailable("a write was not acknowledged by a majority").into());
    }
    let Some(error) = answer.get_array("writeErrors").ok().and_then(|errors| errors.first()) else {
        return Ok(None);
    };
    let error = error.as_document().ok_or(Fault::Answer("writeErrors"))?;
    let index = error.get_i32("index").ok().and_then(|index| usize::try_from(index).ok());
    let index = index.ok_or(Fault::Answer("writeErrors.index"))?;
    Ok(Some((index, error.get_i32("code").map_err(|_missing| Fault::Answer("writeErrors.code"))?)))
}

/// The server refuses a document for another reason than a key that is there.
fn refused(collection: &'static str, id: impl ToString, code: i32) -> ArchiveError {
    let id = id.to_string();
    StoreError::Internal(format!("{collection} {id}: MongoDB refused the document (error {code})").into())
        .into()
}

impl From<Fault> for ArchiveError {
    fn from(fault: Fault) -> Self {
        Self::Store(fault.into())
    }
}
