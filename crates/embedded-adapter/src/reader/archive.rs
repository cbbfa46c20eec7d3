//! Walks everything, to be moved. By then nothing stands in memory: what is read are the tables alone.

use std::{sync::Arc, time::Duration};

use chat_ports::{
    ArchiveQuery, Extent, MessagePlace,
    model::{ConversationId, Message, User, UserId},
};
use rusqlite::{Connection, OptionalExtension};

use super::{Desk, messages::set_times, users::user_at};
use crate::{
    fault::Fault,
    overlay::Laid,
    tables::{self, KnownConversation, message_key, state_at, swept_at},
};

/// How long nothing may move while memory is swept.
const PATIENCE: Duration = Duration::from_secs(10);
const USERS: &str = "SELECT id, username, email, password, is_online, last_seen, created_at, updated_at
    FROM users WHERE id > ?1 ORDER BY id LIMIT ?2";
const NEXT: &str = "SELECT cid, last, low_sent, low_last, low_read, low_read_nth,
    high_sent, high_last, high_read, high_read_nth, low_got, low_got_nth, high_got, high_got_nth, pair FROM conversations WHERE pair > ?1 ORDER BY pair LIMIT 1";
const COUNT: &str = "SELECT coalesce(sum(last), 0) FROM conversations";
const LAST: &str = "SELECT pair, last FROM conversations ORDER BY pair DESC LIMIT 1";

/// A page while it is filled.
struct Page {
    items: Vec<Message>,
    bytes: usize,
    query: ArchiveQuery,
}

impl Desk {
    /// How much there is, and where it ends.
    pub(crate) fn extent(&mut self) -> Result<Extent, Fault> {
        self.drain()?;
        let log = self.log()?;
        let users: i64 = log.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?;
        let last_user: Option<[u8; 12]> = log.query_row("SELECT max(id) FROM users", [], |row| row.get(0))?;
        let blocks: i64 = log.query_row("SELECT count(*) FROM blocks", [], |row| row.get(0))?;
        let tables = self.tables()?;
        let messages: i64 = tables.query_row(COUNT, [], |row| row.get(0))?;
        let last = tables.query_row(LAST, [], |row| Ok((row.get(0)?, row.get::<_, u32>(1)?))).optional()?;
        Ok(Extent {
            users: users.cast_unsigned(),
            last_user: last_user.map(UserId::from_bytes),
            messages: messages.cast_unsigned(),
            last_message: last.map(|(pair, seq)| MessagePlace {
                conversation: ConversationId::from_key(pair),
                seq: seq.into(),
            }),
            blocks: blocks.cast_unsigned(),
        })
    }

    /// The users after this one, by id.
    pub(crate) fn users_after(&mut self, after: Option<UserId>, limit: u32) -> Result<Vec<User>, Fault> {
        let after = after.map(|id| id.bytes());
        let mut find = self.log()?.prepare_cached(USERS)?;
        let users = find.query_map((after.as_ref().map_or(&[][..], |id| id), limit), user_at)?;
        Ok(users.collect::<Result<_, _>>()?)
    }

    /// The messages after a place.
    pub(crate) fn messages_after(&mut self, query: ArchiveQuery) -> Result<Vec<Arc<Message>>, Fault> {
        self.drain()?;
        let snapshot = self.tables()?.unchecked_transaction()?;
        let mut page = Page { items: Vec::new(), bytes: 0, query };
        let mut at = query.after.map(|place| place.conversation);
        if let Some(place) = query.after
            && let Some(known) = tables::conversation(&snapshot, &place.conversation)?
        {
            page.fill(&snapshot, place.conversation, known, place.seq)?;
        }
        while !page.is_full()
            && let Some((conversation, known)) = next_conversation(&snapshot, at)?
        {
            page.fill(&snapshot, conversation, known, 0)?;
            at = Some(conversation);
        }
        Ok(page.items.into_iter().map(Arc::new).collect())
    }

    /// Has memory swept first: the tables are in the order of an archive, memory is not.
    fn drain(&self) -> Result<(), Fault> {
        if self.shared.overlay.drain(PATIENCE) {
            return Ok(());
        }
        Err(Fault::Down("what is new can't be brought into tables.db".into()))
    }
}

fn next_conversation(
    snapshot: &Connection,
    after: Option<ConversationId>,
) -> Result<Option<(ConversationId, KnownConversation)>, Fault> {
    let after = after.map(|conversation| conversation.key());
    let mut find = snapshot.prepare_cached(NEXT)?;
    let next = find.query_row([after.as_ref().map_or(&[][..], |key| key)], |row| {
        let known = KnownConversation { cid: row.get(0)?, state: state_at(row, 1)? };
        Ok((ConversationId::from_key(row.get(14)?), known))
    });
    Ok(next.optional()?)
}

impl Page {
    /// Whether nothing more fits.
    fn is_full(&self) -> bool {
        self.items.len() >= self.query.limit as usize
            || (!self.items.is_empty() && self.bytes >= self.query.max_bytes)
    }

    /// Adds a conversation's messages past a `seq`, as many as fit.
    fn fill(
        &mut self,
        snapshot: &Connection,
        conversation: ConversationId,
        known: KnownConversation,
        past: u64,
    ) -> Result<(), Fault> {
        let begin = self.items.len();
        let mut expected = u32::try_from(past).unwrap_or(u32::MAX).saturating_add(1);
        let mut find = tables::between(snapshot, false)?;
        let mut rows =
            find.query((message_key(known.cid, expected), message_key(known.cid, known.state.last)))?;
        while !self.is_full()
            && let Some(row) = rows.next()?
        {
            let swept = swept_at(row, &conversation)?;
            if swept.place.seq != expected {
                return Err(Fault::corrupt("messages", message_key(known.cid, expected), "k"));
            }
            let bytes = self.bytes.saturating_add(swept.message.text.len());
            if !self.items.is_empty() && bytes > self.query.max_bytes {
                self.bytes = self.query.max_bytes;
                break;
            }
            self.bytes = bytes;
            self.items.push(swept.message);
            expected = expected.saturating_add(1);
        }
        drop(rows);
        let added = self.items.get_mut(begin..).unwrap_or_default();
        set_times(snapshot, &conversation, known, &Laid::default(), added)
    }
}
