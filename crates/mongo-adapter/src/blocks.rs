//! Who blocks whom: a document for each block, under a key of the two ids.

use std::sync::Arc;

use async_trait::async_trait;
use bson::{Binary, Document, RawDocument, RawDocumentBuf, doc, rawdoc, spec::BinarySubtype};
use chat_ports::{
    ArchiveError, BlockChange, BlockError, Blocks, StoreError,
    model::{Block, ObjectId, UserId},
};
use mongodb::options::FindOptions;

use crate::{
    Store,
    connection::Collections,
    documents::{date, millis, object_id},
    error::{Fault, corrupt},
};

#[async_trait]
impl Blocks for Store {
    async fn change(&self, change: BlockChange) -> Result<bool, BlockError> {
        let work = move |collections: Arc<Collections>| async move { set(&collections, &change).await };
        self.inner.run(work).await?.map_err(|TooMany| BlockError::TooMany)
    }

    async fn blocked_by(&self, blocker: UserId) -> Result<Vec<Block>, StoreError> {
        let filter = doc! { "blocker": object_id(blocker.0) };
        self.inner.run(move |collections| async move { find(&collections, filter, None).await }).await
    }

    async fn between(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<Block>, StoreError> {
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let pairs = others.into_iter().flat_map(|other| [key(user, other), key(other, user)]);
        let filter = doc! { "_id": { "$in": pairs.collect::<Vec<_>>() } };
        self.inner.run(move |collections| async move { find(&collections, filter, None).await }).await
    }
}

/// The blocker has as many as one may.
struct TooMany;

async fn set(collections: &Collections, change: &BlockChange) -> Result<Result<bool, TooMany>, Fault> {
    let BlockChange { blocker, blocked, blocks, at, most } = *change;
    let one = doc! { "_id": key(blocker, blocked) };
    if !blocks {
        return Ok(Ok(collections.blocks.delete_one(one).await?.deleted_count > 0));
    }
    if collections.blocks.find_one(one).await?.is_some() {
        return Ok(Ok(false));
    }
    let own = doc! { "blocker": object_id(blocker.0) };
    let standing = collections.blocks.count_documents(own).await?;
    if standing >= u64::from(most) {
        return Ok(Err(TooMany));
    }
    let inserted = collections.blocks.insert_one(encode(&Block { blocker, blocked, since: at })).await;
    match inserted.map_err(Fault::from) {
        Ok(_) => Ok(Ok(true)),
        // Somebody else was faster.
        Err(fault) if fault.is_duplicate() => Ok(Ok(false)),
        Err(fault) => Err(fault),
    }
}

/// The blocks after this one, by blocker, then blocked.
pub(crate) async fn page(
    collections: &Collections,
    after: Option<(UserId, UserId)>,
    limit: u32,
) -> Result<Vec<Block>, Fault> {
    let filter = match after {
        Some((blocker, blocked)) => doc! { "_id": { "$gt": key(blocker, blocked) } },
        None => doc! {},
    };
    let options = FindOptions::builder().sort(doc! { "_id": 1 }).limit(i64::from(limit)).build();
    find(collections, filter, Some(options)).await
}

/// Puts blocks as they are.
pub(crate) async fn put(collections: &Collections, blocks: Vec<Block>) -> Result<(), ArchiveError> {
    for block in blocks {
        let inserted = collections.limit(collections.blocks.insert_one(encode(&block))).await;
        match inserted {
            Ok(_) => {}
            Err(fault) if fault.is_duplicate() => {
                let one = doc! { "_id": key(block.blocker, block.blocked) };
                let there = collections.limit(find(collections, one, None)).await?;
                if there != [block] {
                    let id = format!("{}:{}", block.blocker, block.blocked);
                    return Err(ArchiveError::Differs { collection: "blocks", id, field: "since" });
                }
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(())
}

async fn find(
    collections: &Collections,
    filter: Document,
    options: Option<FindOptions>,
) -> Result<Vec<Block>, Fault> {
    let find = collections.blocks.find(filter).with_options(options);
    let mut cursor = find.max_time(collections.operation_timeout).await?;
    let mut found = Vec::new();
    while cursor.advance().await? {
        found.push(read(cursor.current())?);
    }
    Ok(found)
}

fn key(blocker: UserId, blocked: UserId) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: [blocker.bytes(), blocked.bytes()].concat() }
}

fn encode(block: &Block) -> RawDocumentBuf {
    let Block { blocker, blocked, since } = *block;
    rawdoc! {
        "_id": key(blocker, blocked),
        "blocker": object_id(blocker.0),
        "blocked": object_id(blocked.0),
        "since": date(since),
    }
}

fn read(document: &RawDocument) -> Result<Block, Fault> {
    let wrong = |field| Fault::from(corrupt("blocks", "(its key)", field));
    let user = |field: &'static str| {
        let id = document.get_object_id(field).map_err(|_missing| wrong(field))?;
        Ok::<_, Fault>(UserId(ObjectId::from_bytes(id.bytes())))
    };
    let since = document.get_datetime("since").map_err(|_missing| wrong("since"))?;
    Ok(Block { blocker: user("blocker")?, blocked: user("blocked")?, since: millis(since) })
}
