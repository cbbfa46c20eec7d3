//! With whom a user has a conversation.

use std::collections::HashSet;

use chat_ports::model::{ConversationId, UserId};

use super::Desk;
use crate::{fault::Fault, tables};

const RECENT: &str = "SELECT c.pair FROM inbox i JOIN conversations c ON c.cid = i.cid
    WHERE i.user = ?1 ORDER BY i.timestamp DESC, i.id DESC LIMIT ?2";

impl Desk {
    /// The most recent ones. What is new stands in memory, and is more recent than what is in the tables only.
    pub(crate) fn partners(&mut self, user: UserId, most: u32) -> Result<Vec<UserId>, Fault> {
        let most_items = usize::try_from(most).unwrap_or(usize::MAX);
        let mut seen = HashSet::new();
        let mut found: Vec<UserId> = Vec::new();
        let in_memory = self.shared.overlay.conversations_of(user);
        let mut find = self.tables()?.prepare_cached(RECENT)?;
        let mut rows = find.query((user.bytes(), most))?;
        let mut take = |conversation: ConversationId| {
            if found.len() < most_items && seen.insert(conversation) {
                found.push(conversation.other(user));
            }
        };
        in_memory.into_iter().for_each(&mut take);
        while let Some(row) = rows.next()? {
            take(ConversationId::from_key(row.get(0)?));
        }
        Ok(found)
    }

    /// Those of these with whom there is a conversation.
    pub(crate) fn partners_among(&mut self, user: UserId, others: Vec<UserId>) -> Result<Vec<UserId>, Fault> {
        let mut found = Vec::new();
        for other in others.into_iter().filter(|other| *other != user) {
            let conversation = ConversationId::between(user, other);
            // Memory first: what leaves it meanwhile is in the tables by then.
            if self.shared.overlay.state(&conversation).is_some()
                || tables::conversation(self.tables()?, &conversation)?.is_some()
            {
                found.push(other);
            }
        }
        Ok(found)
    }
}
