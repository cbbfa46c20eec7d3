//! What stands in memory of one conversation.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use chat_ports::{
    ReceiptKind,
    model::{ConversationId, Message, MessageId, Timestamp},
};

use crate::{
    history::Span,
    record::{Change, Changed, Mark, Row},
    state::{ConversationState, KINDS, Place, Who, had},
    tables::MarkedSince,
};

type Queue = VecDeque<(u64, MarkedSince)>;

/// A conversation's entries that are not swept yet, and its numbers with them.
///
/// Its rows are the newest ones without a gap. A row that has a mark or was changed has the mark or the change beside
/// it, because that came later and rows leave before those.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pub(super) state: ConversationState,
    rows: VecDeque<(u64, Row)>,
    /// How many of them were delivered, and read, before they were moved in.
    rows_marked: [usize; 2],
    /// By kind, then by side.
    marks: [[Queue; 2]; 2],
    /// By `seq`, then by entry.
    changes: BTreeMap<(u32, u64), Change>,
    /// What concerned messages that stood there already.
    touched: VecDeque<Touched>,
}

/// The messages that an entry concerned: those of one side from `first` to `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) n: u64,
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// Who wrote them.
    pub(crate) sender: Who,
    /// What became of them.
    pub(crate) touch: Touch,
}

/// What became of messages that stood there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    Delivered,
    Read,
    Edited,
    Deleted,
}

impl Touch {
    /// As it stands in `changes.side`, with the side in the lowest bit.
    pub(crate) const fn with_side(self, side: Who) -> i64 {
        let touch = match self {
            Self::Delivered => 1,
            Self::Read => 2,
            Self::Edited => 3,
            Self::Deleted => 4,
        };
        (touch << 1) | side.bit()
    }

    /// Reads it back. `None` where it is not known: rows were written without it once.
    pub(crate) const fn of_side(column: i64) -> Option<Self> {
        match column >> 1 {
            1 => Some(Self::Delivered),
            2 => Some(Self::Read),
            3 => Some(Self::Edited),
            4 => Some(Self::Deleted),
            _ => None,
        }
    }
}

impl Touched {
    /// What a mark concerns.
    pub(crate) const fn by_mark(n: u64, mark: &Mark) -> Self {
        let touch = match mark.kind {
            ReceiptKind::Delivered => Touch::Delivered,
            ReceiptKind::Read => Touch::Read,
        };
        Self { n, first: mark.after.saturating_add(1), last: mark.seq, sender: mark.receiver.other(), touch }
    }

    /// What a change concerns.
    pub(crate) const fn by_change(n: u64, changed: &Changed) -> Self {
        let touch = match changed.change {
            Change::Edited { .. } => Touch::Edited,
            Change::Deleted { .. } => Touch::Deleted,
        };
        Self { n, first: changed.seq, last: changed.seq, sender: changed.sender, touch }
    }
}

/// A message in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) message: Arc<Message>,
    pub(crate) place: Place,
}

/// What memory has of a page, and what it knows about the rest of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) state: ConversationState,
    /// The page by the numbers as of now.
    pub(crate) span: Span,
    /// Where memory begins: everything from this `seq` on is in `rows`, as far as it is in the span.
    pub(crate) floor: u32,
    /// The messages in memory, oldest first.
    pub(crate) rows: Vec<Arc<Message>>,
    /// What memory knows of the rest.
    pub(crate) laid: Laid,
}

/// What memory knows of messages that are in the tables: marks and changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Laid {
    /// By kind.
    marks: [Marks; 2],
    /// By `seq`: what it became last.
    changes: Vec<(u32, Change)>,
}

/// Marks of both sides, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) low: Vec<MarkedSince>,
    pub(crate) high: Vec<MarkedSince>,
}

impl Marks {
    /// Since when a side has marked the message at `seq`.
    pub(crate) fn since(&self, receiver: Who, seq: u32) -> Option<Timestamp> {
        let marks = match receiver {
            Who::Low => &self.low,
            Who::High => &self.high,
        };
        marks.get(marks.partition_point(|mark| mark.seq < seq)).and_then(|mark| mark.at)
    }
}

impl Laid {
    /// Gives a message that is in the tables the text that it has by now.
    pub(crate) fn revise(&self, message: &mut Message, seq: u32) {
        if let Ok(place) = self.changes.binary_search_by_key(&seq, |(seq, _)| *seq)
            && let Some((_, change)) = self.changes.get(place)
        {
            change.apply(message);
        }
    }

    /// Lays all of it over a message that has what the tables know of it.
    pub(crate) fn over(&self, message: &mut Message, receiver: Who, seq: u32) {
        self.revise(message, seq);
        let [delivered, read] = &self.marks;
        message.read_at = message.read_at.or_else(|| read.since(receiver, seq));
        message.delivered_at = message.delivered_at.or_else(|| delivered.since(receiver, seq));
    }
}

const fn index(kind: ReceiptKind) -> usize {
    match kind {
        ReceiptKind::Delivered => 0,
        ReceiptKind::Read => 1,
    }
}

impl Recent {
    pub(super) fn new(state: ConversationState) -> Self {
        Self { state, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.touched.is_empty()
    }

    pub(super) fn push_row(&mut self, n: u64, row: Row) {
        self.count_marked(&row, |count| count + 1);
        self.rows.push_back((n, row));
    }

    pub(super) fn push_mark(&mut self, n: u64, mark: &Mark) {
        let since = MarkedSince { seq: mark.seq, at: Some(mark.at) };
        self.queue_mut(mark.kind, mark.receiver).push_back((n, since));
        self.touched.push_back(Touched::by_mark(n, mark));
    }

    pub(super) fn push_change(&mut self, n: u64, changed: &Changed) {
        self.changes.insert((changed.seq, n), changed.change.clone());
        self.touched.push_back(Touched::by_change(n, changed));
    }

    /// Takes the oldest row out if it is swept.
    pub(super) fn pop_row(&mut self, swept: u64) -> Option<Row> {
        let (_, row) = self.rows.pop_front_if(|(n, _)| *n <= swept)?;
        self.count_marked(&row, |count| count - 1);
        Some(row)
    }

    /// Takes out the marks and changes that are swept: how many, and the bytes of their texts.
    pub(super) fn drop_swept(&mut self, swept: u64) -> (usize, usize) {
        for queue in self.marks.iter_mut().flatten() {
            let gone = queue.partition_point(|(n, _)| *n <= swept);
            queue.drain(..gone);
        }
        let mut bytes = 0;
        self.changes.retain(|(_, n), change| {
            if *n <= swept {
                bytes += text_bytes(change);
            }
            *n > swept
        });
        let gone = self.touched.partition_point(|touched| touched.n <= swept);
        (self.touched.drain(..gone).count(), bytes)
    }

    pub(super) fn get(&self, seq: u32) -> Option<&Row> {
        let offset = seq.checked_sub(self.floor())?;
        self.rows.get(offset as usize).map(|(_, row)| row)
    }

    pub(super) fn last(&self) -> Option<&Row> {
        self.rows.back().map(|(_, row)| row)
    }

    /// A row as it is now: with its marks and its last change.
    pub(super) fn current(&self, row: &Row) -> Arc<Message> {
        let (receiver, seq) = (row.sender().other(), row.place.seq);
        let change = self.change(seq);
        let [delivered, read] = KINDS
            .map(|kind| had(&row.message, kind).is_none().then(|| self.since(kind, receiver, seq)).flatten());
        if change.is_none() && delivered.is_none() && read.is_none() {
            return Arc::clone(&row.message);
        }
        let mut message = Message::clone(&row.message);
        if let Some(change) = change {
            change.apply(&mut message);
        }
        message.delivered_at = message.delivered_at.or(delivered);
        message.read_at = message.read_at.or(read);
        Arc::new(message)
    }

    fn change(&self, seq: u32) -> Option<&Change> {
        if self.changes.is_empty() {
            return None;
        }
        self.changes.range((seq, 0)..=(seq, u64::MAX)).next_back().map(|(_, change)| change)
    }

    /// Since when a side has marked the message at `seq`, as far as memory knows.
    fn since(&self, kind: ReceiptKind, receiver: Who, seq: u32) -> Option<Timestamp> {
        let queue = self.queue(kind, receiver);
        queue.get(queue.partition_point(|(_, mark)| mark.seq < seq)).and_then(|(_, mark)| mark.at)
    }

    /// Where memory begins, and the numbers past `seq` of this sender's messages that had the mark when they were moved in.
    pub(super) fn moved_in(&self, kind: ReceiptKind, sender: Who, seq: u32) -> (u32, Vec<u32>) {
        let is_one =
            |row: &Row| had(&row.message, kind).is_some() && row.place.seq > seq && row.sender() == sender;
        let any = self.rows_marked.get(index(kind)).is_some_and(|count| *count > 0);
        let rows = if any { self.rows.len() } else { 0 };
        let marked = self.rows.iter().take(rows).filter(|(_, row)| is_one(row));
        (self.floor(), marked.map(|(_, row)| row.place.seq).collect())
    }

    pub(super) fn link(&self, seq: u32) -> Option<(MessageId, u32)> {
        self.get(seq).map(|row| (row.message.id, row.place.prev))
    }

    pub(super) fn found(&self, seq: u32) -> Option<Found> {
        self.get(seq).map(|row| Found { message: self.current(row), place: row.place })
    }

    pub(super) fn view(&self, span: Span) -> View {
        let floor = self.floor();
        let rows =
            span.from(floor).iter().filter_map(|seq| self.get(seq)).map(|row| self.current(row)).collect();
        View { state: self.state, span, floor, rows, laid: self.laid(span) }
    }

    /// What memory knows of the messages of a span.
    pub(super) fn laid(&self, span: Span) -> Laid {
        let marks = KINDS.map(|kind| Marks {
            low: self.marks_of(kind, Who::Low, span),
            high: self.marks_of(kind, Who::High, span),
        });
        let mut changes: Vec<(u32, Change)> = Vec::new();
        if !self.changes.is_empty() && !span.is_empty() {
            for ((seq, _), change) in self.changes.range((span.first, 0)..=(span.last, u64::MAX)) {
                match changes.last_mut() {
                    Some((last, latest)) if last == seq => *latest = change.clone(),
                    Some(_) | None => changes.push((*seq, change.clone())),
                }
            }
        }
        Laid { marks, changes }
    }

    /// What entries in a range of numbers concerned: new messages as a span, and the rest.
    pub(super) fn touched(&self, after: u64, end: u64) -> (Option<Span>, Vec<Touched>) {
        let first = self.rows.partition_point(|(n, _)| *n <= after);
        let past = self.rows.partition_point(|(n, _)| *n <= end);
        let seq = |place: usize| self.rows.get(place).map(|(_, row)| row.place.seq);
        let span = (first < past)
            .then(|| Some(Span { first: seq(first)?, last: seq(past.checked_sub(1)?)? }))
            .flatten();
        let touched = self.touched.iter().filter(|touched| touched.n > after && touched.n <= end);
        (span, touched.copied().collect())
    }

    /// The entries in a range of numbers: of new messages the number and the `seq`, and the rest.
    pub(super) fn entries(&self, after: u64, end: u64) -> (Vec<(u64, u32)>, Vec<Touched>) {
        let first = self.rows.partition_point(|(n, _)| *n <= after);
        let sent = self.rows.iter().skip(first).take_while(|(n, _)| *n <= end);
        let touched = self.touched.iter().filter(|touched| touched.n > after && touched.n <= end);
        (sent.map(|(n, row)| (*n, row.place.seq)).collect(), touched.copied().collect())
    }

    /// The marks that may concern messages of this span: to the first that reaches its end.
    fn marks_of(&self, kind: ReceiptKind, who: Who, span: Span) -> Vec<MarkedSince> {
        let queue = self.queue(kind, who);
        let first = queue.partition_point(|(_, mark)| mark.seq < span.first);
        let end = queue.partition_point(|(_, mark)| mark.seq < span.last);
        let end = queue.len().min(end + 1);
        queue.range(first.min(end)..end).map(|(_, mark)| *mark).collect()
    }

    fn floor(&self) -> u32 {
        self.rows.front().map_or(self.state.last.saturating_add(1), |(_, row)| row.place.seq)
    }

    fn count_marked(&mut self, row: &Row, change: impl Fn(usize) -> usize) {
        for (count, kind) in self.rows_marked.iter_mut().zip(KINDS) {
            if had(&row.message, kind).is_some() {
                *count = change(*count);
            }
        }
    }

    const fn queue(&self, kind: ReceiptKind, who: Who) -> &Queue {
        let [[delivered_low, delivered_high], [read_low, read_high]] = &self.marks;
        match (kind, who) {
            (ReceiptKind::Delivered, Who::Low) => delivered_low,
            (ReceiptKind::Delivered, Who::High) => delivered_high,
            (ReceiptKind::Read, Who::Low) => read_low,
            (ReceiptKind::Read, Who::High) => read_high,
        }
    }

    const fn queue_mut(&mut self, kind: ReceiptKind, who: Who) -> &mut Queue {
        let [[delivered_low, delivered_high], [read_low, read_high]] = &mut self.marks;
        match (kind, who) {
            (ReceiptKind::Delivered, Who::Low) => delivered_low,
            (ReceiptKind::Delivered, Who::High) => delivered_high,
            (ReceiptKind::Read, Who::Low) => read_low,
            (ReceiptKind::Read, Who::High) => read_high,
        }
    }
}

/// Bytes of a change's text.
pub(super) fn text_bytes(change: &Change) -> usize {
    match change {
        Change::Edited { text, .. } => text.len(),
        Change::Deleted { .. } => 0,
    }
}

/// Whose conversation is in memory, for the lists.
pub(super) fn owners(conversation: &ConversationId) -> [chat_ports::model::UserId; 2] {
    let (low, high) = conversation.users();
    [low, high]
}
