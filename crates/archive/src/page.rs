//! Walks a store page by page, as lines.

use chat_ports::{Archive, ArchiveQuery, MessagePlace, StoreError, model::UserId};

use crate::line::Line;

/// Users or messages of a page.
pub(crate) const PAGE_ITEMS: usize = 1_000;
/// Bytes of text after which a page of messages ends.
pub(crate) const PAGE_BYTES: usize = 4 << 20;

/// Walks a store in the order of an archive.
pub(crate) struct Walk<'a> {
    archive: &'a dyn Archive,
    last_user: Option<UserId>,
    last_message: Option<MessagePlace>,
    users_done: bool,
}

impl<'a> Walk<'a> {
    /// Goes on behind these two.
    pub(crate) fn new(
        archive: &'a dyn Archive,
        last_user: Option<UserId>,
        last_message: Option<MessagePlace>,
    ) -> Self {
        Self { archive, last_user, last_message, users_done: last_message.is_some() }
    }

    /// The next page; an empty one at the end.
    pub(crate) async fn next(&mut self) -> Result<Vec<Line>, StoreError> {
        if !self.users_done {
            let users = self.archive.users(self.last_user, PAGE_ITEMS as u32).await?;
            if let Some(last) = users.last() {
                self.last_user = Some(last.id);
                return Ok(users.into_iter().map(Line::User).collect());
            }
            self.users_done = true;
        }
        let query =
            ArchiveQuery { after: self.last_message, limit: PAGE_ITEMS as u32, max_bytes: PAGE_BYTES };
        let messages = self.archive.messages(query).await?;
        if let Some(last) = messages.last() {
            self.last_message = Some(MessagePlace::of(last));
        }
        let owned = |message| std::sync::Arc::unwrap_or_clone(message);
        Ok(messages.into_iter().map(owned).map(Line::Message).collect())
    }
}
