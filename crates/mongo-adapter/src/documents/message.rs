//! Messages as documents.

use std::sync::Arc;

use bson::{RawBinaryRef, RawBsonRef, RawDocument, RawDocumentBuf, cstr, rawdoc, spec::BinarySubtype};
use chat_ports::{
    NewMessage, ReceiptKind, StoreError,
    model::{ClientId, ConversationId, Message, MessageId, TextDigest, Timestamp, UserId},
};

use super::fields::{Source, as_bool, as_id, as_text, as_time, as_whole, date, made_at, object_id, put};

const COLLECTION: &str = "messages";

/// Under which name a message can be stored only once: the value of `dedup`.
///
/// `<sender>:c:<clientId>`, or `<sender>:i:<id>` where the sender gave no name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Dedup(pub(crate) Arc<str>);

impl Dedup {
    /// The name of what its sender has given a client id.
    pub(crate) fn named(sender: UserId, client_id: &ClientId) -> Self {
        let sender = sender.0.hex();
        let ascii = sender.iter().chain(b":c:").chain(client_id.as_str().as_bytes());
        Self(ascii.map(|byte| char::from(*byte)).collect::<String>().into())
    }

    /// The name of a message that is to be stored.
    pub(crate) fn of(message: &NewMessage) -> Self {
        let sender = message.sender.0.hex();
        let id = message.id.0.hex();
        let (kind, name) = match &message.client_id {
            Some(client_id) => (":c:", client_id.as_str().as_bytes()),
            None => (":i:", id.as_slice()),
        };
        let mut text = String::with_capacity(sender.len() + kind.len() + name.len());
        let ascii = sender.iter().chain(kind.as_bytes()).chain(name);
        text.extend(ascii.map(|byte| char::from(*byte)));
        Self(text.into())
    }
}

/// A message as it stands in the database. What an older application wrote has no `seq` until it is
/// migrated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) message: Message,
    pub(crate) dedup: Option<Dedup>,
    pub(crate) changed_at: Option<Timestamp>,
}

/// The number of the commit by which something became of a message, by what that is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) sent: Option<u64>,
    pub(crate) delivered: Option<u64>,
    pub(crate) read: Option<u64>,
    pub(crate) edited: Option<u64>,
    pub(crate) deleted: Option<u64>,
}

impl Numbers {
    /// Reads those of a message. What an older build wrote has none.
    pub(crate) fn of(document: &RawDocument) -> Self {
        let mut numbers = Self::default();
        let Ok(fields) = document.get_document("commits") else { return numbers };
        for (name, value) in fields.iter().flatten() {
            let number = as_seq(value);
            match name.as_str() {
                "sent" => numbers.sent = number,
                "delivered" => numbers.delivered = number,
                "read" => numbers.read = number,
                "edited" => numbers.edited = number,
                "deleted" => numbers.deleted = number,
                _ => {}
            }
        }
        numbers
    }

    /// The last one; 0 where there is none.
    pub(crate) fn last(&self) -> u64 {
        let Self { sent, delivered, read, edited, deleted } = *self;
        [sent, delivered, read, edited, deleted].into_iter().flatten().max().unwrap_or_default()
    }
}

/// The field of a receipt's number.
pub(crate) const fn receipt_number(kind: ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Delivered => "commits.delivered",
        ReceiptKind::Read => "commits.read",
    }
}

/// A number as BSON.
pub(crate) fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A new message's document, with the number of the commit by which it becomes durable if there is one.
pub(crate) fn encode_message(
    message: &Message,
    dedup: &Dedup,
    changed_at: Timestamp,
    number: Option<u64>,
) -> RawDocumentBuf {
    let Message {
        id,
        seq,
        sender,
        receiver,
        text,
        timestamp,
        delivered_at,
        read_at,
        edited_at,
        deleted_at,
        client_id,
        first_text,
    } = message;
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("_id"), object_id(id.0));
    document.append(cstr!("sender"), object_id(sender.0));
    document.append(cstr!("receiver"), object_id(receiver.0));
    document.append(cstr!("message"), text.as_str());
    document.append(cstr!("isRead"), read_at.is_some());
    document.append(cstr!("timestamp"), date(*timestamp));
    let key = ConversationId::between(*sender, *receiver).key();
    document.append(cstr!("conversation"), RawBinaryRef { subtype: BinarySubtype::Generic, bytes: &key });
    document.append(cstr!("seq"), i64::try_from(*seq).unwrap_or(i64::MAX));
    document.append(cstr!("dedup"), &*dedup.0);
    if let Some(client_id) = client_id {
        document.append(cstr!("clientId"), client_id.as_str());
    }
    document.append(cstr!("changedAt"), date(changed_at));
    if let Some(number) = number {
        document.append(cstr!("commits"), rawdoc! { "sent": long(number) });
    }
    // What is read is delivered with it, where nothing else stands here.
    let delivered_at = delivered_at.filter(|at| Some(*at) != *read_at);
    let times = [
        (cstr!("deliveredAt"), &delivered_at),
        (cstr!("readAt"), read_at),
        (cstr!("editedAt"), edited_at),
        (cstr!("deletedAt"), deleted_at),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            document.append(name, date(*time));
        }
    }
    if let Some(digest) = first_text {
        let bytes = digest.bytes();
        document.append(cstr!("firstText"), RawBinaryRef { subtype: BinarySubtype::Generic, bytes: &bytes });
    }
    document
}

/// Reads a message.
///
/// # Errors
/// [`StoreError::Corrupt`] where a field is missing or of another type.
pub(crate) fn read_message(document: &RawDocument) -> Result<Stored, StoreError> {
    let source = Source { collection: COLLECTION, document };
    let (mut id, mut sender, mut receiver, mut text) = (None, None, None, None);
    let (mut is_read, mut timestamp, mut seq, mut dedup) = (None, None, None, None);
    let (mut client_id, mut changed_at, mut delivered_at, mut read_at) = (None, None, None, None);
    let (mut edited_at, mut deleted_at, mut first_text) = (None, None, None);
    source.each(|name, value| match name {
        "_id" => put(&mut id, value, as_id, "_id"),
        "sender" => put(&mut sender, value, as_id, "sender"),
        "receiver" => put(&mut receiver, value, as_id, "receiver"),
        "message" => put(&mut text, value, as_text, "message"),
        "isRead" => put(&mut is_read, value, as_bool, "isRead"),
        "timestamp" => put(&mut timestamp, value, as_time, "timestamp"),
        "seq" => put(&mut seq, value, as_seq, "seq"),
        "dedup" => put(&mut dedup, value, as_dedup, "dedup"),
        "clientId" => put(&mut client_id, value, as_text, "clientId"),
        "changedAt" => put(&mut changed_at, value, as_time, "changedAt"),
        "deliveredAt" => put(&mut delivered_at, value, as_time, "deliveredAt"),
        "readAt" => put(&mut read_at, value, as_time, "readAt"),
        "editedAt" => put(&mut edited_at, value, as_time, "editedAt"),
        "deletedAt" => put(&mut deleted_at, value, as_time, "deletedAt"),
        "firstText" => put(&mut first_text, value, as_digest, "firstText"),
        _ => None,
    })?;
    let id = source.need(id, "_id")?;
    let timestamp = timestamp.unwrap_or_else(|| made_at(id));
    let read_at = is_read.unwrap_or_default().then(|| read_at.unwrap_or(timestamp));
    let message = Message {
        id: MessageId(id),
        seq: seq.unwrap_or_default(),
        sender: UserId(source.need(sender, "sender")?),
        receiver: UserId(source.need(receiver, "receiver")?),
        text: source.need(text, "message")?,
        timestamp,
        delivered_at: delivered_at.or(read_at),
        read_at,
        edited_at,
        deleted_at,
        client_id,
        first_text,
    };
    Ok(Stored { message, dedup, changed_at })
}

fn as_dedup(value: RawBsonRef<'_>) -> Option<Dedup> {
    value.as_str().map(|text| Dedup(text.into()))
}

fn as_digest(value: RawBsonRef<'_>) -> Option<TextDigest> {
    let RawBsonRef::Binary(binary) = value else { return None };
    binary.bytes.try_into().ok().map(TextDigest::from_bytes)
}

fn as_seq(value: RawBsonRef<'_>) -> Option<u64> {
    u64::try_from(as_whole(value)?).ok()
}
