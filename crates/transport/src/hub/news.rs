//! Something stored that sockets are told of, in its two forms: with the number by which a client recovers, and without.

use std::cell::OnceCell;

use bytes::{BufMut, Bytes, BytesMut};
use chat_domain::{
    model::{Event, SocketId, UserId},
    ports::{CommitNumber, ReceiptKind},
};
use smallvec::{SmallVec, smallvec};

use super::{encode, offset::Tag};

/// How many bits of an event's number count the events of one commit.
const EVENTS_OF_A_COMMIT: u32 = 20;

/// What sockets are told of an event that is stored.
pub(super) struct Notice<'a> {
    /// The event, encoded, without the number.
    pub(super) encoded: Vec<u8>,
    pub(super) to: SmallVec<[UserId; 2]>,
    /// The socket that is not told.
    pub(super) except: Option<&'a SocketId>,
}

/// What sockets are told, one after the other, and the number of the commit; nothing of what is not stored.
pub(super) fn notices(event: &Event) -> (SmallVec<[Notice<'_>; 1]>, Option<CommitNumber>) {
    match event {
        Event::Message { message, except, number } => {
            let (encoded, except) = (encode::message(message), except.as_ref());
            (smallvec![Notice { encoded, to: smallvec![message.receiver, message.sender], except }], *number)
        }
        Event::Edited { message, number } => {
            let (encoded, except) = (encode::edited(message), None);
            (smallvec![Notice { encoded, to: smallvec![message.receiver, message.sender], except }], *number)
        }
        Event::Deleted { message, number } => {
            let (encoded, except) = (encode::deleted(message.id), None);
            (smallvec![Notice { encoded, to: smallvec![message.receiver, message.sender], except }], *number)
        }
        Event::Receipt { kind, receiver, sender, messages, except, number } => {
            let notice = |message| match kind {
                ReceiptKind::Delivered => {
                    Notice { encoded: encode::delivered(message), to: smallvec![*sender], except: None }
                }
                ReceiptKind::Read => {
                    let (encoded, except) = (encode::read(message), except.as_ref());
                    Notice { encoded, to: smallvec![*sender, *receiver], except }
                }
            };
            (messages.iter().copied().map(notice).collect(), *number)
        }
        Event::Blocking { .. } | Event::Typing { .. } | Event::Online { .. } | Event::Offline { .. } | _ => {
            (SmallVec::new(), None)
        }
    }
}

/// The number of a commit's first event: rises as those of commits do.
pub(super) const fn first_of(commit: CommitNumber) -> u64 {
    commit.0 << EVENTS_OF_A_COMMIT
}

/// The number that lies behind all events of a commit.
pub(super) const fn behind(commit: CommitNumber) -> u64 {
    first_of(CommitNumber(commit.0 + 1)) - 1
}

/// The commit of an event of this number.
pub(super) const fn commit_of(event: u64) -> CommitNumber {
    CommitNumber(event >> EVENTS_OF_A_COMMIT)
}

/// An event, each of its forms encoded once.
pub(super) struct News {
    numbered: Bytes,
    /// How many bytes of it are the event's own.
    own: usize,
    plain: OnceCell<Bytes>,
}

impl News {
    pub(super) fn new(number: u64, tag: Tag, encoded: Vec<u8>) -> Self {
        let own = encoded.len().saturating_sub(1);
        Self { numbered: numbered(encoded, number, tag), own, plain: OnceCell::new() }
    }

    pub(super) fn plain(&self) -> Bytes {
        self.plain.get_or_init(|| plain(&self.numbered, self.own)).clone()
    }

    /// With the number as one more argument, a string: what official clients bring back as `offset`.
    pub(super) const fn numbered(&self) -> &Bytes {
        &self.numbered
    }
}

/// What a user's socket is told again of these events, past the event of this number.
pub(super) fn again(user: UserId, events: &[Event], after: u64, tag: Tag) -> Vec<Bytes> {
    let mut told = Vec::new();
    for event in events {
        let (notices, number) = notices(event);
        let Some(number) = number else { continue };
        let concerned = notices.into_iter().zip(first_of(number)..);
        let concerned = concerned.filter(|(notice, number)| notice.to.contains(&user) && *number > after);
        told.extend(concerned.map(|(notice, number)| numbered(notice.encoded, number, tag)));
    }
    told
}

/// Puts the number behind the last argument.
fn numbered(mut encoded: Vec<u8>, number: u64, tag: Tag) -> Bytes {
    encoded.truncate(encoded.len().saturating_sub(1));
    encoded.extend_from_slice(b",\"");
    tag.write(&mut encoded, number);
    encoded.extend_from_slice(b"\"]");
    encoded.into()
}

/// The event without the number.
fn plain(numbered: &[u8], own: usize) -> Bytes {
    let own = numbered.get(..own).unwrap_or(numbered);
    let mut out = BytesMut::with_capacity(own.len() + 1);
    out.put_slice(own);
    out.put_u8(b']');
    out.freeze()
}

#[cfg(test)]
mod tests {
    use chat_domain::model::MessageId;

    use super::*;

    #[test]
    fn the_number_is_one_more_argument() {
        let text = r#"42["message_read",{"messageId":"1"}]"#;
        let news = News::new(17, Tag::of(0), text.into());
        assert_eq!(news.numbered(), r#"42["message_read",{"messageId":"1"},"17.AAAA"]"#);
        assert_eq!(news.plain(), text);
    }

    #[test]
    fn what_is_told_again_goes_on_inside_of_a_commit_and_concerns_the_user() {
        let tag = Tag::of(0);
        let [ada, bob] = [1, 2].map(|byte| UserId::from_bytes([byte; 12]));
        let receipt = |kind| Event::Receipt {
            kind,
            receiver: bob,
            sender: ada,
            messages: (1..=3).map(|byte| MessageId::from_bytes([byte; 12])).collect(),
            except: None,
            number: Some(CommitNumber(5)),
        };
        let read = [receipt(ReceiptKind::Read)];
        assert_eq!(again(ada, &read, behind(CommitNumber(4)), tag).len(), 3);
        assert_eq!(again(bob, &read, first_of(CommitNumber(5)), tag).len(), 2);
        assert_eq!(again(bob, &read, behind(CommitNumber(5)), tag).len(), 0);
        assert_eq!(again(bob, &[receipt(ReceiptKind::Delivered)], 0, tag).len(), 0);
        assert_eq!(commit_of(behind(CommitNumber(5))), CommitNumber(5));
    }
}
