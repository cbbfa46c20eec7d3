//! Walks a store page by page, as lines.

use chat_ports::{Archive, ArchiveQuery, MessagePlace, StoreError, model::UserId};

use crate::{line::Line, scan::Position};

/// Users or messages of a page.
pub(crate) const PAGE_ITEMS: usize = 1_000;
/// Bytes of text after which a page of messages ends.
pub(crate) const PAGE_BYTES: usize = 4 << 20;

/// Walks a store in the order of an archive.
pub(crate) struct Walk<'a> {
    archive: &'a dyn Archive,
    last_user: Option<UserId>,
    last_message: Option<MessagePlace>,
    last_block: Option<(UserId, UserId)>,
    at: Part,
}

/// What is walked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Users,
    Messages,
    Blocks,
}

impl<'a> Walk<'a> {
    /// Begins.
    pub(crate) fn new(archive: &'a dyn Archive) -> Self {
        Self::behind(archive, &Position::default())
    }

    /// Goes on behind a position of a file.
    pub(crate) fn behind(archive: &'a dyn Archive, position: &Position) -> Self {
        let Position { last_user, last_message, last_block, .. } = *position;
        let at = match (last_message, last_block) {
            (_, Some(_)) => Part::Blocks,
            (Some(_), None) => Part::Messages,
            (None, None) => Part::Users,
        };
        Self { archive, last_user, last_message, last_block, at }
    }

    /// The next page; an empty one at the end.
    pub(crate) async fn next(&mut self) -> Result<Vec<Line>, StoreError> {
        if self.at == Part::Users {
            let users = self.archive.users(self.last_user, PAGE_ITEMS as u32).await?;
            if let Some(last) = users.last() {
                self.last_user = Some(last.id);
                return Ok(users.into_iter().map(Line::User).collect());
            }
            self.at = Part::Messages;
        }
        if self.at == Part::Messages {
            let query =
                ArchiveQuery { after: self.last_message, limit: PAGE_ITEMS as u32, max_bytes: PAGE_BYTES };
            let messages = self.archive.messages(query).await?;
            if let Some(last) = messages.last() {
                self.last_message = Some(MessagePlace::of(last));
                let owned = |message| std::sync::Arc::unwrap_or_clone(message);
                return Ok(messages.into_iter().map(owned).map(Line::Message).collect());
            }
            self.at = Part::Blocks;
        }
        let blocks = self.archive.blocks(self.last_block, PAGE_ITEMS as u32).await?;
        if let Some(last) = blocks.last() {
            self.last_block = Some((last.blocker, last.blocked));
        }
        Ok(blocks.into_iter().map(Line::Block).collect())
    }
}
