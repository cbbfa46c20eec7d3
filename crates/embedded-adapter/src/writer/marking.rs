//! What a receipt changes.

use chat_ports::{
    Receipt, ReceiptKind, ReceiptSpan,
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

/// The messages that one side has marked past an unmarked one: only what was moved in has such.
pub(super) struct Scattered {
    /// In the tables: every message up to the last of them that is marked, and whether it is.
    pub(super) swept: Vec<(u32, bool)>,
    /// In memory: those that are marked.
    pub(super) unswept: Vec<u32>,
}

impl Scattered {
    fn is_empty(&self) -> bool {
        self.swept.is_empty() && self.unswept.is_empty()
    }

    /// How many of them stand past `seq`.
    fn past(&self, seq: u32) -> u32 {
        let swept =
            self.swept.iter().rev().take_while(|(at, _)| *at > seq).filter(|(_, is_marked)| *is_marked);
        let unswept = self.unswept.iter().rev().take_while(|at| **at > seq);
        u32::try_from(swept.count() + unswept.count()).unwrap_or(u32::MAX)
    }
}

/// What a receipt comes to: what is answered, and the entries for it.
pub(super) struct Marking {
    pub(super) span: ReceiptSpan,
    pub(super) marks: Vec<(Mark, ConversationState)>,
}

impl Writer {
    /// What a receipt changes; no entry if all of it had the mark before. Reading delivers what is not delivered.
    pub(super) fn plan_marking(&mut self, receipt: &Receipt, found: &Found) -> Result<Marking, Fault> {
        let conversation = found.message.conversation();
        let mut marking = Marking {
            span: ReceiptSpan { conversation, sender: found.message.sender, count: 0, messages: Vec::new() },
            marks: Vec::new(),
        };
        if receipt.kind == ReceiptKind::Read {
            let silent = Receipt { kind: ReceiptKind::Delivered, max_ids: 0, ..receipt.clone() };
            self.plan_one(&silent, found, &mut marking)?;
        }
        self.plan_one(receipt, found, &mut marking)?;
        Ok(marking)
    }

    fn plan_one(&mut self, receipt: &Receipt, found: &Found, marking: &mut Marking) -> Result<(), Fault> {
        let (kind, place) = (receipt.kind, found.place);
        let conversation = found.message.conversation();
        let receiver = Who::receives(receipt.receiver, &conversation);
        let mut known = self.ledger.known(&conversation)?;
        let (after, before) = known.state.side(receiver).marked(kind);
        (marking.span.count, marking.span.messages) = (0, Vec::new());
        if place.seq <= after {
            return Ok(());
        }
        let scattered = self.ledger.scattered(&conversation, &mut known, kind, receiver, after)?;
        let past = scattered.past(place.seq);
        let count = place.nth.saturating_sub(before.saturating_sub(past));
        if count == 0 {
            return Ok(());
        }
        let most = count.min(receipt.max_ids);
        marking.span.count = count.into();
        marking.span.messages =
            self.ledger.newest_unmarked(&conversation, &mut known, place.seq, most, &scattered)?;
        let nth = before.saturating_add(count);
        known.state.mark(kind, receiver, place.seq, nth);
        self.ledger.put(conversation, known);
        let mark = Mark { kind, conversation, receiver, after, seq: place.seq, nth, at: receipt.at };
        marking.marks.push((mark, known.state));
        Ok(())
    }
}

impl Ledger {
    /// The ids of the `most` newest messages of the same sender up to `last` that are not marked, oldest first.
    /// There are as many.
    fn newest_unmarked(
        &mut self,
        conversation: &ConversationId,
        known: &mut Known,
        last: u32,
        most: u32,
        scattered: &Scattered,
    ) -> Result<Vec<MessageId>, Fault> {
        let (mut ids, mut seq) = (Vec::new(), last);
        // From its last row on the tables name the unmarked ones: no need to go through those that are marked.
        let named = if scattered.is_empty() { 0 } else { scattered.swept.last().map_or(0, |(seq, _)| *seq) };
        while seq > named && ids.len() < most as usize {
            let (id, prev) = self.link(conversation, known, seq)?;
            if scattered.unswept.binary_search(&seq).is_err() {
                ids.push(id);
            }
            seq = prev;
        }
        for (seq, is_marked) in scattered.swept.iter().rev() {
            if *seq <= last && !is_marked && ids.len() < most as usize {
                ids.push(self.link(conversation, known, *seq)?.0);
            }
        }
        ids.reverse();
        Ok(ids)
    }
}
