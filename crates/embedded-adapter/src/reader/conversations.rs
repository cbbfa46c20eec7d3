//! The list of a user's conversations: the tables' order, with memory laid over.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use chat_ports::{
    ConversationQuery,
    model::{ConversationEntry, ConversationId, Message, MessageId, Page, Timestamp, UserId},
};
use rusqlite::Connection;

use super::Desk;
use crate::{
    fault::Fault,
    overlay::{Head, Overlay},
    state::{ConversationState, Who},
    tables,
};

/// Conversations whose ends are looked up in memory under one hold of its lock.
const SLICE: usize = 256;
const LIST: &str = "SELECT cid FROM inbox WHERE user = ?1 AND (timestamp, id) < (?2, ?3)
    ORDER BY timestamp DESC, id DESC";

/// A conversation at its last message.
struct Candidate {
    conversation: ConversationId,
    state: ConversationState,
    last_message: Arc<Message>,
}

impl Desk {
    /// A page of a user's conversations, newest first.
    pub(crate) fn conversations(
        &mut self,
        query: &ConversationQuery,
    ) -> Result<Page<ConversationEntry>, Fault> {
        let shared = Arc::clone(&self.shared);
        let heads = heads(&shared.overlay, query.user);
        let most = query.limit as usize + 1;
        let mut candidates = moved(&heads, query);
        let snapshot = self.tables()?.unchecked_transaction()?;
        candidates.extend(listed(&snapshot, query, &heads, most)?);
        candidates.sort_unstable_by_key(|candidate| Reverse(order(&candidate.last_message)));
        let more = candidates.len() >= most;
        candidates.truncate(query.limit as usize);
        Ok(Page { items: candidates.into_iter().map(|candidate| entry(candidate, query)).collect(), more })
    }
}

/// The ends of the user's conversations that memory has something of. Memory comes before the
/// tables' snapshot, so that nothing falls between the two.
fn heads(overlay: &Overlay, user: UserId) -> HashMap<ConversationId, Head> {
    let conversations = overlay.conversations_of(user);
    conversations.chunks(SLICE).flat_map(|slice| overlay.heads(slice)).collect()
}

/// Those whose last message is in memory, past the cursor.
fn moved(heads: &HashMap<ConversationId, Head>, query: &ConversationQuery) -> Vec<Candidate> {
    let candidate = |(conversation, head): (&ConversationId, &Head)| {
        let last_message = head.last_message.clone()?;
        let is_past = query.after.is_none_or(|after| order(&last_message) < (after.timestamp, after.message));
        is_past.then_some(Candidate { conversation: *conversation, state: head.state, last_message })
    };
    heads.iter().filter_map(candidate).collect()
}

/// The first ones in the tables past the cursor, without those whose last message is in memory.
fn listed(
    snapshot: &Connection,
    query: &ConversationQuery,
    heads: &HashMap<ConversationId, Head>,
    most: usize,
) -> Result<Vec<Candidate>, Fault> {
    let (timestamp, id) =
        query.after.map_or((i64::MAX, [0xff; 12]), |after| (after.timestamp.millis(), after.message.bytes()));
    let mut list = snapshot.prepare_cached(LIST)?;
    let mut rows = list.query((query.user.bytes(), timestamp, id))?;
    let mut found = Vec::new();
    while found.len() < most
        && let Some(row) = rows.next()?
    {
        let cid: i64 = row.get(0)?;
        let (conversation, swept) = tables::conversation_by_cid(snapshot, cid)?
            .ok_or_else(|| Fault::corrupt("conversations", cid, "cid"))?;
        let head = heads.get(&conversation);
        if head.is_some_and(|head| head.last_message.is_some()) {
            continue;
        }
        let last_message = last_message(snapshot, &conversation, cid, swept, head)?;
        let state = head.map_or(swept, |head| head.state);
        found.push(Candidate { conversation, state, last_message });
    }
    Ok(found)
}

fn last_message(
    snapshot: &Connection,
    conversation: &ConversationId,
    cid: i64,
    swept: ConversationState,
    head: Option<&Head>,
) -> Result<Arc<Message>, Fault> {
    let mut message = tables::message(snapshot, conversation, cid, swept.last)?.message;
    let receiver = Who::receives(message.receiver, conversation);
    tables::set_marks(snapshot, cid, receiver, swept.last, &mut message)?;
    if let Some(head) = head.filter(|head| head.state.last == swept.last) {
        head.laid.over(&mut message, receiver, swept.last);
    }
    Ok(Arc::new(message))
}

fn entry(candidate: Candidate, query: &ConversationQuery) -> ConversationEntry {
    let me = Who::receives(query.user, &candidate.conversation);
    ConversationEntry {
        other: candidate.conversation.other(query.user),
        last_message: candidate.last_message,
        unread: candidate.state.unread(me).min(query.max_unread),
    }
}

fn order(message: &Message) -> (Timestamp, MessageId) {
    (message.timestamp, message.id)
}
