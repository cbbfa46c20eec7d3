//! How the log's entries are written down.
//!
//! An entry is a kind byte, which also names the version of what follows, then fields in a fixed
//! order: ids as their 12 bytes, numbers as LEB128 (timestamps zigzag), texts last. A kind that
//! this build does not know is an error.
//!
//! | kind | fields |
//! |---|---|
//! | 1 sent | id, sender, receiver, seq, nth, prev, timestamp, length of the client id (0: none) and the client id, text |
//! | 2 read (format 1) | receiver, other user, seq, nth, at |
//! | 3 sent, and read before it was moved in (format 1) | as sent, with the time of the reading behind the timestamp |
//! | 4 delivered, 5 read | receiver, other user, after, seq, nth, at |
//! | 6 moved in | as sent, with a byte behind the timestamp that says which follow (1 delivered, 2 read, 4 edited, 8 deleted at; 16 the first text's digest), and these |
//! | 7 edited | sender, other user, seq, at, the first text's digest, text |
//! | 8 deleted | sender, other user, seq, at |

use std::sync::Arc;

use chat_ports::{
    ReceiptKind,
    model::{ConversationId, Message, MessageId, TextDigest, Timestamp, UserId},
};

use super::{Change, Changed, Entry, Mark, Row};
use crate::{
    fault::Fault,
    state::{Place, Who},
};

const SENT: u8 = 1;
const READ_1: u8 = 2;
const SENT_AND_READ_1: u8 = 3;
const DELIVERED: u8 = 4;
const READ: u8 = 5;
const MOVED_IN: u8 = 6;
const EDITED: u8 = 7;
const DELETED: u8 = 8;

impl Entry {
    /// Writes it down at the end of `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sent(row) => encode_sent(row, out),
            Self::Marked(mark) => {
                out.push(match mark.kind {
                    ReceiptKind::Delivered => DELIVERED,
                    ReceiptKind::Read => READ,
                });
                pair(mark.receiver, &mark.conversation, out);
                number(mark.after.into(), out);
                number(mark.seq.into(), out);
                number(mark.nth.into(), out);
                time(mark.at, out);
            }
            Self::Changed(changed) => encode_changed(changed, out),
        }
    }

    /// Reads it back; `n` is its number, for the error.
    pub(crate) fn decode(n: u64, bytes: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader(bytes);
        let entry = match reader.byte() {
            Some(SENT) => reader.sent(Has::Nothing),
            Some(SENT_AND_READ_1) => reader.sent(Has::Reading),
            Some(MOVED_IN) => reader.sent(Has::Flags),
            Some(READ_1) => reader.marked(ReceiptKind::Read, true),
            Some(READ) => reader.marked(ReceiptKind::Read, false),
            Some(DELIVERED) => reader.marked(ReceiptKind::Delivered, false),
            Some(EDITED) => reader.changed(true),
            Some(DELETED) => reader.changed(false),
            _ => None,
        };
        entry.ok_or_else(|| Fault::corrupt("entries", n, "entry"))
    }
}

fn encode_sent(row: &Row, out: &mut Vec<u8>) {
    let message = &row.message;
    let times = [message.delivered_at, message.read_at, message.edited_at, message.deleted_at];
    let bits = [
        times[0].is_some(),
        times[1].is_some(),
        times[2].is_some(),
        times[3].is_some(),
        message.first_text.is_some(),
    ];
    let flags = bits.iter().rev().fold(0_u8, |flags, bit| flags << 1 | u8::from(*bit));
    out.push(if flags == 0 { SENT } else { MOVED_IN });
    out.extend_from_slice(&message.id.bytes());
    out.extend_from_slice(&message.sender.bytes());
    out.extend_from_slice(&message.receiver.bytes());
    number(row.place.seq.into(), out);
    number(row.place.nth.into(), out);
    number(row.place.prev.into(), out);
    time(message.timestamp, out);
    if flags != 0 {
        out.push(flags);
        times.into_iter().flatten().for_each(|at| time(at, out));
        out.extend_from_slice(
            message.first_text.map(|digest| digest.bytes()).as_ref().map_or(&[], |digest| digest),
        );
    }
    let client_id = message.client_id.as_deref().unwrap_or_default();
    number(client_id.len() as u64, out);
    out.extend_from_slice(client_id.as_bytes());
    out.extend_from_slice(message.text.as_bytes());
}

fn encode_changed(changed: &Changed, out: &mut Vec<u8>) {
    let Changed { conversation, sender, seq, change } = changed;
    out.push(match change {
        Change::Edited { .. } => EDITED,
        Change::Deleted { .. } => DELETED,
    });
    pair(*sender, conversation, out);
    number((*seq).into(), out);
    match change {
        Change::Edited { text, at, first_text } => {
            time(*at, out);
            out.extend_from_slice(&first_text.bytes());
            out.extend_from_slice(text.as_bytes());
        }
        Change::Deleted { at } => time(*at, out),
    }
}

/// A user, then the other one.
fn pair(who: Who, conversation: &ConversationId, out: &mut Vec<u8>) {
    out.extend_from_slice(&who.user(conversation).bytes());
    out.extend_from_slice(&who.other().user(conversation).bytes());
}

fn time(at: Timestamp, out: &mut Vec<u8>) {
    number(zigzag(at.millis()), out);
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

/// What a message was before it was moved in.
enum Has {
    Nothing,
    Reading,
    Flags,
}

/// Takes fields from the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn sent(mut self, has: Has) -> Option<Entry> {
        let id = MessageId::from_bytes(self.array()?);
        let sender = UserId::from_bytes(self.array()?);
        let receiver = UserId::from_bytes(self.array()?);
        let place = Place { seq: self.small()?, nth: self.small()?, prev: self.small()? };
        let timestamp = self.timestamp()?;
        let flags = match has {
            Has::Nothing => 0,
            Has::Reading => 2,
            Has::Flags => self.byte().filter(|flags| (1..32).contains(flags))?,
        };
        let mut at = |bit| if flags & bit == 0 { Some(None) } else { self.timestamp().map(Some) };
        let (delivered_at, read_at, edited_at, deleted_at) = (at(1)?, at(2)?, at(4)?, at(8)?);
        let first_text = if flags & 16 == 0 { None } else { Some(TextDigest::from_bytes(self.array()?)) };
        let length = usize::try_from(self.number()?).ok()?;
        let (client_id, text) = self.0.split_at_checked(length)?;
        let client_id = (length > 0).then(|| String::from_utf8(client_id.to_vec())).transpose().ok()?;
        let text = String::from_utf8(text.to_vec()).ok()?;
        let message = Message {
            id,
            seq: place.seq.into(),
            sender,
            receiver,
            text,
            timestamp,
            delivered_at: delivered_at.or(read_at),
            read_at,
            edited_at,
            deleted_at,
            client_id,
            first_text,
        };
        Some(Entry::Sent(Row { message: Arc::new(message), place }))
    }

    fn marked(mut self, kind: ReceiptKind, is_old: bool) -> Option<Entry> {
        let receiver = UserId::from_bytes(self.array()?);
        let conversation = ConversationId::between(receiver, UserId::from_bytes(self.array()?));
        let after = if is_old { 0 } else { self.small()? };
        let (seq, nth) = (self.small()?, self.small()?);
        let at = self.timestamp()?;
        let receiver = Who::receives(receiver, &conversation);
        let mark = Mark { kind, conversation, receiver, after, seq, nth, at };
        self.0.is_empty().then_some(Entry::Marked(mark))
    }

    fn changed(mut self, is_edited: bool) -> Option<Entry> {
        let sender = UserId::from_bytes(self.array()?);
        let conversation = ConversationId::between(sender, UserId::from_bytes(self.array()?));
        let seq = self.small()?;
        let at = self.timestamp()?;
        let change = if is_edited {
            let first_text = TextDigest::from_bytes(self.array()?);
            Change::Edited { text: std::str::from_utf8(self.0).ok()?.into(), at, first_text }
        } else {
            self.0.is_empty().then_some(Change::Deleted { at })?
        };
        let sender = Who::is(sender, &conversation);
        Some(Entry::Changed(Changed { conversation, sender, seq, change }))
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

    fn times() -> impl Strategy<Value = [Option<Timestamp>; 4]> {
        proptest::array::uniform4(proptest::option::of(any::<i64>().prop_map(Timestamp::from_millis)))
            .prop_map(|[delivered, read, edited, deleted]| [delivered.or(read), read, edited, deleted])
    }

    prop_compose! {
        fn sent()(id: [u8; 12], sender in user(), receiver in user(), seq: u32, nth: u32, prev: u32,
                  at: i64, times in times(), first_text: Option<[u8; 16]>,
                  client_id in proptest::option::of("[!-~]{1,64}"), text in ".{1,200}") -> Entry {
            let [delivered_at, read_at, edited_at, deleted_at] = times;
            let message = Message {
                id: MessageId::from_bytes(id), seq: seq.into(), sender, receiver, text,
                timestamp: Timestamp::from_millis(at), delivered_at, read_at, edited_at, deleted_at, client_id,
                first_text: first_text.map(TextDigest::from_bytes),
            };
            Entry::Sent(Row { message: Arc::new(message), place: Place { seq, nth, prev } })
        }
    }

    prop_compose! {
        fn marked()(receiver in user(), other in user(), after: u32, seq: u32, nth: u32, at: i64, read: bool) -> Entry {
            let conversation = ConversationId::between(receiver, other);
            let receiver = Who::receives(receiver, &conversation);
            let kind = if read { ReceiptKind::Read } else { ReceiptKind::Delivered };
            Entry::Marked(Mark { kind, conversation, receiver, after, seq, nth, at: Timestamp::from_millis(at) })
        }
    }

    prop_compose! {
        fn changed()(sender in user(), other in user(), seq: u32, at: i64, text in proptest::option::of(".{1,200}"), digest: [u8; 16]) -> Entry {
            let conversation = ConversationId::between(sender, other);
            let at = Timestamp::from_millis(at);
            let change = match text {
                Some(text) => Change::Edited { text: text.into(), at, first_text: TextDigest::from_bytes(digest) },
                None => Change::Deleted { at },
            };
            Entry::Changed(Changed { conversation, sender: Who::is(sender, &conversation), seq, change })
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(entry in prop_oneof![sent(), marked(), changed()]) {
            let mut bytes = Vec::new();
            entry.encode(&mut bytes);
            prop_assert_eq!(Entry::decode(1, &bytes).unwrap(), entry);
        }

        #[test]
        fn any_other_bytes_are_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            if let Ok(entry) = Entry::decode(1, &bytes) {
                prop_assert!(matches!(entry, Entry::Sent(_) | Entry::Marked(_) | Entry::Changed(_)));
            }
        }
    }

    #[test]
    fn entries_of_the_first_format_are_read() {
        let (low, high) = ([1; 12], [2; 12]);
        let read = [&[READ_1][..], &high, &low, &[7, 3, 20]].concat();
        let Entry::Marked(mark) = Entry::decode(1, &read).unwrap() else { panic!("no mark") };
        assert_eq!((mark.kind, mark.after, mark.seq, mark.nth), (ReceiptKind::Read, 0, 7, 3));
        let sent = [&[SENT_AND_READ_1][..], &[9; 12], &low, &high, &[1, 1, 0, 20, 40, 0], b"hello"].concat();
        let Entry::Sent(row) = Entry::decode(1, &sent).unwrap() else { panic!("no message") };
        let at = Some(Timestamp::from_millis(20));
        assert_eq!((row.message.delivered_at, row.message.read_at), (at, at));
    }

    #[test]
    fn an_unknown_kind_is_an_error_that_names_the_entry() {
        assert_eq!(
            Entry::decode(7, &[9, 0]).unwrap_err().to_string(),
            "entries 7: field entry can't be read"
        );
    }
}
