//! Flush marks: up to when each node has written behind all that it committed.
//!
//! A mark is a document in `meta`, `{_id: "upkeep:<node>", at}`, by the primary's clock. A node sets its
//! own one every few seconds and removes it when it is closed; one that has not moved for minutes is
//! that of a node which died.

use bson::{DateTime, Document, RawDocumentBuf, doc, oid::ObjectId};

use crate::{connection::Collections, error::Fault};

const PREFIX: &str = "upkeep:";
/// The character after the prefix's last one.
const PREFIX_END: &str = "upkeep;";
/// Stands while all conversations are derived anew.
const REBUILDING: &str = "conversations:rebuild";
/// Live nodes move their marks more often than this.
const DEAD_AFTER_MILLIS: i64 = 300_000;
/// A live node's mark is younger, also where a move or two failed.
const FRESH_MILLIS: i64 = 120_000;

/// The primary's clock.
pub(crate) async fn now(collections: &Collections) -> Result<DateTime, Fault> {
    let hello = collections.limit(collections.database.run_command(doc! { "hello": 1 })).await?;
    Ok(*hello.get_datetime("localTime").map_err(|_missing| Fault::Answer("localTime"))?)
}

/// Notes that all this node committed before `at` is written.
pub(super) async fn set(collections: &Collections, node: ObjectId, at: DateTime) -> Result<(), Fault> {
    put(collections, &format!("{PREFIX}{node}"), doc! { "at": at }).await
}

/// Takes a node's mark away: it has nothing to write any more.
pub(super) async fn remove(collections: &Collections, node: ObjectId) -> Result<(), Fault> {
    let filter = doc! { "_id": format!("{PREFIX}{node}") };
    collections.limit(collections.meta.delete_one(filter)).await.map(drop)
}

/// A node's mark.
pub(super) async fn get(collections: &Collections, node: ObjectId) -> Result<Option<DateTime>, Fault> {
    let filter = doc! { "_id": format!("{PREFIX}{node}") };
    let found = collections.limit(collections.meta.find_one(filter)).await?;
    Ok(found.and_then(|mark| at(&mark)))
}

/// All marks there are: their names and times.
pub(super) async fn all(collections: &Collections) -> Result<Vec<(String, DateTime)>, Fault> {
    let filter = doc! { "_id": { "$gte": PREFIX, "$lt": PREFIX_END } };
    let mut cursor = collections.limit(collections.meta.find(filter)).await?;
    let mut marks = Vec::new();
    while collections.limit(cursor.advance()).await? {
        let document = cursor.current().to_owned();
        if let (Ok(id), Some(at)) = (document.get_str("_id"), at(&document)) {
            marks.push((id.to_owned(), at));
        }
    }
    Ok(marks)
}

/// Whether another node was alive a moment ago: longer ago than marks stand still, it has nothing on its way.
pub(super) fn has_fresh(marks: &[(String, DateTime)], node: ObjectId, now: DateTime) -> bool {
    let own = format!("{PREFIX}{node}");
    let since = now.timestamp_millis().saturating_sub(FRESH_MILLIS);
    marks.iter().any(|(id, at)| *id != own && at.timestamp_millis() >= since)
}

/// Takes the marks of dead nodes away, exactly as they were seen.
pub(super) async fn bury(
    collections: &Collections,
    marks: Vec<(String, DateTime)>,
    now: DateTime,
) -> Result<(), Fault> {
    let dead_before = now.timestamp_millis().saturating_sub(DEAD_AFTER_MILLIS);
    for (id, at) in marks {
        if at.timestamp_millis() < dead_before {
            collections.limit(collections.meta.delete_one(doc! { "_id": id, "at": at })).await?;
        }
    }
    Ok(())
}

/// Whether all conversations were being derived anew when it was interrupted.
pub(super) async fn is_rebuilding(collections: &Collections) -> Result<bool, Fault> {
    let found = collections.limit(collections.meta.find_one(doc! { "_id": REBUILDING })).await?;
    Ok(found.is_some())
}

/// Notes that all conversations are being derived anew, or no longer.
pub(super) async fn rebuilding(collections: &Collections, begins: bool) -> Result<(), Fault> {
    if begins {
        return put(collections, REBUILDING, doc! { "is": true }).await;
    }
    collections.limit(collections.meta.delete_one(doc! { "_id": REBUILDING })).await.map(drop)
}

async fn put(collections: &Collections, id: &str, fields: Document) -> Result<(), Fault> {
    let update = collections.meta.update_one(doc! { "_id": id }, doc! { "$set": fields }).upsert(true);
    collections.limit(update).await.map(drop)
}

fn at(mark: &RawDocumentBuf) -> Option<DateTime> {
    mark.get_datetime("at").ok()
}
