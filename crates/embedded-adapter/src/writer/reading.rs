//! What a reading changes.

use chat_ports::{
    Receipt, ReceiptSpan,
    model::{ConversationId, MessageId},
};

use super::{
    Writer,
    ledger::{Known, Ledger},
};
use crate::{
    fault::Fault,
    overlay::Found,
    record::Mark,
    state::{ConversationState, Who},
};

/// The messages that one side has read past an unread one: only what was moved in has such.
pub(super) struct Scattered {
    /// In the tables: every message up to the last of them that is read, and whether it is.
    pub(super) swept: Vec<(u32, bool)>,
    /// In memory: those that are read.
    pub(super) unswept: Vec<u32>,
}

impl Scattered {
    fn is_empty(&self) -> bool {
        self.swept.is_empty() && self.unswept.is_empty()
    }

    /// How many of them stand past `seq`.
    fn past(&self, seq: u32) -> u32 {
        let swept = self.swept.iter().rev().take_while(|(at, _)| *at > seq).filter(|(_, is_read)| *is_read);
        let unswept = self.unswept.iter().rev().take_while(|at| **at > seq);
        u32::try_from(swept.count() + unswept.count()).unwrap_or(u32::MAX)
    }
}

impl Writer {
    /// What a reading changes, and the entry for it; no entry if all of it was read before.
    pub(super) fn plan_reading(
        &mut self,
        reading: &Receipt,
        found: &Found,
    ) -> Result<(ReceiptSpan, Option<(Mark, ConversationState)>), Fault> {
        let (message, place) = (&found.message, found.place);
        let conversation = message.conversation();
        let reader = Who::receives(reading.receiver, &conversation);
        let mut known = self.ledger.known(&conversation)?;
        let before = *known.state.side(reader);
        let mut read = ReceiptSpan { conversation, sender: message.sender, count: 0, messages: Vec::new() };
        if place.seq <= before.read {
            return Ok((read, None));
        }
        let scattered = self.ledger.scattered(&conversation, &mut known, reader, before.read)?;
        let past = scattered.past(place.seq);
        let count = place.nth.saturating_sub(before.read_nth.saturating_sub(past));
        if count == 0 {
            return Ok((read, None));
        }
        read.count = count.into();
        let most = count.min(reading.max_ids);
        read.messages = self.ledger.newest_unread(&conversation, &mut known, place.seq, most, &scattered)?;
        let nth = before.read_nth.saturating_add(count);
        known.state.read(reader, place.seq, nth);
        self.ledger.put(conversation, known);
        let mark = Mark { conversation, reader, seq: place.seq, nth, at: reading.at };
        Ok((read, Some((mark, known.state))))
    }
}

impl Ledger {
    /// The ids of the `most` newest messages of the same sender up to `last` that are not read, oldest first.
    /// There are as many.
    fn newest_unread(
        &mut self,
        conversation: &ConversationId,
        known: &mut Known,
        last: u32,
        most: u32,
        scattered: &Scattered,
    ) -> Result<Vec<MessageId>, Fault> {
        let (mut ids, mut seq) = (Vec::new(), last);
        // From its last row on the tables name the unread ones: no need to go through those that are read.
        let named = if scattered.is_empty() { 0 } else { scattered.swept.last().map_or(0, |(seq, _)| *seq) };
        while seq > named && ids.len() < most as usize {
            let (id, prev) = self.link(conversation, known, seq)?;
            if scattered.unswept.binary_search(&seq).is_err() {
                ids.push(id);
            }
            seq = prev;
        }
        for (seq, is_read) in scattered.swept.iter().rev() {
            if *seq <= last && !is_read && ids.len() < most as usize {
                ids.push(self.link(conversation, known, *seq)?.0);
            }
        }
        ids.reverse();
        Ok(ids)
    }
}
