//! The numbers of a conversation: where the next message stands, what is read, what is not.
//!
//! All of it is arithmetic on a few counters, so that neither counting unread messages nor marking a
//! million of them as read looks at a message.

use chat_ports::{
    ReceiptKind,
    model::{ConversationId, Message, Timestamp, UserId},
};

/// Which of a conversation's two users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// The one with the smaller id.
    Low,
    /// The one with the larger id.
    High,
}

impl Who {
    /// Which one this user is; the larger one if neither.
    pub(crate) fn is(user: UserId, conversation: &ConversationId) -> Self {
        if conversation.users().0 == user { Self::Low } else { Self::High }
    }

    /// Which one reads what is sent to this user. It is the same one as [`is`](Self::is), but for a user who
    /// is alone with themselves: they write as the smaller one and read as the larger one.
    pub(crate) fn receives(user: UserId, conversation: &ConversationId) -> Self {
        if conversation.users().1 == user { Self::High } else { Self::Low }
    }

    /// The other one.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }

    /// The user.
    pub(crate) const fn user(self, conversation: &ConversationId) -> UserId {
        let (low, high) = conversation.users();
        match self {
            Self::Low => low,
            Self::High => high,
        }
    }

    /// As it stands in columns and records: 0 for low, 1 for high.
    pub(crate) const fn bit(self) -> i64 {
        match self {
            Self::Low => 0,
            Self::High => 1,
        }
    }

    /// Reads it back.
    pub(crate) const fn from_bit(bit: i64) -> Option<Self> {
        match bit {
            0 => Some(Self::Low),
            1 => Some(Self::High),
            _ => None,
        }
    }
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// In the conversation, from 1.
    pub(crate) seq: u32,
    /// Among its sender's messages in the conversation, from 1.
    pub(crate) nth: u32,
    /// The `seq` of the sender's message before it; 0 for the first.
    pub(crate) prev: u32,
}

/// Both kinds of marks, in the order in which a message gets them.
pub(crate) const KINDS: [ReceiptKind; 2] = [ReceiptKind::Delivered, ReceiptKind::Read];

/// When a message got a mark, if it did.
pub(crate) const fn had(message: &Message, kind: ReceiptKind) -> Option<Timestamp> {
    match kind {
        ReceiptKind::Delivered => message.delivered_at,
        ReceiptKind::Read => message.read_at,
    }
}

/// One user's side of a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Side {
    /// How many messages this user sent.
    pub(crate) sent: u32,
    /// The `seq` of the last of them; 0 for none.
    pub(crate) last: u32,
    /// Up to which `seq` this user has read everything; 0 for nothing. It is that of a message from the
    /// other side. Of messages that were moved in, some past it may be read as well.
    pub(crate) read: u32,
    /// How many of the other side's messages are read.
    pub(crate) read_nth: u32,
    /// The same of what reached one of this user's devices.
    pub(crate) got: u32,
    /// How many of the other side's messages did.
    pub(crate) got_nth: u32,
}

impl Side {
    /// Up to which `seq` this user has marked everything, and how many messages.
    pub(crate) const fn marked(&self, kind: ReceiptKind) -> (u32, u32) {
        match kind {
            ReceiptKind::Delivered => (self.got, self.got_nth),
            ReceiptKind::Read => (self.read, self.read_nth),
        }
    }

    const fn mark(&mut self, kind: ReceiptKind, seq: u32, count: u32) {
        match kind {
            ReceiptKind::Delivered => (self.got, self.got_nth) = (seq, count),
            ReceiptKind::Read => (self.read, self.read_nth) = (seq, count),
        }
    }
}

/// Both sides, and the conversation's last number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ConversationState {
    /// The `seq` of the last message; 0 for none.
    pub(crate) last: u32,
    /// The side of the user with the smaller id.
    pub(crate) low: Side,
    /// The side of the user with the larger id.
    pub(crate) high: Side,
}

impl ConversationState {
    /// One side.
    pub(crate) const fn side(&self, who: Who) -> &Side {
        match who {
            Who::Low => &self.low,
            Who::High => &self.high,
        }
    }

    const fn side_mut(&mut self, who: Who) -> &mut Side {
        match who {
            Who::Low => &mut self.low,
            Who::High => &mut self.high,
        }
    }

    /// Where this user's next message stands; `None` once four billion stand before it.
    pub(crate) fn next(&self, who: Who) -> Option<Place> {
        let side = self.side(who);
        let seq = self.last.checked_add(1)?;
        Some(Place { seq, nth: side.sent.checked_add(1)?, prev: side.last })
    }

    /// Takes in a message of this user that nobody has got or read.
    pub(crate) const fn append(&mut self, who: Who, place: Place) {
        self.last = place.seq;
        let side = self.side_mut(who);
        side.sent = place.nth;
        side.last = place.seq;
    }

    /// Takes in a message of this user; one that is moved in may have been delivered and read.
    pub(crate) fn sent(&mut self, who: Who, place: Place, message: &Message) {
        self.append(who, place);
        for kind in KINDS {
            if had(message, kind).is_some() {
                let whole = self.is_whole(kind, who.other(), place);
                let side = self.side_mut(who.other());
                let (upto, count) = side.marked(kind);
                side.mark(kind, if whole { place.seq } else { upto }, count + 1);
            }
        }
    }

    /// Whether this receiver has marked everything before a message from the other side.
    pub(crate) const fn is_whole(&self, kind: ReceiptKind, receiver: Who, place: Place) -> bool {
        self.side(receiver).marked(kind).0 >= place.prev
    }

    /// Takes in that this user has marked up to the other side's message at `seq`, so that `count` are.
    pub(crate) const fn mark(&mut self, kind: ReceiptKind, who: Who, seq: u32, count: u32) {
        self.side_mut(who).mark(kind, seq, count);
    }

    /// How many of the other side's messages this user has not read.
    pub(crate) const fn unread(&self, who: Who) -> u32 {
        self.side(who.other()).sent.saturating_sub(self.side(who).read_nth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::message_read_at;

    #[test]
    fn numbers_are_gap_free_and_unread_is_what_the_other_side_sent_since() {
        let mut state = ConversationState::default();
        for (who, expected) in [
            (Who::Low, Place { seq: 1, nth: 1, prev: 0 }),
            (Who::High, Place { seq: 2, nth: 1, prev: 0 }),
            (Who::Low, Place { seq: 3, nth: 2, prev: 1 }),
        ] {
            let place = state.next(who).unwrap();
            assert_eq!(place, expected);
            state.sent(who, place, &message_read_at(None));
        }
        assert_eq!((state.unread(Who::Low), state.unread(Who::High)), (1, 2));
        state.mark(ReceiptKind::Delivered, Who::High, 3, 2);
        assert_eq!(state.unread(Who::High), 2);
        state.mark(ReceiptKind::Read, Who::High, 1, 1);
        assert_eq!((state.unread(Who::Low), state.unread(Who::High)), (1, 1));
        state.mark(ReceiptKind::Read, Who::High, 3, 2);
        assert_eq!(state.unread(Who::High), 0);
    }

    #[test]
    fn what_is_read_beyond_an_unread_one_counts_but_is_not_passed() {
        let mut state = ConversationState::default();
        for is_read in [true, true, false, true] {
            let place = state.next(Who::Low).unwrap();
            state.sent(Who::Low, place, &message_read_at(is_read.then_some(Timestamp::from_millis(5))));
        }
        assert_eq!((state.high.read, state.high.read_nth, state.unread(Who::High)), (2, 3, 1));
        assert_eq!((state.high.got, state.high.got_nth), (2, 3));
    }

    #[test]
    fn a_full_conversation_has_no_next_place() {
        let state = ConversationState { last: u32::MAX, ..Default::default() };
        assert_eq!(state.next(Who::Low), None);
    }
}
