//! The rows of `reads` that a sweep makes for one conversation.

use chat_ports::model::Timestamp;
use rusqlite::Connection;

use crate::{
    fault::Fault,
    record::Mark,
    schema::UNREAD,
    state::{ConversationState, Place, Who},
    tables::{message_key, read_key, split_key},
};

const INSERT: &str = "INSERT INTO reads (k, at) VALUES (?1, ?2)";
/// What was moved in may have a row there already, which stays as it is.
const INSERT_NEW: &str = "INSERT INTO reads (k, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const READ_UNREAD: &str = "UPDATE reads SET at = ?4 WHERE k > ?1 AND k <= ?2 AND at = ?3";
const LAST: &str = "SELECT max(k) FROM reads WHERE k BETWEEN ?1 AND ?2";
const PREVIOUS: &str = "SELECT prev FROM messages WHERE k = ?1";

/// The rows of `reads` that a sweep makes for one conversation.
pub(super) struct Readings<'a> {
    tables: &'a Connection,
    cid: i64,
    /// What was moved in read at the same time is one row, as one reading would have left it: by side of
    /// the reader, the last `seq` so far, and the time.
    run: [Option<(u32, Timestamp)>; 2],
}

impl<'a> Readings<'a> {
    pub(super) const fn new(tables: &'a Connection, cid: i64) -> Self {
        Self { tables, cid, run: [None; 2] }
    }

    /// Somebody has read everything up to a message; `before` is up to where they had.
    pub(super) fn read(&mut self, before: u32, mark: &Mark) -> Result<(), Fault> {
        self.end_run(mark.reader)?;
        let key = |seq| read_key(self.cid, mark.reader, seq);
        let at = mark.at.millis();
        self.tables.prepare_cached(READ_UNREAD)?.execute((key(before), key(mark.seq), UNREAD, at))?;
        self.tables.prepare_cached(INSERT_NEW)?.execute((key(mark.seq), at))?;
        Ok(())
    }

    /// A message is moved in that this reader had read; `before` is the conversation without it. It is in
    /// the tables.
    pub(super) fn moved_in(
        &mut self,
        before: &ConversationState,
        reader: Who,
        place: Place,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let is_whole = before.is_whole(reader, place);
        let goes_on = is_whole && self.run_of(reader).is_some_and(|(_, since)| since == at);
        if !goes_on {
            self.end_run(reader)?;
        }
        if is_whole {
            *self.run_of(reader) = Some((place.seq, at));
            return Ok(());
        }
        self.name_unread(reader, place.prev)?;
        self.tables.prepare_cached(INSERT)?.execute((read_key(self.cid, reader, place.seq), at.millis()))?;
        Ok(())
    }

    /// Writes what is not written yet.
    pub(super) fn finish(mut self) -> Result<(), Fault> {
        self.end_run(Who::Low)?;
        self.end_run(Who::High)
    }

    /// Gives a row to each unread message from `seq` back to the last one that has a row.
    fn name_unread(&self, reader: Who, mut seq: u32) -> Result<(), Fault> {
        let key = |seq| read_key(self.cid, reader, seq);
        let last: Option<i64> =
            self.tables.prepare_cached(LAST)?.query_row((key(0), key(u32::MAX)), |row| row.get(0))?;
        let named = last.map_or(0, |k| split_key(k).1);
        let mut insert = self.tables.prepare_cached(INSERT)?;
        let mut previous = self.tables.prepare_cached(PREVIOUS)?;
        while seq > named {
            insert.execute((key(seq), UNREAD))?;
            seq = previous.query_row([message_key(self.cid, seq)], |row| row.get(0))?;
        }
        Ok(())
    }

    const fn run_of(&mut self, reader: Who) -> &mut Option<(u32, Timestamp)> {
        let [low, high] = &mut self.run;
        match reader {
            Who::Low => low,
            Who::High => high,
        }
    }

    fn end_run(&mut self, reader: Who) -> Result<(), Fault> {
        if let Some((seq, at)) = self.run_of(reader).take() {
            let key = read_key(self.cid, reader, seq);
            self.tables.prepare_cached(INSERT)?.execute((key, at.millis()))?;
        }
        Ok(())
    }
}
