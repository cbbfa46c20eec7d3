//! Pages of messages, and the list of conversations.

use std::{collections::HashMap, sync::Arc};

use chat_ports::{
    ConversationQuery, Conversations, HistoryAnchor, HistoryQuery, Messages, Users,
    model::{
        ConversationCursor, ConversationEntry, ConversationId, Limits, Message, MessageId, Page, UserId,
    },
};

use crate::{ChatError, Circles, Deps, UserView, people::People, policy};

/// Where a page of history stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryPosition {
    /// Just before the newest `skip` messages.
    Newest {
        /// How many to pass over.
        skip: u64,
    },
    /// Just before this message.
    Before(MessageId),
    /// Just after this message.
    After(MessageId),
}

/// Which page of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRequest {
    /// Most messages; `None` for the default.
    pub limit: Option<u32>,
    /// Where it stands.
    pub position: HistoryPosition,
}

/// A page of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// The messages, oldest first.
    pub messages: Vec<Arc<Message>>,
    /// Where the following page begins, to be passed as `Before` (as `After` on a walk forwards); `None`
    /// at the end.
    pub next: Option<MessageId>,
}

/// One row of a user's list of conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationView {
    /// With whom.
    pub user: UserView,
    /// The newest message.
    pub last_message: Arc<Message>,
    /// How many messages to the user whose list it is are unread, up to
    /// [`Limits::max_unread_count`].
    pub unread: u32,
}

/// A page of conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationPage {
    /// The conversations, most recent first.
    pub items: Vec<ConversationView>,
    /// Where the following page begins; `None` at the end.
    pub next: Option<ConversationCursor>,
}

/// The use cases of reading what was written.
pub struct History {
    messages: Arc<dyn Messages>,
    conversations: Arc<dyn Conversations>,
    users: Arc<dyn Users>,
    people: Arc<People>,
    circles: Arc<Circles>,
    limits: Limits,
}

impl History {
    pub(crate) fn new(deps: &Deps, people: Arc<People>, circles: Arc<Circles>) -> Self {
        Self {
            messages: Arc::clone(&deps.messages),
            conversations: Arc::clone(&deps.conversations),
            users: Arc::clone(&deps.users),
            people,
            circles,
            limits: deps.limits.clone(),
        }
    }

    /// A page of the conversation of two users.
    ///
    /// # Errors
    /// `invalid_input` names `limit`, or `before` or `after` where that message is none of this
    /// conversation; `not_found` where there is no such other user; `unavailable`.
    #[tracing::instrument(level = "debug", skip_all, fields(%me, %other))]
    pub async fn page(
        &self,
        me: UserId,
        other: UserId,
        request: HistoryRequest,
    ) -> Result<HistoryPage, ChatError> {
        let limit = policy::page_items(request.limit, &self.limits)?;
        self.people.require(other).await?;
        let conversation = ConversationId::between(me, other);
        let anchor = self.anchor(conversation, request.position).await?;
        let max_bytes = self.limits.max_page_bytes;
        let page = self.messages.history(HistoryQuery { conversation, anchor, limit, max_bytes }).await?;
        let next = next_message(&page, anchor);
        Ok(HistoryPage { messages: page.items, next })
    }

    /// A page of a user's conversations, most recent first.
    ///
    /// # Errors
    /// `invalid_input` names `limit`; `unavailable`.
    #[tracing::instrument(level = "debug", skip_all, fields(%me))]
    pub async fn conversations(
        &self,
        me: UserId,
        after: Option<ConversationCursor>,
        limit: Option<u32>,
    ) -> Result<ConversationPage, ChatError> {
        let limit = policy::page_items(limit, &self.limits)?;
        let max_unread = self.limits.max_unread_count;
        let page = self.conversations.list(ConversationQuery { user: me, after, limit, max_unread }).await?;
        let next = page.items.last().filter(|_| page.more).map(cursor);
        let others = self.users.find_many(page.items.iter().map(|entry| entry.other).collect()).await?;
        let views = self.circles.views(me, others).await?;
        let mut views: HashMap<_, _> = views.into_iter().map(|view| (view.id, view)).collect();
        let items = page.items.into_iter().map(|entry| {
            let ConversationEntry { other, last_message, unread } = entry;
            let user = views.remove(&other).unwrap_or_else(|| UserView::erased(other));
            ConversationView { user, last_message, unread }
        });
        Ok(ConversationPage { items: items.collect(), next })
    }

    async fn anchor(
        &self,
        conversation: ConversationId,
        position: HistoryPosition,
    ) -> Result<HistoryAnchor, ChatError> {
        Ok(match position {
            HistoryPosition::Newest { skip } => HistoryAnchor::Newest { skip },
            HistoryPosition::Before(id) => HistoryAnchor::Before(self.seq(conversation, id, "before").await?),
            HistoryPosition::After(id) => HistoryAnchor::After(self.seq(conversation, id, "after").await?),
        })
    }

    /// The place of a cursor's message, which must stand in the conversation.
    async fn seq(
        &self,
        conversation: ConversationId,
        id: MessageId,
        field: &'static str,
    ) -> Result<u64, ChatError> {
        let found = self.messages.find(id).await?;
        found
            .filter(|message| message.conversation() == conversation)
            .map(|message| message.seq)
            .ok_or_else(|| ChatError::invalid(field, "must be a message of this conversation"))
    }
}

/// The message at the page's far side from the anchor, where messages go on beyond it.
fn next_message(page: &Page<Arc<Message>>, anchor: HistoryAnchor) -> Option<MessageId> {
    let edge = match anchor {
        HistoryAnchor::Newest { .. } | HistoryAnchor::Before(_) => page.items.first(),
        HistoryAnchor::After(_) => page.items.last(),
    };
    edge.filter(|_| page.more).map(|message| message.id)
}

fn cursor(last: &ConversationEntry) -> ConversationCursor {
    ConversationCursor { timestamp: last.last_message.timestamp, message: last.last_message.id }
}

#[cfg(test)]
mod tests;
