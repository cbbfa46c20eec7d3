//! What stands in memory of one conversation.

use std::{collections::VecDeque, sync::Arc};

use chat_ports::model::{ConversationId, Message, MessageId, Timestamp};

use crate::{
    history::Span,
    record::{Mark, Row},
    state::{ConversationState, Place, Who},
    tables::ReadSince,
};

/// A conversation's entries that are not swept yet, and its numbers with them.
///
/// Its rows are the newest ones without a gap. A row that is read has the mark that says so beside it,
/// because the mark came later and rows leave before marks.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pub(super) state: ConversationState,
    rows: VecDeque<(u64, Row)>,
    /// How many of them were read before they were moved in.
    rows_read: usize,
    low: VecDeque<(u64, ReadSince)>,
    high: VecDeque<(u64, ReadSince)>,
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
    /// The readings in memory that may concern the rest.
    pub(crate) marks: Marks,
}

/// Readings of both sides, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) low: Vec<ReadSince>,
    pub(crate) high: Vec<ReadSince>,
}

impl Marks {
    /// Since when a side has read the message at `seq`.
    pub(crate) fn since(&self, reader: Who, seq: u32) -> Option<Timestamp> {
        let marks = match reader {
            Who::Low => &self.low,
            Who::High => &self.high,
        };
        marks.get(marks.partition_point(|mark| mark.seq < seq)).and_then(|mark| mark.at)
    }
}

impl Recent {
    pub(super) const fn new(state: ConversationState) -> Self {
        Self { state, rows: VecDeque::new(), rows_read: 0, low: VecDeque::new(), high: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.low.is_empty() && self.high.is_empty()
    }

    pub(super) fn push_row(&mut self, n: u64, row: Row) {
        self.rows_read += usize::from(row.message.is_read());
        self.rows.push_back((n, row));
    }

    pub(super) fn push_mark(&mut self, n: u64, mark: &Mark) {
        self.marks_mut(mark.reader).push_back((n, ReadSince { seq: mark.seq, at: Some(mark.at) }));
    }

    /// Takes the oldest row out if it is swept.
    pub(super) fn pop_row(&mut self, swept: u64) -> Option<Row> {
        let (_, row) = self.rows.pop_front_if(|(n, _)| *n <= swept)?;
        self.rows_read -= usize::from(row.message.is_read());
        Some(row)
    }

    /// Takes out the marks that are swept; how many.
    pub(super) fn drop_marks(&mut self, swept: u64) -> usize {
        [Who::Low, Who::High]
            .into_iter()
            .map(|who| {
                let marks = self.marks_mut(who);
                let gone = marks.partition_point(|(n, _)| *n <= swept);
                marks.drain(..gone).count()
            })
            .sum()
    }

    pub(super) fn get(&self, seq: u32) -> Option<&Row> {
        let offset = seq.checked_sub(self.floor())?;
        self.rows.get(offset as usize).map(|(_, row)| row)
    }

    pub(super) fn last(&self) -> Option<&Row> {
        self.rows.back().map(|(_, row)| row)
    }

    /// A row as it is now: with the time of its reading.
    pub(super) fn current(&self, row: &Row) -> Arc<Message> {
        if row.message.is_read() {
            return Arc::clone(&row.message);
        }
        let reader = row.sender().other();
        match self.since(reader, row.place.seq) {
            Some(at) => Arc::new(Message {
                delivered_at: Some(at),
                read_at: Some(at),
                ..Message::clone(&row.message)
            }),
            None => Arc::clone(&row.message),
        }
    }

    /// Since when a side has read the message at `seq`, as far as memory knows.
    pub(super) fn since(&self, reader: Who, seq: u32) -> Option<Timestamp> {
        let marks = self.marks(reader);
        marks.get(marks.partition_point(|(_, mark)| mark.seq < seq)).and_then(|(_, mark)| mark.at)
    }

    /// Where memory begins, and the numbers past `seq` of this sender's messages that were moved in read.
    pub(super) fn moved_in_read(&self, sender: Who, seq: u32) -> (u32, Vec<u32>) {
        let is_one = |row: &Row| row.message.is_read() && row.place.seq > seq && row.sender() == sender;
        let rows = if self.rows_read == 0 { 0 } else { self.rows.len() };
        let read = self.rows.iter().take(rows).filter(|(_, row)| is_one(row));
        (self.floor(), read.map(|(_, row)| row.place.seq).collect())
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
        let marks = Marks { low: self.marks_of(Who::Low, span), high: self.marks_of(Who::High, span) };
        View { state: self.state, span, floor, rows, marks }
    }

    /// The marks that may concern messages of this span: to the first that reaches its end.
    fn marks_of(&self, who: Who, span: Span) -> Vec<ReadSince> {
        let marks = self.marks(who);
        let first = marks.partition_point(|(_, mark)| mark.seq < span.first);
        let end = marks.partition_point(|(_, mark)| mark.seq < span.last);
        marks.range(first..marks.len().min(end + 1)).map(|(_, mark)| *mark).collect()
    }

    fn floor(&self) -> u32 {
        self.rows.front().map_or(self.state.last.saturating_add(1), |(_, row)| row.place.seq)
    }

    const fn marks(&self, who: Who) -> &VecDeque<(u64, ReadSince)> {
        match who {
            Who::Low => &self.low,
            Who::High => &self.high,
        }
    }

    const fn marks_mut(&mut self, who: Who) -> &mut VecDeque<(u64, ReadSince)> {
        match who {
            Who::Low => &mut self.low,
            Who::High => &mut self.high,
        }
    }
}

/// Whose conversation is in memory, for the lists.
pub(super) fn owners(conversation: &ConversationId) -> [chat_ports::model::UserId; 2] {
    let (low, high) = conversation.users();
    [low, high]
}
