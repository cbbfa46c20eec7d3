//! Messages, by conversation, then `seq`.

use std::sync::Arc;

use bson::{Document, RawArrayBuf, RawDocument, RawDocumentBuf, cstr, doc, raw::CStr};
use chat_ports::{
    ArchiveError, ArchiveQuery, MessagePlace, message_difference,
    model::{ConversationId, Message, Timestamp},
};
use foldhash::HashMap;

use super::{insert, refused};
use crate::{
    changes::renew_life,
    connection::Collections,
    conversations::{Last, write},
    documents::{Dedup, binary_key, encode_message, object_id, read_message},
    error::{Fault, is_duplicate_code},
    store::Inner,
};

const COLLECTION: &str = "messages";
/// On messages that were read before they were moved in.
const MOVED_IN: &CStr = cstr!("movedIn");

/// A page while it is filled.
struct Page {
    items: Vec<Arc<Message>>,
    bytes: usize,
    is_full: bool,
    query: ArchiveQuery,
}

/// The messages after a place: the rest of its conversation, then the later ones.
pub(super) async fn page(collections: &Collections, query: ArchiveQuery) -> Result<Vec<Arc<Message>>, Fault> {
    let mut page = Page { items: Vec::new(), bytes: 0, is_full: query.limit == 0, query };
    if let Some(place) = query.after {
        let seq = i64::try_from(place.seq).unwrap_or(i64::MAX);
        let rest = doc! { "conversation": binary_key(&place.conversation), "seq": { "$gt": seq } };
        page.fill(collections, rest).await?;
    }
    let later = match query.after {
        Some(place) => doc! { "$gt": binary_key(&place.conversation) },
        None => doc! { "$gte": binary_key(&ConversationId::from_key([0; 24])) },
    };
    page.fill(collections, doc! { "conversation": later, "seq": { "$gt": 0 } }).await?;
    Ok(page.items)
}

impl Page {
    async fn fill(&mut self, collections: &Collections, filter: Document) -> Result<(), Fault> {
        let room = self.query.limit.saturating_sub(u32::try_from(self.items.len()).unwrap_or(u32::MAX));
        if self.is_full || room == 0 {
            return Ok(());
        }
        let find = collections.messages.find(filter).sort(doc! { "conversation": 1, "seq": 1 });
        let find = find.limit(room.into()).batch_size(room).max_time(collections.operation_timeout);
        let mut cursor = find.await?;
        while !self.is_full && cursor.advance().await? {
            self.add(read_message(cursor.current())?.message);
        }
        Ok(())
    }

    fn add(&mut self, message: Message) {
        self.bytes = self.bytes.saturating_add(message.text.len());
        self.is_full = !self.items.is_empty() && self.bytes > self.query.max_bytes;
        if !self.is_full {
            self.items.push(Arc::new(message));
        }
    }
}

/// The place of the last one of a walk.
pub(super) async fn last(collections: &Collections) -> Result<Option<MessagePlace>, Fault> {
    let all = doc! { "conversation": { "$gte": binary_key(&ConversationId::from_key([0; 24])) } };
    let last = collections.messages.find_one(all).sort(doc! { "conversation": -1, "seq": -1 });
    let last = last.max_time(collections.operation_timeout).await?;
    let last = last.map(|document| read_message(&document)).transpose()?;
    Ok(last.map(|stored| MessagePlace::of(&stored.message)))
}

/// Puts messages, in order.
pub(super) async fn put(
    inner: &Inner,
    collections: &Collections,
    messages: Vec<Message>,
) -> Result<(), ArchiveError> {
    check_numbers(collections, &messages).await?;
    let mut rest = messages.as_slice();
    while !rest.is_empty() {
        let changed_at = inner.primary_clock.now(&*inner.clock);
        let mut documents = RawArrayBuf::new();
        rest.iter().for_each(|message| documents.push(encode(message, changed_at)));
        let Some((stopped, code)) = insert(collections, COLLECTION, documents).await? else { break };
        let (Some(message), behind) = (rest.get(stopped), rest.get(stopped..).unwrap_or_default()) else {
            return Err(Fault::Answer("writeErrors.index").into());
        };
        if !is_duplicate_code(code) {
            return Err(refused(COLLECTION, message.id, code));
        }
        rest = match same(collections, message.conversation(), behind).await? {
            0 => return Err(clash(collections, message).await?),
            there => behind.get(there..).unwrap_or_default(),
        };
    }
    let ends = messages.iter().map(|message| (message.conversation(), Last::from(message)));
    let ends: HashMap<_, _> = ends.collect();
    write(collections, &ends.into_iter().collect::<Vec<_>>()).await?;
    Ok(collections.limit(renew_life(collections)).await?)
}

/// Whether each message follows the one before it, here or in the database.
async fn check_numbers(collections: &Collections, messages: &[Message]) -> Result<(), ArchiveError> {
    let mut before: Option<MessagePlace> = None;
    for message in messages {
        let place = MessagePlace::of(message);
        let previous = message.seq.checked_sub(1).map(|seq| MessagePlace { seq, ..place });
        let follows = match previous {
            None => false,
            Some(previous) if previous.seq == 0 || before == Some(previous) => true,
            Some(previous) => find(collections, at(previous)).await?.is_some(),
        };
        if !follows {
            return Err(ArchiveError::Gap { id: message.id.to_string(), seq: message.seq });
        }
        if i64::try_from(message.seq).is_err() {
            return Err(ArchiveError::Unfit {
                collection: COLLECTION,
                id: message.id.to_string(),
                field: "seq",
            });
        }
        before = Some(place);
    }
    Ok(())
}

/// How many of these stand there already, from the first on, in its conversation.
async fn same(
    collections: &Collections,
    conversation: ConversationId,
    messages: &[Message],
) -> Result<usize, ArchiveError> {
    let here = messages.iter().take_while(|message| message.conversation() == conversation);
    let seqs: Vec<_> = here.map(|message| i64::try_from(message.seq).unwrap_or(i64::MAX)).collect();
    let there = collections.limit(stored(collections, &conversation, &seqs)).await?;
    let mut same = 0;
    while let Some(message) = messages.get(same).filter(|message| message.conversation() == conversation)
        && let Some(there) = there.get(&message.seq)
    {
        if let Some(field) = message_difference(there, message) {
            return Err(differs(message, field));
        }
        same += 1;
    }
    Ok(same)
}

async fn stored(
    collections: &Collections,
    conversation: &ConversationId,
    seqs: &[i64],
) -> Result<HashMap<u64, Message>, Fault> {
    let range = doc! { "$gte": seqs.first().copied(), "$lte": seqs.last().copied() };
    let filter = doc! { "conversation": binary_key(conversation), "seq": range };
    let mut cursor = collections.messages.find(filter).max_time(collections.operation_timeout).await?;
    let mut there = HashMap::default();
    while cursor.advance().await? {
        let message = read_message(cursor.current())?.message;
        there.insert(message.seq, message);
    }
    Ok(there)
}

/// What is in the way of a message at whose place nothing stands: its id or its client id.
async fn clash(collections: &Collections, message: &Message) -> Result<ArchiveError, Fault> {
    let by_id = find(collections, doc! { "_id": object_id(message.id.0) }).await?;
    Ok(differs(message, if by_id.is_some() { "seq" } else { "client_id" }))
}

async fn find(collections: &Collections, filter: Document) -> Result<Option<Message>, Fault> {
    let find = collections.messages.find_one(filter).max_time(collections.operation_timeout);
    let found = collections.limit(find).await?;
    Ok(found.map(|document| read_message(&document)).transpose()?.map(|stored| stored.message))
}

fn at(place: MessagePlace) -> Document {
    let seq = i64::try_from(place.seq).unwrap_or(i64::MAX);
    doc! { "conversation": binary_key(&place.conversation), "seq": seq }
}

/// Whether a message was moved in, and had been read before: one that says nothing of those before it.
pub(crate) fn is_moved_in_read(document: &RawDocument) -> bool {
    document.get_bool(MOVED_IN).unwrap_or_default()
}

fn encode(message: &Message, changed_at: Timestamp) -> RawDocumentBuf {
    let mut document = encode_message(message, &dedup(message), changed_at, None);
    if message.is_read() {
        document.append(MOVED_IN, true);
    }
    document
}

fn dedup(message: &Message) -> Dedup {
    let sender = message.sender;
    Dedup(match &message.client_id {
        Some(client_id) => format!("{sender}:c:{client_id}").into(),
        None => format!("{sender}:i:{}", message.id).into(),
    })
}

fn differs(message: &Message, field: &'static str) -> ArchiveError {
    ArchiveError::Differs { collection: COLLECTION, id: message.id.to_string(), field }
}
