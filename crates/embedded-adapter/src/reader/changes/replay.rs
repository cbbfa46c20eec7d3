//! Commits told again: the entries of a range that concern a user, each as the listener was told of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use chat_ports::{
    Commit, CommitNumber, Committed, HistoryAnchor, HistoryQuery, ReceiptKind, ReceiptSpan, ReplayQuery,
    model::{ConversationId, Message},
};

use super::{Place, TOUCHED, first_past, side_of};
use crate::{
    fault::Fault,
    files,
    history::Span,
    overlay::{Touch, Touched},
    reader::{Desk, messages::seq_of},
    state::Who,
    tables::{self, message_key, split_key},
};

const SENT: &str = "SELECT n, k FROM messages WHERE k BETWEEN ?1 AND ?2";
const TOUCHED_PAST: &str = "SELECT side FROM changes WHERE cid = ?1 AND n > ?2 AND first = ?3";

/// What an entry said.
#[derive(Debug, Clone, Copy)]
enum Said {
    Sent(u32),
    Touched(Touched),
}

/// A conversation's entries of the range, by number.
type Entries = BTreeMap<u64, Said>;

impl Desk {
    /// The commits of a range that concern a user.
    pub(crate) fn replay(&mut self, query: &ReplayQuery) -> Result<Option<Vec<Committed>>, Fault> {
        let (after, end) = (query.after.0, query.upto.0);
        let life = files::life(self.log()?)?;
        if end > self.shared.overlay.last_entry() || life != self.shared.life.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let walk = Place { life, start: 0, after: after.saturating_sub(1), end, at: None };
        let (mut told, mut room) = (Vec::new(), query.most as usize);
        for conversation in self.concerned(query.user, &walk)? {
            let Some(mut entries) = self.entries(&conversation, &walk)? else { return Ok(None) };
            entries.retain(|n, said| *n > after || said.is_receipt());
            let size: usize = entries.values().map(Said::messages).sum();
            let Some(left) = room.checked_sub(size) else { return Ok(None) };
            room = left;
            self.tell_again(query, &conversation, &entries, &mut told)?;
        }
        told.sort_unstable_by_key(|committed| committed.number);
        Ok(Some(told))
    }

    /// The entries of the range that concern a conversation; `None` where it is not known what one of them said. Memory first:
    /// what leaves it meanwhile is in the tables by then.
    fn entries(&mut self, conversation: &ConversationId, walk: &Place) -> Result<Option<Entries>, Fault> {
        let (sent, touched) = self.shared.overlay.entries(conversation, walk.after, walk.end);
        let mut entries: Entries = sent.into_iter().map(|(n, seq)| (n, Said::Sent(seq))).collect();
        entries.extend(touched.into_iter().map(|touched| (touched.n, Said::Touched(touched))));
        let tables = self.tables()?;
        let Some(known) = tables::conversation(tables, conversation)? else { return Ok(Some(entries)) };
        let (first, past) = (first_past(tables, known, walk.after)?, first_past(tables, known, walk.end)?);
        let mut find = tables.prepare_cached(SENT)?;
        let last = past.saturating_sub(1);
        let mut rows = find.query((message_key(known.cid, first), message_key(known.cid, last)))?;
        while let Some(row) = rows.next()? {
            let n = row.get::<_, i64>(0)?.cast_unsigned();
            entries.insert(n, Said::Sent(split_key(row.get(1)?).1));
        }
        let mut find = tables.prepare_cached(TOUCHED)?;
        let mut rows = find.query((known.cid, walk.after.cast_signed(), walk.end.cast_signed()))?;
        while let Some(row) = rows.next()? {
            let (n, side) = (row.get::<_, i64>(0)?.cast_unsigned(), row.get(3)?);
            let Some(touch) = Touch::of_side(side) else { return Ok(None) };
            let (first, last, sender) = (row.get(1)?, row.get(2)?, side_of(side));
            entries.insert(n, Said::Touched(Touched { n, first, last, sender, touch }));
        }
        Ok(Some(entries))
    }

    fn tell_again(
        &mut self,
        query: &ReplayQuery,
        conversation: &ConversationId,
        entries: &Entries,
        told: &mut Vec<Committed>,
    ) -> Result<(), Fault> {
        for (n, said) in entries {
            let commit = match said {
                Said::Sent(seq) => {
                    let message = self.message_at(conversation, *seq)?;
                    message.map(|message| Commit::Sent { message, except: None })
                }
                Said::Touched(touched) => match touched.touch {
                    Touch::Delivered if is_silent(entries, touched) => None,
                    Touch::Delivered if touched.sender.user(conversation) != query.user => None,
                    Touch::Delivered => {
                        Some(self.marked(query, conversation, ReceiptKind::Delivered, touched)?)
                    }
                    Touch::Read => Some(self.marked(query, conversation, ReceiptKind::Read, touched)?),
                    Touch::Edited if is_overtaken(entries, touched) => None,
                    Touch::Edited => {
                        let message = self.message_at(conversation, touched.first)?;
                        let message = message.filter(|message| !message.is_deleted());
                        let is_old = self.is_edited_past(conversation, query.upto.0, touched.first)?;
                        message.filter(|_| !is_old).map(|message| Commit::Edited { message })
                    }
                    Touch::Deleted => {
                        let message = self.message_at(conversation, touched.first)?;
                        message.map(|message| Commit::Deleted { message })
                    }
                },
            };
            let number = Some(CommitNumber(*n));
            told.extend(commit.map(|commit| Committed { commit, number }));
        }
        Ok(())
    }

    /// Whether a message was edited past an entry: then what it is now is told there. Asked after the message is read, so that its text
    /// is of no edit that is missed here; memory first, as for the entries.
    fn is_edited_past(&mut self, conversation: &ConversationId, n: u64, seq: u32) -> Result<bool, Fault> {
        let (_, touched) = self.shared.overlay.touched(conversation, n, u64::MAX);
        if touched.iter().any(|touched| touched.first == seq && touched.touch == Touch::Edited) {
            return Ok(true);
        }
        let tables = self.tables()?;
        let Some(known) = tables::conversation(tables, conversation)? else { return Ok(false) };
        let mut find = tables.prepare_cached(TOUCHED_PAST)?;
        let mut rows = find.query((known.cid, n.cast_signed(), seq))?;
        while let Some(row) = rows.next()? {
            if Touch::of_side(row.get(0)?) == Some(Touch::Edited) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn marked(
        &mut self,
        query: &ReplayQuery,
        conversation: &ConversationId,
        kind: ReceiptKind,
        touched: &Touched,
    ) -> Result<Commit, Fault> {
        let sender = touched.sender.user(conversation);
        let span = Span { first: touched.first, last: touched.last };
        let mut messages: Vec<_> = self
            .messages_of(conversation, span)?
            .into_iter()
            .filter(|message| Who::is(message.sender, conversation) == touched.sender)
            .map(|message| message.id)
            .collect();
        let count = messages.len() as u64;
        messages.drain(..messages.len().saturating_sub(query.max_ids as usize));
        let span = ReceiptSpan { conversation: *conversation, sender, count, messages };
        let receiver = touched.sender.other().user(conversation);
        Ok(Commit::Receipt { kind, receiver, span, except: None })
    }

    fn message_at(&mut self, conversation: &ConversationId, seq: u32) -> Result<Option<Arc<Message>>, Fault> {
        let found = self.messages_of(conversation, Span { first: seq, last: seq })?;
        Ok(found.into_iter().find(|message| seq_of(message) == seq))
    }

    fn messages_of(&mut self, conversation: &ConversationId, span: Span) -> Result<Vec<Arc<Message>>, Fault> {
        let anchor = HistoryAnchor::After(u64::from(span.first).saturating_sub(1));
        let limit = span.last.saturating_sub(span.first).saturating_add(1);
        let query = HistoryQuery { conversation: *conversation, anchor, limit, max_bytes: usize::MAX };
        Ok(self.history(&query)?.items)
    }
}

impl Said {
    /// Whether several are told of it, one after the other.
    const fn is_receipt(&self) -> bool {
        matches!(self, Self::Touched(Touched { touch: Touch::Delivered | Touch::Read, .. }))
    }

    /// How many messages are looked at for it, at most.
    const fn messages(&self) -> usize {
        match self {
            Self::Sent(_) => 1,
            Self::Touched(touched) => (touched.last - touched.first + 1) as usize,
        }
    }
}

/// Whether a delivery came with the reading that follows: then the listener was told of the reading alone.
fn is_silent(entries: &Entries, delivered: &Touched) -> bool {
    matches!(
        entries.get(&(delivered.n + 1)),
        Some(Said::Touched(Touched { touch: Touch::Read, last, sender, .. }))
            if *last == delivered.last && *sender == delivered.sender
    )
}

/// Whether an edit was followed by another one in this range, or the message is new in this range: what it is now is told there.
fn is_overtaken(entries: &Entries, edited: &Touched) -> bool {
    entries.iter().any(|(n, said)| match said {
        Said::Sent(seq) => *seq == edited.first,
        Said::Touched(Touched { touch: Touch::Edited, first, .. }) => *n > edited.n && *first == edited.first,
        Said::Touched(_) => false,
    })
}
