//! What a sweep writes: table after table, each in the order of its keys, so that every page is
//! touched once.

use chat_ports::model::{ConversationId, MessageId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension};

use super::plan::{Group, Last, Plan};
use crate::{
    fault::Fault,
    record::{Entry, Row},
    state::{ConversationState, Who},
    sweeper::readings::Readings,
    tables::{self, message_key, state_at},
};

const FIND: &str = "SELECT cid, timestamp, id, last, low_sent, low_last, low_read, low_read_nth,
    high_sent, high_last, high_read, high_read_nth FROM conversations WHERE pair = ?1";
const INSERT_MESSAGE: &str = "INSERT INTO messages
    (k, n, id, side, nth, prev, timestamp, client_id, text, pair) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const INSERT_DEDUP: &str = "INSERT OR IGNORE INTO dedup (conv, client_id, seq) VALUES (?1, ?2, ?3)";
const INSERT_ID: &str = "INSERT OR IGNORE INTO ids (id, k) VALUES (?1, ?2)";
const DELETE_INBOX: &str = "DELETE FROM inbox WHERE user = ?1 AND timestamp = ?2 AND id = ?3";
const INSERT_INBOX: &str = "INSERT INTO inbox (user, timestamp, id, cid) VALUES (?1, ?2, ?3, ?4)";
const INSERT_CONVERSATION: &str = "INSERT INTO conversations
    (cid, pair, timestamp, id, last, low_sent, low_last, low_read, low_read_nth,
    high_sent, high_last, high_read, high_read_nth) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
const UPDATE_CONVERSATION: &str = "UPDATE conversations SET timestamp = ?2, id = ?3, last = ?4,
    low_sent = ?5, low_last = ?6, low_read = ?7, low_read_nth = ?8,
    high_sent = ?9, high_last = ?10, high_read = ?11, high_read_nth = ?12 WHERE cid = ?1";

/// Writes a sweep into the open transaction; `last` is the number of its last entry.
pub(super) fn write(tables: &Connection, plan: &mut Plan<'_>, last: u64) -> Result<(), Fault> {
    number_conversations(tables, plan)?;
    plan.groups.sort_unstable_by_key(|group| group.cid);
    for group in &mut plan.groups {
        insert_messages(tables, group)?;
    }
    insert_names(tables, plan)?;
    insert_ids(tables, plan)?;
    for group in &plan.groups {
        write_conversation(tables, group)?;
    }
    move_in_lists(tables, plan)?;
    tables::set_meta(tables, "mark", last.cast_signed())?;
    Ok(())
}

fn number_conversations(tables: &Connection, plan: &mut Plan<'_>) -> Result<(), Fault> {
    let mut find = tables.prepare_cached(FIND)?;
    let mut next: i64 =
        tables.query_row("SELECT coalesce(max(cid), 0) + 1 FROM conversations", [], |row| row.get(0))?;
    for group in &mut plan.groups {
        let known = find.query_row([group.conversation.key()], |row| {
            let last = Last {
                timestamp: Timestamp::from_millis(row.get(1)?),
                id: MessageId::from_bytes(row.get(2)?),
            };
            Ok((row.get(0)?, last, state_at(row, 3)?))
        });
        if let Some((cid, last, state)) = known.optional()? {
            (group.cid, group.is_new, group.before, group.state) = (cid, false, Some(last), state);
        } else {
            group.cid = next;
            next += 1;
        }
    }
    Ok(())
}

fn insert_messages(tables: &Connection, group: &mut Group<'_>) -> Result<(), Fault> {
    let mut message = tables.prepare_cached(INSERT_MESSAGE)?;
    let mut readings = Readings::new(tables, group.cid);
    for numbered in &group.entries {
        match &numbered.entry {
            Entry::Sent(row) => {
                insert_message(&mut message, numbered.n, group.cid, row, &group.conversation)?;
                if let Some(at) = row.message.read_at {
                    readings.moved_in(&group.state, row.sender().other(), row.place, at)?;
                }
                group.state.sent(row.sender(), row.place, row.message.is_read());
            }
            Entry::Read(mark) => {
                readings.read(group.state.side(mark.reader).read, mark)?;
                group.state.read(mark.reader, mark.seq, mark.nth);
            }
        }
    }
    readings.finish()
}

fn insert_message(
    statement: &mut rusqlite::Statement<'_>,
    n: u64,
    cid: i64,
    row: &Row,
    conversation: &ConversationId,
) -> Result<(), Fault> {
    let (message, place) = (&row.message, row.place);
    statement.execute((
        message_key(cid, place.seq),
        n.cast_signed(),
        message.id.bytes(),
        Who::is(message.sender, conversation).bit(),
        place.nth,
        place.prev,
        message.timestamp.millis(),
        message.client_id.as_deref(),
        message.text.as_str(),
        (place.seq == 1).then(|| conversation.key()),
    ))?;
    Ok(())
}

fn sent_rows<'a>(plan: &'a Plan<'_>) -> impl Iterator<Item = (&'a Group<'a>, &'a Row)> {
    plan.groups.iter().flat_map(|group| {
        group.entries.iter().filter_map(move |numbered| match &numbered.entry {
            Entry::Sent(row) => Some((group, row)),
            Entry::Read(_) => None,
        })
    })
}

fn insert_names(tables: &Connection, plan: &Plan<'_>) -> Result<(), Fault> {
    let mut names: Vec<(i64, &str, u32)> = sent_rows(plan)
        .filter_map(|(group, row)| {
            let conv = group.cid << 1 | Who::is(row.message.sender, &group.conversation).bit();
            Some((conv, row.message.client_id.as_deref()?, row.place.seq))
        })
        .collect();
    names.sort_unstable();
    let mut insert = tables.prepare_cached(INSERT_DEDUP)?;
    for name in names {
        insert.execute(name)?;
    }
    Ok(())
}

fn insert_ids(tables: &Connection, plan: &Plan<'_>) -> Result<(), Fault> {
    let mut ids: Vec<(MessageId, i64)> =
        sent_rows(plan).map(|(group, row)| (row.message.id, message_key(group.cid, row.place.seq))).collect();
    ids.sort_unstable();
    let mut insert = tables.prepare_cached(INSERT_ID)?;
    for (id, k) in ids {
        insert.execute((id.bytes(), k))?;
    }
    Ok(())
}

fn write_conversation(tables: &Connection, group: &Group<'_>) -> Result<(), Fault> {
    let Some(last) = group.after.or(group.before) else {
        return Err(Fault::corrupt("entries", group.conversation, "conversation"));
    };
    let ConversationState { last: seq, low, high } = group.state;
    let (timestamp, id) = (last.timestamp.millis(), last.id.bytes());
    let (low, high) =
        ((low.sent, low.last, low.read, low.read_nth), (high.sent, high.last, high.read, high.read_nth));
    if group.is_new {
        tables.prepare_cached(INSERT_CONVERSATION)?.execute((
            group.cid,
            group.conversation.key(),
            timestamp,
            id,
            seq,
            low.0,
            low.1,
            low.2,
            low.3,
            high.0,
            high.1,
            high.2,
            high.3,
        ))?;
    } else {
        tables.prepare_cached(UPDATE_CONVERSATION)?.execute((
            group.cid, timestamp, id, seq, low.0, low.1, low.2, low.3, high.0, high.1, high.2, high.3,
        ))?;
    }
    Ok(())
}

fn move_in_lists(tables: &Connection, plan: &Plan<'_>) -> Result<(), Fault> {
    let mut moves: Vec<(UserId, Option<Last>, Last, i64)> = Vec::new();
    for group in &plan.groups {
        let Some(after) = group.after else { continue };
        let (low, high) = group.conversation.users();
        moves.push((low, group.before, after, group.cid));
        if low != high {
            moves.push((high, group.before, after, group.cid));
        }
    }
    moves.sort_unstable_by_key(|(user, ..)| *user);
    let mut delete = tables.prepare_cached(DELETE_INBOX)?;
    let mut insert = tables.prepare_cached(INSERT_INBOX)?;
    for (user, before, after, cid) in moves {
        if let Some(before) = before {
            delete.execute((user.bytes(), before.timestamp.millis(), before.id.bytes()))?;
        }
        insert.execute((user.bytes(), after.timestamp.millis(), after.id.bytes(), cid))?;
    }
    Ok(())
}
