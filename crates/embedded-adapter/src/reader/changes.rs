//! What a user missed: a walk through the conversations that entries past a position concerned, by their keys, and in
//! each through the messages concerned, by `seq`.

mod replay;

use chat_ports::{
    ChangesError, ChangesPage, ChangesQuery, HistoryAnchor, HistoryQuery, SyncPosition,
    model::{ConversationId, UserId},
};
use rusqlite::{Connection, OptionalExtension};

use super::{Desk, messages::seq_of};
use crate::{
    fault::Fault,
    files::{self, Starts},
    history::Span,
    overlay::Touched,
    state::Who,
    tables::{self, KnownConversation, message_key},
};

const CONCERNED: &str = "SELECT c.pair FROM inbox i JOIN conversations c ON c.cid = i.cid
    WHERE i.user = ?1 AND c.n > ?2";
const TOUCHED: &str = "SELECT n, first, last, side FROM changes WHERE cid = ?1 AND n > ?2 AND n <= ?3";
const ENTRY: &str = "SELECT n FROM messages WHERE k = ?1";

/// A position, as clients carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    life: i64,
    /// Under which start of the store it was given out; 0 where that is not known.
    start: i64,
    /// What came by this entry, or before it, is known.
    after: u64,
    /// With which entry the walk ends; 0 where none is under way.
    end: u64,
    /// Up to where the walk has come.
    at: Option<(ConversationId, u32)>,
}

impl Place {
    fn write(&self) -> SyncPosition {
        let mut bytes = Vec::with_capacity(60);
        bytes.extend_from_slice(&self.life.to_be_bytes());
        bytes.extend_from_slice(&self.start.to_be_bytes());
        bytes.extend_from_slice(&self.after.to_be_bytes());
        bytes.extend_from_slice(&self.end.to_be_bytes());
        if let Some((conversation, seq)) = self.at {
            bytes.extend_from_slice(&conversation.key());
            bytes.extend_from_slice(&seq.to_be_bytes());
        }
        SyncPosition::new(bytes)
    }

    fn read(position: &SyncPosition) -> Option<Self> {
        let (life, rest) = position.bytes().split_first_chunk()?;
        // Earlier builds wrote no start.
        let (start, rest) = match rest.len() {
            16 | 44 => (&[0; 8], rest),
            _ => rest.split_first_chunk()?,
        };
        let (after, rest) = rest.split_first_chunk()?;
        let (end, rest) = rest.split_first_chunk()?;
        let at = match rest.split_first_chunk::<24>() {
            Some((key, seq)) => {
                Some((ConversationId::from_key(*key), u32::from_be_bytes(seq.try_into().ok()?)))
            }
            None if rest.is_empty() => None,
            None => return None,
        };
        let place = Self {
            life: i64::from_be_bytes(*life),
            start: i64::from_be_bytes(*start),
            after: u64::from_be_bytes(*after),
            end: u64::from_be_bytes(*end),
            at,
        };
        (place.end > 0 || place.at.is_none()).then_some(place)
    }
}

impl Desk {
    /// The position of now.
    pub(crate) fn position(&mut self) -> Result<SyncPosition, Fault> {
        let (life, start) = (files::life(self.log()?)?, self.start());
        Ok(Place { life, start, after: self.shared.overlay.last_entry(), end: 0, at: None }.write())
    }

    /// This start of the store.
    fn start(&self) -> i64 {
        self.shared.starts.get().map_or(0, Starts::current)
    }

    /// Whether an entry that was the last one under a start is one of this store.
    fn knows(&self, start: i64, last: u64) -> bool {
        self.shared.starts.get().is_none_or(|starts| starts.knows(start, last))
    }

    /// A page of a walk.
    pub(crate) fn changes(
        &mut self,
        query: &ChangesQuery,
    ) -> Result<Result<ChangesPage, ChangesError>, Fault> {
        let now = self.shared.overlay.last_entry();
        let life = files::life(self.log()?)?;
        let place = Place::read(&query.since).filter(|place| {
            let last = place.after.max(place.end);
            place.life == life && last <= now && self.knows(place.start, last)
        });
        let Some(place) = place else { return Ok(Err(ChangesError::Foreign)) };
        let place = Place { start: self.start(), ..place };
        let walk = if place.end == 0 { Place { end: now, ..place } } else { place };
        let mut page = ChangesPage {
            messages: Vec::new(),
            position: Place { after: walk.end, end: 0, at: None, ..walk }.write(),
            complete: true,
        };
        let mut bytes = query.max_bytes;
        for conversation in self.concerned(query.user, &walk)? {
            let known = walk.at.filter(|(at, _)| *at == conversation).map_or(0, |(_, seq)| seq);
            if let Some(seq) = self.fill(query, &walk, conversation, known, &mut page, &mut bytes)? {
                page.position = Place { at: Some((conversation, seq)), ..walk }.write();
                page.complete = false;
                break;
            }
        }
        Ok(Ok(page))
    }

    /// The user's conversations from the walk's place on that something past its beginning concerned, by key. Costs
    /// a look at each of the user's conversations, not at their messages.
    fn concerned(&mut self, user: UserId, walk: &Place) -> Result<Vec<ConversationId>, Fault> {
        let mut found = self.shared.overlay.conversations_of(user);
        let mut find = self.tables()?.prepare_cached(CONCERNED)?;
        let mut rows = find.query((user.bytes(), walk.after.cast_signed()))?;
        while let Some(row) = rows.next()? {
            found.push(ConversationId::from_key(row.get(0)?));
        }
        found.retain(|conversation| walk.at.is_none_or(|(at, _)| *conversation >= at));
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Adds what the walk meets in a conversation past `known`. The last `seq` that is dealt with, where the page is full
    /// before the conversation is at its end.
    fn fill(
        &mut self,
        query: &ChangesQuery,
        walk: &Place,
        conversation: ConversationId,
        mut known: u32,
        page: &mut ChangesPage,
        bytes: &mut usize,
    ) -> Result<Option<u32>, Fault> {
        let concern = self.concern(&conversation, walk)?;
        while let Some(span) = concern.next(known) {
            let room = query.limit.saturating_sub(u32::try_from(page.messages.len()).unwrap_or(u32::MAX));
            if room == 0 {
                return Ok(Some(known));
            }
            let limit = room.min(span.last - span.first + 1);
            let anchor = HistoryAnchor::After(u64::from(span.first) - 1);
            let found = self.history(&HistoryQuery { conversation, anchor, limit, max_bytes: *bytes })?;
            if found.items.is_empty() {
                known = span.last;
                continue;
            }
            for message in found.items {
                let seq = seq_of(&message);
                let sender = Who::is(message.sender, &conversation);
                if concern.meets(seq, sender) {
                    if message.text.len() > *bytes && !page.messages.is_empty() {
                        return Ok(Some(known));
                    }
                    *bytes = bytes.saturating_sub(message.text.len());
                    page.messages.push(message);
                }
                known = seq;
            }
        }
        Ok(None)
    }

    /// Which messages of a conversation entries of the walk concerned. Memory first: what leaves it meanwhile is in the
    /// tables by then.
    fn concern(&mut self, conversation: &ConversationId, walk: &Place) -> Result<Concern, Fault> {
        let (sent, touched) = self.shared.overlay.touched(conversation, walk.after, walk.end);
        let mut concern = Concern::default();
        let tables = self.tables()?;
        if let Some(known) = tables::conversation(tables, conversation)? {
            let mut find = tables.prepare_cached(TOUCHED)?;
            let mut rows = find.query((known.cid, walk.after.cast_signed(), walk.end.cast_signed()))?;
            while let Some(row) = rows.next()? {
                let sender = side_of(row.get(3)?);
                concern.add(Some(sender), Span { first: row.get(1)?, last: row.get(2)? });
            }
            let first = first_past(tables, known, walk.after)?;
            let past = first_past(tables, known, walk.end)?;
            concern.add(None, Span { first, last: past.saturating_sub(1) });
        }
        concern.add(None, sent.unwrap_or(Span { first: 1, last: 0 }));
        for Touched { first, last, sender, .. } in touched {
            concern.add(Some(sender), Span { first, last });
        }
        concern.settle();
        Ok(concern)
    }
}

/// Who wrote the messages of a row of `changes`.
const fn side_of(column: i64) -> Who {
    if column & 1 == 0 { Who::Low } else { Who::High }
}

/// The `seq` of the first message in the tables that came by an entry past `n`; one more than the last where none did. Entries rise
/// with the numbers, so it is found by halving.
fn first_past(tables: &Connection, known: KnownConversation, n: u64) -> Result<u32, Fault> {
    let mut entry = tables.prepare_cached(ENTRY)?;
    let (mut low, mut high) = (1, known.state.last.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<i64> =
            entry.query_row([message_key(known.cid, middle)], |row| row.get(0)).optional()?;
        let found = found.ok_or_else(|| Fault::corrupt("messages", message_key(known.cid, middle), "k"))?;
        if found.cast_unsigned() > n { high = middle } else { low = middle + 1 }
    }
    Ok(low)
}

/// Which messages of a conversation are met: by number, of everybody or of one side.
#[derive(Debug, Default)]
struct Concern {
    /// Everybody's, then those of the smaller and of the larger id's user.
    spans: [Vec<Span>; 3],
}

impl Concern {
    fn add(&mut self, sender: Option<Who>, span: Span) {
        let [all, low, high] = &mut self.spans;
        if !span.is_empty() {
            match sender {
                None => all.push(span),
                Some(Who::Low) => low.push(span),
                Some(Who::High) => high.push(span),
            }
        }
    }

    /// Sorts the spans, and joins those that overlap.
    fn settle(&mut self) {
        for spans in &mut self.spans {
            spans.sort_unstable_by_key(|span| span.first);
            let mut joined: Vec<Span> = Vec::new();
            for span in spans.drain(..) {
                match joined.last_mut() {
                    Some(last) if span.first <= last.last.saturating_add(1) => {
                        last.last = last.last.max(span.last);
                    }
                    Some(_) | None => joined.push(span),
                }
            }
            *spans = joined;
        }
    }

    /// The next numbers past one, of which some are met.
    fn next(&self, known: u32) -> Option<Span> {
        let first = known.checked_add(1)?;
        let next = |spans: &Vec<Span>| {
            let span = spans.get(spans.partition_point(|span| span.last < first))?;
            Some(Span { first: span.first.max(first), last: span.last })
        };
        self.spans.iter().filter_map(next).min_by_key(|span| span.first)
    }

    /// Whether a message is met.
    fn meets(&self, seq: u32, sender: Who) -> bool {
        let [all, low, high] = &self.spans;
        let has = |spans: &Vec<Span>| {
            let span = spans.get(spans.partition_point(|span| span.last < seq));
            span.is_some_and(|span| span.first <= seq)
        };
        has(all)
            || match sender {
                Who::Low => has(low),
                Who::High => has(high),
            }
    }
}
