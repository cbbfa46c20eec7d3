//! Derives conversations from the messages: what a crash left unwritten, or all of them.

use std::{collections::HashMap, sync::Arc};

use bson::{DateTime, RawDocument, doc, oid::ObjectId};
use chat_ports::model::{ConversationId, MessageId};

use super::{
    document::{Last, catch_up, key, whole},
    marks,
};
use crate::{
    connection::Collections,
    documents::{binary_key, millis},
    error::Fault,
    store::Inner,
};

/// How far before a mark a message may have been stamped that was committed after it: longer than a
/// send may be in doubt, and than a clock may be off.
const BOUND_MILLIS: i64 = 60_000;
/// Messages of which the last ones are found and written together.
const CHUNK: usize = 1_000;

/// Derives again what changed since the flush marks, or everything where nothing is derived yet. Called
/// by the supervisor at each start, before the gates open. Whether another node wrote lately that has not closed: it
/// lives, or it died.
pub(crate) async fn derive(inner: &Arc<Inner>, collections: &Arc<Collections>) -> Result<bool, Fault> {
    let now = marks::now(collections).await?;
    let marks = marks::all(collections).await?;
    let is_missing = collections.limit(collections.conversations.find_one(doc! {})).await?.is_none();
    if is_missing || marks::is_rebuilding(collections).await? {
        rebuild(collections).await?;
    } else if let Some(oldest) = marks.iter().map(|(_, at)| *at).min() {
        since(collections, oldest).await?;
    }
    marks::set(collections, inner.upkeep.node, now).await?;
    let is_watchful = marks::has_fresh(&marks, inner.upkeep.node, now);
    marks::bury(collections, marks, now).await?;
    Ok(is_watchful)
}

/// Derives again what changed since a node's own mark.
pub(super) async fn since_mark(collections: &Collections, node: ObjectId) -> Result<(), Fault> {
    match marks::get(collections, node).await? {
        Some(mark) => since(collections, mark).await,
        None => rebuild(collections).await,
    }
}

/// Derives again what changed since a mark, less a bound. A message that was sent since then stands
/// there itself; older ones that were only read change nothing.
async fn since(collections: &Collections, mark: DateTime) -> Result<(), Fault> {
    let from = DateTime::from_millis(mark.timestamp_millis().saturating_sub(BOUND_MILLIS));
    let changed = collections
        .messages
        .find(doc! { "changedAt": { "$gte": from } })
        .sort(doc! { "changedAt": 1, "_id": 1 })
        .projection(doc! { "conversation": 1, "seq": 1, "timestamp": 1 });
    let mut cursor = collections.limit(changed).await?;
    let (mut found, mut taken) = (HashMap::new(), 0);
    while collections.limit(cursor.advance()).await? {
        note(&mut found, cursor.current());
        taken += 1;
        if taken % CHUNK == 0 {
            catch_up(collections, &std::mem::take(&mut found)).await?;
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    catch_up(collections, &found).await
}

/// Keeps a message if it is the newest one of its conversation so far.
fn note(found: &mut HashMap<ConversationId, Last>, document: &RawDocument) {
    if let Some((conversation, last)) = last_of(document) {
        let newest = found.entry(conversation).or_insert(last);
        if newest.seq < last.seq {
            *newest = last;
        }
    }
}

/// Derives all conversations: one look-up each, from the largest key to the smallest. Begins anew when it
/// was interrupted.
async fn rebuild(collections: &Collections) -> Result<(), Fault> {
    let Some(mut last) = last_before(collections, None).await? else { return Ok(()) };
    tracing::info!("deriving the list of conversations from the messages");
    marks::rebuilding(collections, true).await?;
    let (mut found, mut derived) = (HashMap::new(), 0_u64);
    loop {
        derived += 1;
        let conversation = last.0;
        found.insert(conversation, last.1);
        let next = last_before(collections, Some(conversation)).await?;
        if found.len() >= CHUNK || next.is_none() {
            catch_up(collections, &std::mem::take(&mut found)).await?;
            tracing::info!("derived {derived} conversations");
        }
        let Some(next) = next else { break };
        last = next;
    }
    marks::rebuilding(collections, false).await
}

/// The last message of the conversation with the largest key before another one.
async fn last_before(
    collections: &Collections,
    before: Option<ConversationId>,
) -> Result<Option<(ConversationId, Last)>, Fault> {
    let keys = match before {
        Some(conversation) => doc! { "$lt": binary_key(&conversation) },
        None => doc! { "$gte": binary_key(&ConversationId::from_key([0; 24])) },
    };
    let newest = collections
        .messages
        .find_one(doc! { "conversation": keys, "seq": { "$gt": 0 } })
        .sort(doc! { "conversation": -1, "seq": -1 })
        .projection(doc! { "conversation": 1, "seq": 1, "timestamp": 1 });
    let newest = collections.limit(newest).await?;
    Ok(newest.and_then(|document| last_of(&document)))
}

fn last_of(document: &RawDocument) -> Option<(ConversationId, Last)> {
    let get = |field: &str| document.get(field).ok().flatten();
    let conversation = key(get("conversation")?)?;
    let seq = get("seq").and_then(whole).filter(|seq| *seq > 0)?;
    let id = MessageId::from_bytes(document.get_object_id("_id").ok()?.bytes());
    let at = document.get_datetime("timestamp").ok()?;
    Some((conversation, Last { seq, id, at: millis(at) }))
}
