//! The writer's operations on the database.

use std::{sync::Arc, time::Duration};

use bson::{RawArrayBuf, RawDocument, RawDocumentBuf, cstr, doc, rawdoc};
use chat_ports::model::{ConversationId, Message, MessageId};
use foldhash::HashMap;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    core::Inserted,
    looking::{Key, Look, Looked, Name},
};
use crate::{
    commits::Stamp,
    connection::Collections,
    documents::{Dedup, Stored, binary_key, date, encode_message, long, millis, object_id, read_message},
    error::{Fault, is_duplicate_code},
    late,
    store::Inner,
};

/// Conversations that are read beside each other.
const READS_AT_ONCE: usize = 8;

/// The messages of one insert, encoded.
#[derive(Default)]
pub(super) struct Documents(RawArrayBuf);

impl Documents {
    /// Adds one, under a number that is answered.
    pub(super) fn push(&mut self, inner: &Inner, message: &Message, dedup: &Dedup) -> u64 {
        let Stamp { number, changed_at } = inner.stamp([message.sender, message.receiver]);
        self.0.push(encode_message(message, dedup, changed_at, Some(number)));
        number
    }
}

/// Inserts, in order, durably: the server answers when a majority has it in its journals.
pub(super) async fn insert(collections: &Collections, documents: Documents) -> Result<Inserted, Fault> {
    let command = insert_command(documents, collections.operation_timeout);
    let answer = collections.limit(collections.database.run_raw_command(command)).await?;
    read_answer(&answer)
}

fn insert_command(documents: Documents, limit: Duration) -> RawDocumentBuf {
    let millis = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
    let mut command = RawDocumentBuf::new();
    command.append(cstr!("insert"), "messages");
    command.append(cstr!("ordered"), true);
    command.append(cstr!("maxTimeMS"), millis);
    command.append(cstr!("writeConcern"), rawdoc! { "w": "majority", "j": true, "wtimeout": millis });
    command.append(cstr!("documents"), documents.0);
    command
}

/// Reads the answer to an insert, which can be a success and an error in one.
fn read_answer(answer: &bson::Document) -> Result<Inserted, Fault> {
    if answer.contains_key("writeConcernError") {
        return Ok(Inserted::Unknown { refused: false });
    }
    let Some(errors) = answer.get_array("writeErrors").ok().filter(|errors| !errors.is_empty()) else {
        return Ok(Inserted::All);
    };
    let error = errors.first().and_then(bson::Bson::as_document).ok_or(Fault::Answer("writeErrors"))?;
    let index = error.get_i32("index").ok().and_then(|index| usize::try_from(index).ok());
    let index = index.ok_or(Fault::Answer("writeErrors.index"))?;
    let code = error.get_i32("code").map_err(|_missing| Fault::Answer("writeErrors.code"))?;
    if is_duplicate_code(code) {
        return Ok(Inserted::Duplicate(index));
    }
    if crate::error::is_passing(code) {
        return Ok(Inserted::Unknown { refused: false });
    }
    tracing::error!(code, "MongoDB refused a message's document");
    Ok(Inserted::Refused(index))
}

/// Looks up numbers and names, in this order, at read concern majority. What is found of our own gets a new
/// `changedAt` and commit: readers may have passed the old ones. Where something is met that another process left behind, or
/// nothing is asked, all that it left is looked for.
pub(super) async fn look(inner: &Inner, collections: &Collections, look: &Look) -> Result<Looked, Fault> {
    let conversations = stream::iter(look.conversations.clone());
    let numbers = conversations.map(|conversation| highest(inner, collections, conversation));
    let numbers: Vec<Number> = numbers.buffer_unordered(READS_AT_ONCE).try_collect().await?;
    let mut names: HashMap<ConversationId, Vec<String>> = HashMap::default();
    for Key { conversation, dedup, .. } in &look.keys {
        names.entry(*conversation).or_default().push(dedup.0.to_string());
    }
    let names = stream::iter(names).map(|(conversation, names)| find(collections, conversation, names));
    let found: Vec<Vec<Stored>> = names.buffer_unordered(READS_AT_ONCE).try_collect().await?;
    let found: Vec<Stored> = found.into_iter().flatten().collect();
    let is_news = |stored: &Stored| {
        stored.changed_at.is_some_and(|changed_at| inner.late.is_news(stored.message.id, changed_at))
    };
    let is_late = numbers.iter().any(|number| number.is_news) || found.iter().any(is_news);
    let asks_nothing = look.conversations.is_empty() && look.keys.is_empty();
    let late = if is_late || asks_nothing { late::look(inner, collections).await? } else { Vec::new() };
    let named = found.into_iter().filter_map(|Stored { message, dedup, .. }| {
        Some(((message.conversation(), dedup?), Arc::new(message)))
    });
    let found = named.collect();
    let renewed = renew(inner, collections, look, &found).await?;
    let highest = numbers.into_iter().map(|Number { conversation, seq, .. }| (conversation, seq)).collect();
    Ok(Looked { highest, found, renewed, late })
}

/// The highest number of a conversation.
struct Number {
    conversation: ConversationId,
    seq: u64,
    /// Whether another process left its message behind.
    is_news: bool,
}

async fn highest(
    inner: &Inner,
    collections: &Collections,
    conversation: ConversationId,
) -> Result<Number, Fault> {
    let last = collections
        .messages
        .find_one(doc! { "conversation": binary_key(&conversation) })
        .sort(doc! { "seq": -1 })
        .projection(doc! { "seq": 1, "changedAt": 1 })
        .max_time(collections.operation_timeout);
    let last: Option<RawDocumentBuf> = collections.limit(last).await?;
    let Some(last) = last else { return Ok(Number { conversation, seq: 0, is_news: false }) };
    let is_news = match (last.get_object_id("_id"), last.get_datetime("changedAt")) {
        (Ok(id), Ok(at)) => inner.late.is_news(MessageId::from_bytes(id.bytes()), millis(at)),
        _ => false,
    };
    Ok(Number { conversation, seq: read_seq(&last)?, is_news })
}

fn read_seq(document: &RawDocument) -> Result<u64, Fault> {
    let seq = document.get_i64("seq").ok().and_then(|seq| u64::try_from(seq).ok());
    seq.ok_or(Fault::Answer("seq"))
}

async fn find(
    collections: &Collections,
    conversation: ConversationId,
    names: Vec<String>,
) -> Result<Vec<Stored>, Fault> {
    let filter = doc! { "conversation": binary_key(&conversation), "dedup": { "$in": names } };
    let documents = async {
        let cursor = collections.messages.find(filter).max_time(collections.operation_timeout).await?;
        cursor.try_collect::<Vec<RawDocumentBuf>>().await
    };
    let documents = collections.limit(documents).await?;
    Ok(documents.iter().map(|document| read_message(document)).collect::<Result<_, _>>()?)
}

async fn renew(
    inner: &Inner,
    collections: &Collections,
    look: &Look,
    found: &HashMap<Name, Arc<Message>>,
) -> Result<u64, Fault> {
    let ours = look.keys.iter().filter(|key| {
        found.get(&(key.conversation, key.dedup.clone())).is_some_and(|message| message.id == key.id)
    });
    let ids: Vec<_> = ours.map(|key| object_id(key.id.0)).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let Stamp { number, changed_at } = inner.stamp_in_doubt();
    let renewed = doc! { "$max": { "changedAt": date(changed_at), "commits.sent": long(number) } };
    let update = collections.messages.update_many(doc! { "_id": { "$in": ids } }, renewed);
    collections.limit(update).await?;
    Ok(number)
}
