//! The rows of `deliveries` and `reads` that a sweep makes for one conversation.

use chat_ports::{ReceiptKind, model::Timestamp};
use rusqlite::Connection;

use crate::{
    fault::Fault,
    record::Mark,
    schema::UNMARKED,
    state::{ConversationState, Place, Who},
    tables::{mark_key, message_key, split_key},
};

/// The statements on the table of a kind.
struct Sql {
    insert: &'static str,
    /// What was moved in may have a row there already, which stays as it is.
    insert_new: &'static str,
    mark_unmarked: &'static str,
    last: &'static str,
}

const fn sql(kind: ReceiptKind) -> Sql {
    match kind {
        ReceiptKind::Delivered => Sql {
            insert: "INSERT INTO deliveries (k, at) VALUES (?1, ?2)",
            insert_new: "INSERT INTO deliveries (k, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            mark_unmarked: "UPDATE deliveries SET at = ?4 WHERE k > ?1 AND k <= ?2 AND at = ?3",
            last: "SELECT max(k) FROM deliveries WHERE k BETWEEN ?1 AND ?2",
        },
        ReceiptKind::Read => Sql {
            insert: "INSERT INTO reads (k, at) VALUES (?1, ?2)",
            insert_new: "INSERT INTO reads (k, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            mark_unmarked: "UPDATE reads SET at = ?4 WHERE k > ?1 AND k <= ?2 AND at = ?3",
            last: "SELECT max(k) FROM reads WHERE k BETWEEN ?1 AND ?2",
        },
    }
}

const PREVIOUS: &str = "SELECT prev FROM messages WHERE k = ?1";

/// The rows of one kind of marks that a sweep makes for one conversation.
pub(super) struct Marks<'a> {
    tables: &'a Connection,
    cid: i64,
    kind: ReceiptKind,
    sql: Sql,
    /// What was moved in with the mark of the same time is one row, as one receipt would have left it: by side of
    /// the receiver, the last `seq` so far, and the time.
    run: [Option<(u32, Timestamp)>; 2],
}

impl<'a> Marks<'a> {
    pub(super) const fn new(tables: &'a Connection, cid: i64, kind: ReceiptKind) -> Self {
        Self { tables, cid, kind, sql: sql(kind), run: [None; 2] }
    }

    /// Somebody has marked everything up to a message; `before` is up to where they had.
    pub(super) fn mark(&mut self, before: u32, mark: &Mark) -> Result<(), Fault> {
        self.end_run(mark.receiver)?;
        let key = |seq| mark_key(self.cid, mark.receiver, seq);
        let at = mark.at.millis();
        self.tables.prepare_cached(self.sql.mark_unmarked)?.execute((
            key(before),
            key(mark.seq),
            UNMARKED,
            at,
        ))?;
        self.tables.prepare_cached(self.sql.insert_new)?.execute((key(mark.seq), at))?;
        Ok(())
    }

    /// A message is moved in that had this receiver's mark; `before` is the conversation without it. It is in
    /// the tables.
    pub(super) fn moved_in(
        &mut self,
        before: &ConversationState,
        receiver: Who,
        place: Place,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let is_whole = before.is_whole(self.kind, receiver, place);
        let goes_on = is_whole && self.run_of(receiver).is_some_and(|(_, since)| since == at);
        if !goes_on {
            self.end_run(receiver)?;
        }
        if is_whole {
            *self.run_of(receiver) = Some((place.seq, at));
            return Ok(());
        }
        self.name_unmarked(receiver, place.prev)?;
        self.tables
            .prepare_cached(self.sql.insert)?
            .execute((mark_key(self.cid, receiver, place.seq), at.millis()))?;
        Ok(())
    }

    /// Writes what is not written yet.
    pub(super) fn finish(mut self) -> Result<(), Fault> {
        self.end_run(Who::Low)?;
        self.end_run(Who::High)
    }

    /// Gives a row to each unmarked message from `seq` back to the last one that has a row.
    fn name_unmarked(&self, receiver: Who, mut seq: u32) -> Result<(), Fault> {
        let key = |seq| mark_key(self.cid, receiver, seq);
        let last: Option<i64> = self
            .tables
            .prepare_cached(self.sql.last)?
            .query_row((key(0), key(u32::MAX)), |row| row.get(0))?;
        let named = last.map_or(0, |k| split_key(k).1);
        let mut insert = self.tables.prepare_cached(self.sql.insert)?;
        let mut previous = self.tables.prepare_cached(PREVIOUS)?;
        while seq > named {
            insert.execute((key(seq), UNMARKED))?;
            seq = previous.query_row([message_key(self.cid, seq)], |row| row.get(0))?;
        }
        Ok(())
    }

    const fn run_of(&mut self, receiver: Who) -> &mut Option<(u32, Timestamp)> {
        let [low, high] = &mut self.run;
        match receiver {
            Who::Low => low,
            Who::High => high,
        }
    }

    fn end_run(&mut self, receiver: Who) -> Result<(), Fault> {
        if let Some((seq, at)) = self.run_of(receiver).take() {
            let key = mark_key(self.cid, receiver, seq);
            self.tables.prepare_cached(self.sql.insert)?.execute((key, at.millis()))?;
        }
        Ok(())
    }
}
