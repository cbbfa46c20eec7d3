//! What is read from `tables.db`, by the writer and by the readers.

use chat_ports::{
    ReceiptKind,
    model::{ConversationId, Message, MessageId, TextDigest, Timestamp},
};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row as SqlRow};

use crate::{
    fault::Fault,
    schema::UNMARKED,
    state::{ConversationState, Place, Side, Who},
};

/// A conversation as the tables know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownConversation {
    pub(crate) cid: i64,
    pub(crate) state: ConversationState,
}

/// A message as the tables know it; when it was delivered and read is not set yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Swept {
    pub(crate) message: Message,
    pub(crate) place: Place,
}

/// Since when a side has got or read everything up to a `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MarkedSince {
    pub(crate) seq: u32,
    /// `None` for a message that was moved in without the mark before one that had it.
    pub(crate) at: Option<Timestamp>,
}

/// The key of a message.
pub(crate) const fn message_key(cid: i64, seq: u32) -> i64 {
    (cid << 32) | seq as i64
}

/// The key of a mark, in the table of its kind.
pub(crate) const fn mark_key(cid: i64, receiver: Who, seq: u32) -> i64 {
    message_key(cid << 1 | receiver.bit(), seq)
}

/// The conversation's number and the `seq` in a message's key.
pub(crate) const fn split_key(k: i64) -> (i64, u32) {
    (k >> 32, k as u32)
}

const BY_PAIR: &str = "SELECT cid, last, low_sent, low_last, low_read, low_read_nth,
    high_sent, high_last, high_read, high_read_nth, low_got, low_got_nth, high_got, high_got_nth
    FROM conversations WHERE pair = ?1";
const BY_CID: &str = "SELECT pair, last, low_sent, low_last, low_read, low_read_nth,
    high_sent, high_last, high_read, high_read_nth, low_got, low_got_nth, high_got, high_got_nth
    FROM conversations WHERE cid = ?1";
const BY_KEY: &str = "SELECT k, id, side, nth, prev, timestamp, client_id, text, edited_at, deleted_at, first_text FROM messages WHERE k = ?1";
const OLDEST_FIRST: &str = "SELECT k, id, side, nth, prev, timestamp, client_id, text, edited_at, deleted_at, first_text FROM messages
    WHERE k BETWEEN ?1 AND ?2 ORDER BY k";
const NEWEST_FIRST: &str = "SELECT k, id, side, nth, prev, timestamp, client_id, text, edited_at, deleted_at, first_text FROM messages
    WHERE k BETWEEN ?1 AND ?2 ORDER BY k DESC";

/// Reads a conversation's numbers from thirteen columns, the first of which is `from`.
pub(crate) fn state_at(row: &SqlRow<'_>, from: usize) -> rusqlite::Result<ConversationState> {
    let side = |from: usize, got: usize| -> rusqlite::Result<Side> {
        Ok(Side {
            sent: row.get(from)?,
            last: row.get(from + 1)?,
            read: row.get(from + 2)?,
            read_nth: row.get(from + 3)?,
            got: row.get(got)?,
            got_nth: row.get(got + 1)?,
        })
    };
    Ok(ConversationState {
        last: row.get(from)?,
        low: side(from + 1, from + 9)?,
        high: side(from + 5, from + 11)?,
    })
}

/// The conversation of two users.
pub(crate) fn conversation(
    tables: &Connection,
    id: &ConversationId,
) -> Result<Option<KnownConversation>, Fault> {
    let mut find = tables.prepare_cached(BY_PAIR)?;
    Ok(find
        .query_row([id.key()], |row| Ok(KnownConversation { cid: row.get(0)?, state: state_at(row, 1)? }))
        .optional()?)
}

/// A conversation's two users and numbers.
pub(crate) fn conversation_by_cid(
    tables: &Connection,
    cid: i64,
) -> Result<Option<(ConversationId, ConversationState)>, Fault> {
    let mut find = tables.prepare_cached(BY_CID)?;
    Ok(find
        .query_row([cid], |row| Ok((ConversationId::from_key(row.get(0)?), state_at(row, 1)?)))
        .optional()?)
}

/// The message with this id: its conversation's number and its `seq`.
pub(crate) fn locate(tables: &Connection, id: MessageId) -> Result<Option<(i64, u32)>, Fault> {
    let mut find = tables.prepare_cached("SELECT k FROM ids WHERE id = ?1")?;
    Ok(find.query_row([id.bytes()], |row| row.get(0)).optional()?.map(split_key))
}

/// The `seq` of the message to which a sender gave this name.
pub(crate) fn repeated(
    tables: &Connection,
    cid: i64,
    sender: Who,
    client_id: &str,
) -> Result<Option<u32>, Fault> {
    let mut find = tables.prepare_cached("SELECT seq FROM dedup WHERE conv = ?1 AND client_id = ?2")?;
    Ok(find.query_row((cid << 1 | sender.bit(), client_id), |row| row.get(0)).optional()?)
}

/// A message by its place; it must be there.
pub(crate) fn message(
    tables: &Connection,
    conversation: &ConversationId,
    cid: i64,
    seq: u32,
) -> Result<Swept, Fault> {
    let mut find = tables.prepare_cached(BY_KEY)?;
    let mut rows = find.query([message_key(cid, seq)])?;
    let row = rows.next()?.ok_or_else(|| Fault::corrupt("messages", message_key(cid, seq), "k"))?;
    swept_at(row, conversation)
}

/// The id of a message, and the `seq` of its sender's message before it.
pub(crate) fn link(tables: &Connection, cid: i64, seq: u32) -> Result<(MessageId, u32), Fault> {
    let mut find = tables.prepare_cached("SELECT id, prev FROM messages WHERE k = ?1")?;
    Ok(find.query_row([message_key(cid, seq)], |row| Ok((MessageId::from_bytes(row.get(0)?), row.get(1)?)))?)
}

/// The statement for the messages between two places, oldest first or newest first. It takes their keys.
pub(crate) fn between(tables: &Connection, newest_first: bool) -> Result<CachedStatement<'_>, Fault> {
    Ok(tables.prepare_cached(if newest_first { NEWEST_FIRST } else { OLDEST_FIRST })?)
}

/// Reads a message from the columns of [`between`].
pub(crate) fn swept_at(row: &SqlRow<'_>, conversation: &ConversationId) -> Result<Swept, Fault> {
    let k: i64 = row.get(0)?;
    let unreadable = |field| move |_: rusqlite::Error| Fault::corrupt("messages", k, field);
    let side = row.get(2).map_err(unreadable("side"))?;
    let sender = Who::from_bit(side).ok_or_else(|| Fault::corrupt("messages", k, "side"))?;
    let (_, seq) = split_key(k);
    let message = Message {
        id: MessageId::from_bytes(row.get(1).map_err(unreadable("id"))?),
        seq: seq.into(),
        sender: sender.user(conversation),
        receiver: sender.other().user(conversation),
        text: row.get(7).map_err(unreadable("text"))?,
        timestamp: Timestamp::from_millis(row.get(5).map_err(unreadable("timestamp"))?),
        delivered_at: None,
        read_at: None,
        edited_at: time_at(row, 8).map_err(unreadable("edited_at"))?,
        deleted_at: time_at(row, 9).map_err(unreadable("deleted_at"))?,
        client_id: row.get(6).map_err(unreadable("client_id"))?,
        first_text: digest_at(row, 10).map_err(unreadable("first_text"))?,
    };
    let nth = row.get(3).map_err(unreadable("nth"))?;
    let prev = row.get(4).map_err(unreadable("prev"))?;
    Ok(Swept { message, place: Place { seq, nth, prev } })
}

fn time_at(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

fn digest_at(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Option<TextDigest>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(TextDigest::from_bytes))
}

/// A side's marks of a kind from the first that reached `from` to the first that reached `to`, oldest first.
pub(crate) fn marks(
    tables: &Connection,
    kind: ReceiptKind,
    cid: i64,
    receiver: Who,
    (from, to): (u32, u32),
) -> Result<Vec<MarkedSince>, Fault> {
    let mut find = tables.prepare_cached(match kind {
        ReceiptKind::Delivered => "SELECT k, at FROM deliveries WHERE k BETWEEN ?1 AND ?2 ORDER BY k",
        ReceiptKind::Read => "SELECT k, at FROM reads WHERE k BETWEEN ?1 AND ?2 ORDER BY k",
    })?;
    let mut rows = find.query((mark_key(cid, receiver, from), mark_key(cid, receiver, u32::MAX)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (_, seq) = split_key(row.get(0)?);
        let at: i64 = row.get(1)?;
        found.push(MarkedSince { seq, at: (at != UNMARKED).then(|| Timestamp::from_millis(at)) });
        if seq >= to {
            break;
        }
    }
    Ok(found)
}

/// Sets when a message was delivered and read, as far as the tables know.
pub(crate) fn set_marks(
    tables: &Connection,
    cid: i64,
    receiver: Who,
    seq: u32,
    message: &mut Message,
) -> Result<(), Fault> {
    let since = |kind| -> Result<Option<Timestamp>, Fault> {
        Ok(marks(tables, kind, cid, receiver, (seq, seq))?.first().and_then(|mark| mark.at))
    };
    message.delivered_at = since(ReceiptKind::Delivered)?;
    if message.delivered_at.is_some() {
        message.read_at = since(ReceiptKind::Read)?;
    }
    Ok(())
}

/// A side's rows of marks of a kind past a `seq`, before another one: the `seq` of each, and whether it is marked. There
/// are some only if messages were moved in of which later ones had the mark and earlier ones not.
pub(crate) fn scattered(
    tables: &Connection,
    kind: ReceiptKind,
    cid: i64,
    receiver: Who,
    (past, before): (u32, u32),
) -> Result<Vec<(u32, bool)>, Fault> {
    let mut find = tables.prepare_cached(match kind {
        ReceiptKind::Delivered => "SELECT k, at FROM deliveries WHERE k > ?1 AND k < ?2 ORDER BY k",
        ReceiptKind::Read => "SELECT k, at FROM reads WHERE k > ?1 AND k < ?2 ORDER BY k",
    })?;
    let rows = find.query_map((mark_key(cid, receiver, past), mark_key(cid, receiver, before)), |row| {
        let (_, seq) = split_key(row.get(0)?);
        Ok((seq, row.get::<_, i64>(1)? != UNMARKED))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A value of `meta`; `None` where there is none.
pub(crate) fn meta<T: rusqlite::types::FromSql>(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<T>> {
    connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()
}

/// Sets a value of `meta`.
pub(crate) fn set_meta(
    connection: &Connection,
    name: &str,
    value: impl rusqlite::ToSql,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
    connection.prepare_cached(sql)?.execute((name, value)).map(drop)
}

/// The number of the last entry that was swept.
pub(crate) fn mark(tables: &Connection) -> Result<u64, Fault> {
    let mark: Option<i64> = meta(tables, "mark")?;
    u64::try_from(mark.unwrap_or_default()).map_err(|_negative| Fault::corrupt("meta", "mark", "value"))
}
