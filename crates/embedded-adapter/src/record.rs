//! The log's entries, and how they are written down.
//!
//! An entry is a kind byte, which also names the version of what follows, then fields in a fixed
//! order: ids as their 12 bytes, numbers as LEB128 (timestamps zigzag), texts last. A kind that
//! this build does not know is an error.
//!
//! | kind | fields |
//! |---|---|
//! | 1 sent | id, sender, receiver, seq, nth, prev, timestamp, length of the client id (0: none) and the client id, text |
//! | 2 read | reader, other user, seq, nth, at |
//! | 3 sent, and read before it was moved in | as sent, with the time of the reading behind the timestamp |

use std::sync::Arc;

use chat_ports::model::{ConversationId, Message, MessageId, Timestamp, UserId};

use crate::{
    fault::Fault,
    state::{Place, Who},
};

const SENT: u8 = 1;
const READ: u8 = 2;
const SENT_AND_READ: u8 = 3;

/// A message with all that its table row has. `message.read_at` is set only if it was read before it was
/// moved in: else who has read up to where stands in the marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) message: Arc<Message>,
    pub(crate) place: Place,
}

impl Row {
    /// Which side wrote it.
    pub(crate) fn sender(&self) -> Who {
        Who::is(self.message.sender, &self.message.conversation())
    }
}

/// Somebody has read up to a message, since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) conversation: ConversationId,
    pub(crate) reader: Who,
    /// The message's `seq`; it was sent to the reader.
    pub(crate) seq: u32,
    /// How many of the messages sent to the reader are read with it: its place among them, unless some
    /// past it were read before.
    pub(crate) nth: u32,
    pub(crate) at: Timestamp,
}

/// What a log entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Sent(Row),
    Read(Mark),
}

impl Entry {
    /// The conversation that it changes.
    pub(crate) fn conversation(&self) -> ConversationId {
        match self {
            Self::Sent(row) => row.message.conversation(),
            Self::Read(mark) => mark.conversation,
        }
    }

    /// Writes it down at the end of `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sent(row) => encode_sent(row, out),
            Self::Read(mark) => {
                out.push(READ);
                out.extend_from_slice(&mark.reader.user(&mark.conversation).bytes());
                out.extend_from_slice(&mark.reader.other().user(&mark.conversation).bytes());
                number(mark.seq.into(), out);
                number(mark.nth.into(), out);
                number(zigzag(mark.at.millis()), out);
            }
        }
    }

    /// Reads it back; `n` is its number, for the error.
    pub(crate) fn decode(n: u64, bytes: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader(bytes);
        let entry = match reader.byte() {
            Some(SENT) => reader.sent(false),
            Some(SENT_AND_READ) => reader.sent(true),
            Some(READ) => reader.read(),
            _ => None,
        };
        entry.ok_or_else(|| Fault::corrupt("entries", n, "entry"))
    }
}

fn encode_sent(row: &Row, out: &mut Vec<u8>) {
    let message = &row.message;
    out.push(if message.read_at.is_some() { SENT_AND_READ } else { SENT });
    out.extend_from_slice(&message.id.bytes());
    out.extend_from_slice(&message.sender.bytes());
    out.extend_from_slice(&message.receiver.bytes());
    number(row.place.seq.into(), out);
    number(row.place.nth.into(), out);
    number(row.place.prev.into(), out);
    number(zigzag(message.timestamp.millis()), out);
    if let Some(read_at) = message.read_at {
        number(zigzag(read_at.millis()), out);
    }
    let client_id = message.client_id.as_deref().unwrap_or_default();
    number(client_id.len() as u64, out);
    out.extend_from_slice(client_id.as_bytes());
    out.extend_from_slice(message.text.as_bytes());
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Takes fields from the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn sent(mut self, is_read: bool) -> Option<Entry> {
        let id = MessageId::from_bytes(self.array()?);
        let sender = UserId::from_bytes(self.array()?);
        let receiver = UserId::from_bytes(self.array()?);
        let place = Place { seq: self.small()?, nth: self.small()?, prev: self.small()? };
        let timestamp = self.timestamp()?;
        let read_at = if is_read { Some(self.timestamp()?) } else { None };
        let length = usize::try_from(self.number()?).ok()?;
        let (client_id, text) = self.0.split_at_checked(length)?;
        let client_id = (length > 0).then(|| String::from_utf8(client_id.to_vec())).transpose().ok()?;
        let text = String::from_utf8(text.to_vec()).ok()?;
        let seq = place.seq.into();
        let message = Message {
            id,
            seq,
            sender,
            receiver,
            text,
            timestamp,
            delivered_at: read_at,
            read_at,
            edited_at: None,
            deleted_at: None,
            first_text: None,
            client_id,
        };
        Some(Entry::Sent(Row { message: Arc::new(message), place }))
    }

    fn read(mut self) -> Option<Entry> {
        let reader = UserId::from_bytes(self.array()?);
        let conversation = ConversationId::between(reader, UserId::from_bytes(self.array()?));
        let (seq, nth) = (self.small()?, self.small()?);
        let at = self.timestamp()?;
        let reader = Who::receives(reader, &conversation);
        self.0.is_empty().then_some(Entry::Read(Mark { conversation, reader, seq, nth, at }))
    }

    fn timestamp(&mut self) -> Option<Timestamp> {
        self.number().map(|number| Timestamp::from_millis(unzigzag(number)))
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user() -> impl Strategy<Value = UserId> {
        any::<[u8; 12]>().prop_map(UserId::from_bytes)
    }

    prop_compose! {
        fn sent()(id: [u8; 12], sender in user(), receiver in user(), seq: u32, nth: u32, prev: u32,
                  at: i64, read_at: Option<i64>, client_id in proptest::option::of("[!-~]{1,64}"), text in ".{1,200}") -> Entry {
            let message = Message {
                id: MessageId::from_bytes(id), seq: seq.into(), sender, receiver, text,
                timestamp: Timestamp::from_millis(at), delivered_at: read_at.map(Timestamp::from_millis), read_at: read_at.map(Timestamp::from_millis),
                edited_at: None, deleted_at: None, first_text: None, client_id,
            };
            Entry::Sent(Row { message: Arc::new(message), place: Place { seq, nth, prev } })
        }
    }

    prop_compose! {
        fn read()(reader in user(), other in user(), seq: u32, nth: u32, at: i64) -> Entry {
            let conversation = ConversationId::between(reader, other);
            let reader = Who::receives(reader, &conversation);
            Entry::Read(Mark { conversation, reader, seq, nth, at: Timestamp::from_millis(at) })
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(entry in prop_oneof![sent(), read()]) {
            let mut bytes = Vec::new();
            entry.encode(&mut bytes);
            prop_assert_eq!(Entry::decode(1, &bytes).unwrap(), entry);
        }

        #[test]
        fn any_other_bytes_are_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            if let Ok(entry) = Entry::decode(1, &bytes) {
                prop_assert!(matches!(entry, Entry::Sent(_) | Entry::Read(_)));
            }
        }
    }

    #[test]
    fn an_unknown_kind_is_an_error_that_names_the_entry() {
        assert_eq!(
            Entry::decode(7, &[9, 0]).unwrap_err().to_string(),
            "entries 7: field entry can't be read"
        );
    }
}
