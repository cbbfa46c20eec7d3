//! The numbers of a conversation: where the next message stands, what is read, what is not.
//!
//! All of it is arithmetic on a few counters, so that neither counting unread messages nor marking a
//! million of them as read looks at a message.

use chat_ports::model::{ConversationId, UserId};

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

    /// Takes in a message of this user; one that is moved in may have been read.
    pub(crate) const fn sent(&mut self, who: Who, place: Place, is_read: bool) {
        self.last = place.seq;
        let side = self.side_mut(who);
        side.sent = place.nth;
        side.last = place.seq;
        if is_read {
            let whole = self.is_whole(who.other(), place);
            let side = self.side_mut(who.other());
            side.read_nth += 1;
            if whole {
                side.read = place.seq;
            }
        }
    }

    /// Whether this reader has read everything before a message from the other side.
    pub(crate) const fn is_whole(&self, reader: Who, place: Place) -> bool {
        self.side(reader).read >= place.prev
    }

    /// Takes in that this user has read up to the other side's message at `seq`, so that `count` are read.
    pub(crate) const fn read(&mut self, who: Who, seq: u32, count: u32) {
        let side = self.side_mut(who);
        side.read = seq;
        side.read_nth = count;
    }

    /// How many of the other side's messages this user has not read.
    pub(crate) const fn unread(&self, who: Who) -> u32 {
        self.side(who.other()).sent.saturating_sub(self.side(who).read_nth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            state.sent(who, place, false);
        }
        assert_eq!((state.unread(Who::Low), state.unread(Who::High)), (1, 2));
        state.read(Who::High, 1, 1);
        assert_eq!((state.unread(Who::Low), state.unread(Who::High)), (1, 1));
        state.read(Who::High, 3, 2);
        assert_eq!(state.unread(Who::High), 0);
    }

    #[test]
    fn what_is_read_beyond_an_unread_one_counts_but_is_not_passed() {
        let mut state = ConversationState::default();
        for is_read in [true, true, false, true] {
            let place = state.next(Who::Low).unwrap();
            state.sent(Who::Low, place, is_read);
        }
        assert_eq!((state.high.read, state.high.read_nth, state.unread(Who::High)), (2, 3, 1));
    }

    #[test]
    fn a_full_conversation_has_no_next_place() {
        let state = ConversationState { last: u32::MAX, ..Default::default() };
        assert_eq!(state.next(Who::Low), None);
    }
}
