//! What a sweep writes: table after table, each in the order of its keys, so that every page is
//! touched once.

use chat_ports::model::{ConversationId, MessageId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, ToSql};

use super::{
    marks::Marks,
    plan::{Group, Last, Plan},
};
use crate::{
    fault::Fault,
    overlay::Touched,
    record::{Change, Changed, Entry, Row},
    state::{ConversationState, KINDS, Who, had},
    tables::{self, message_key, state_at},
};

const FIND: &str = "SELECT cid, timestamp, id, last, low_sent, low_last, low_read, low_read_nth,
    high_sent, high_last, high_read, high_read_nth, low_got, low_got_nth, high_got, high_got_nth
    FROM conversations WHERE pair = ?1";
const INSERT_MESSAGE: &str = "INSERT INTO messages
    (k, n, id, side, nth, prev, timestamp, client_id, text, pair, edited_at, deleted_at, first_text)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
const EDIT: &str =
    "UPDATE messages SET text = ?2, edited_at = ?3, first_text = ?4 WHERE k = ?1 AND deleted_at IS NULL";
const DELETE: &str = "UPDATE messages SET text = '', edited_at = NULL, deleted_at = ?2, first_text = NULL
    WHERE k = ?1 AND deleted_at IS NULL";
const INSERT_CHANGE: &str =
    "INSERT OR IGNORE INTO changes (cid, n, first, last, side) VALUES (?1, ?2, ?3, ?4, ?5)";
const INSERT_DEDUP: &str = "INSERT OR IGNORE INTO dedup (conv, client_id, seq) VALUES (?1, ?2, ?3)";
const INSERT_ID: &str = "INSERT OR IGNORE INTO ids (id, k) VALUES (?1, ?2)";
const DELETE_INBOX: &str = "DELETE FROM inbox WHERE user = ?1 AND timestamp = ?2 AND id = ?3";
const INSERT_INBOX: &str = "INSERT INTO inbox (user, timestamp, id, cid) VALUES (?1, ?2, ?3, ?4)";
const INSERT_CONVERSATION: &str = "INSERT INTO conversations
    (cid, pair, timestamp, id, last, low_sent, low_last, low_read, low_read_nth,
    high_sent, high_last, high_read, high_read_nth, low_got, low_got_nth, high_got, high_got_nth, n)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
const UPDATE_CONVERSATION: &str = "UPDATE conversations SET timestamp = ?2, id = ?3, last = ?4,
    low_sent = ?5, low_last = ?6, low_read = ?7, low_read_nth = ?8,
    high_sent = ?9, high_last = ?10, high_read = ?11, high_read_nth = ?12,
    low_got = ?13, low_got_nth = ?14, high_got = ?15, high_got_nth = ?16, n = ?17 WHERE cid = ?1";

/// Writes a sweep into the open transaction; `last` is the number of its last entry.
pub(super) fn write(tables: &Connection, plan: &mut Plan<'_>, last: u64) -> Result<(), Fault> {
    number_conversations(tables, plan)?;
    plan.groups.sort_unstable_by_key(|group| group.cid);
    for group in &mut plan.groups {
        write_entries(tables, group)?;
    }
    insert_changes(tables, plan)?;
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

fn write_entries(tables: &Connection, group: &mut Group<'_>) -> Result<(), Fault> {
    let mut message = tables.prepare_cached(INSERT_MESSAGE)?;
    let mut marks = KINDS.map(|kind| (kind, Marks::new(tables, group.cid, kind)));
    for numbered in &group.entries {
        match &numbered.entry {
            Entry::Sent(row) => {
                insert_message(&mut message, numbered.n, group.cid, row, &group.conversation)?;
                for (kind, marks) in &mut marks {
                    if let Some(at) = had(&row.message, *kind) {
                        marks.moved_in(&group.state, row.sender().other(), row.place, at)?;
                    }
                }
                group.state.sent(row.sender(), row.place, &row.message);
            }
            Entry::Marked(mark) => {
                let (upto, _) = group.state.side(mark.receiver).marked(mark.kind);
                for (_, marks) in marks.iter_mut().filter(|(kind, _)| *kind == mark.kind) {
                    marks.mark(upto, mark)?;
                }
                group.state.mark(mark.kind, mark.receiver, mark.seq, mark.nth);
            }
            Entry::Changed(changed) => write_change(tables, group.cid, changed)?,
        }
    }
    marks.into_iter().try_for_each(|(_, marks)| marks.finish())
}

fn write_change(tables: &Connection, cid: i64, changed: &Changed) -> Result<(), Fault> {
    let k = message_key(cid, changed.seq);
    match &changed.change {
        Change::Edited { text, at, first_text } => {
            let values = (k, text.as_ref(), at.millis(), first_text.bytes());
            tables.prepare_cached(EDIT)?.execute(values)?;
        }
        Change::Deleted { at } => {
            tables.prepare_cached(DELETE)?.execute((k, at.millis()))?;
        }
    }
    Ok(())
}

/// What concerned messages that stood there already, for those who missed it.
fn insert_changes(tables: &Connection, plan: &Plan<'_>) -> Result<(), Fault> {
    let mut insert = tables.prepare_cached(INSERT_CHANGE)?;
    for group in &plan.groups {
        for numbered in &group.entries {
            let touched = match &numbered.entry {
                Entry::Sent(_) => continue,
                Entry::Marked(mark) => Touched::by_mark(numbered.n, mark),
                Entry::Changed(changed) => Touched::by_change(numbered.n, changed),
            };
            let Touched { n, first, last, sender, touch } = touched;
            insert.execute((group.cid, n.cast_signed(), first, last, touch.with_side(sender)))?;
        }
    }
    Ok(())
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
        message.edited_at.map(Timestamp::millis),
        message.deleted_at.map(Timestamp::millis),
        message.first_text.map(|digest| digest.bytes()),
    ))?;
    Ok(())
}

fn sent_rows<'a>(plan: &'a Plan<'_>) -> impl Iterator<Item = (&'a Group<'a>, &'a Row)> {
    plan.groups.iter().flat_map(|group| {
        group.entries.iter().filter_map(move |numbered| match &numbered.entry {
            Entry::Sent(row) => Some((group, row)),
            Entry::Marked(_) | Entry::Changed(_) => None,
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
    let n = group.entries.last().map_or(0, |entry| entry.n).cast_signed();
    let sql = if group.is_new { INSERT_CONVERSATION } else { UPDATE_CONVERSATION };
    let mut statement = tables.prepare_cached(sql)?;
    let (timestamp, id) = (last.timestamp.millis(), last.id.bytes());
    let pair = group.conversation.key();
    let mut values: Vec<&dyn ToSql> = vec![&group.cid];
    if group.is_new {
        values.push(&pair);
    }
    values.extend([&timestamp as &dyn ToSql, &id, &seq]);
    for side in [&low, &high] {
        values.extend([&side.sent as &dyn ToSql, &side.last, &side.read, &side.read_nth]);
    }
    values.extend([&low.got as &dyn ToSql, &low.got_nth, &high.got, &high.got_nth, &n]);
    statement.execute(&values[..])?;
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
