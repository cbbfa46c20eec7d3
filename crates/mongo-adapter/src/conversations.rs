//! The list of conversations: one small document each, derived from the messages.
//!
//! The documents are written behind ([`Upkeep`]) and never the truth: what is not written yet is laid over
//! every read, what a crash left unwritten is derived again at the next start, and all of them can be
//! rebuilt. Another node's newest messages appear when it has written them, within
//! [`Options::upkeep_interval`](crate::Options::upkeep_interval) and a round trip.

mod derive;
mod document;
mod list;
mod marks;
mod partners;
mod unread;
mod upkeep;

use std::sync::Arc;

use async_trait::async_trait;
use chat_ports::{
    ConversationQuery, Conversations, StoreError,
    model::{ConversationEntry, Page, UserId},
};

pub(crate) use self::{
    derive::derive,
    document::{Last, write},
    marks::now as primary_clock,
    upkeep::{Upkeep, keep_up},
};
use crate::{Store, connection::Collections, error::Fault};

#[async_trait]
impl Conversations for Store {
    async fn list(&self, query: ConversationQuery) -> Result<Page<ConversationEntry>, StoreError> {
        let inner = Arc::clone(&self.inner);
        // Memory comes before the database, so that nothing falls between the two.
        let pending = inner.upkeep.pending_of(query.user)?;
        let work = move |collections: Arc<Collections>| async move {
            let mut page = list::page(&collections, &query, pending).await?;
            unread::count(&collections, &inner.upkeep, &query, &mut page.items).await?;
            Ok::<_, Fault>(list::finish(page))
        };
        self.inner.run(work).await
    }

    async fn partners(&self, user: UserId, most: u32) -> Result<Vec<UserId>, StoreError> {
        let pending = self.inner.upkeep.pending_of(user)?;
        let work = move |collections: Arc<Collections>| async move {
            partners::of(&collections, user, pending, most).await
        };
        self.inner.run(work).await
    }

    async fn partners_among(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<UserId>, StoreError> {
        let pending = self.inner.upkeep.pending_of(user)?;
        let work = move |collections: Arc<Collections>| async move {
            partners::among(&collections, user, &pending, others).await
        };
        self.inner.run(work).await
    }
}
