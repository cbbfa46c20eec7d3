//! What is read: before and after, others have their turn.

use std::sync::Arc;

use chat_domain::{
    async_trait,
    model::{Block, ClientId, ConversationEntry, Message, MessageId, Page, User, UserId},
    ports::{
        BlockChange, BlockError, Blocks, Changes, ChangesError, ChangesPage, ChangesQuery, ConversationQuery,
        Conversations, HistoryQuery, InsertUserError, Login, Messages, NewUser, PresenceRecord, StoreError,
        SyncPosition, UserQuery, Users,
    },
};

use super::Disk;
use crate::bugs::Bug;

impl Disk {
    async fn read<T>(&self, reading: impl Future<Output = T>) -> T {
        self.pause().await;
        let found = reading.await;
        self.pause().await;
        found
    }
}

#[async_trait]
impl Messages for Disk {
    async fn find(&self, id: MessageId) -> Result<Option<Arc<Message>>, StoreError> {
        let found = self.read(Messages::find(&*self.platter.store(), id)).await?;
        Ok(found.map(|message| self.platter.flaw.show(message)))
    }

    async fn sent_as(
        &self,
        sender: UserId,
        receiver: UserId,
        client_id: ClientId,
    ) -> Result<Option<Arc<Message>>, StoreError> {
        let found = self.read(self.platter.store().sent_as(sender, receiver, client_id)).await?;
        Ok(found.map(|message| self.platter.flaw.show(message)))
    }

    async fn history(&self, query: HistoryQuery) -> Result<Page<Arc<Message>>, StoreError> {
        let Page { items, more } = self.read(self.platter.store().history(query)).await?;
        Ok(Page { items: items.into_iter().map(|message| self.platter.flaw.show(message)).collect(), more })
    }
}

#[async_trait]
impl Changes for Disk {
    async fn position(&self) -> Result<SyncPosition, StoreError> {
        self.read(self.platter.store().position()).await
    }

    async fn changes(&self, query: ChangesQuery) -> Result<ChangesPage, ChangesError> {
        let page = self.read(self.platter.store().changes(query)).await?;
        let flaw = &self.platter.flaw;
        let told = page.messages.into_iter().filter(|_| !(flaw.is(Bug::SkippedInSync) && flaw.now()));
        let messages = told.map(|message| flaw.show(message)).collect();
        Ok(ChangesPage { messages, ..page })
    }
}

#[async_trait]
impl Blocks for Disk {
    async fn change(&self, change: BlockChange) -> Result<bool, BlockError> {
        self.change_block(change).await
    }

    async fn blocked_by(&self, blocker: UserId) -> Result<Vec<Block>, StoreError> {
        self.read(self.platter.store().blocked_by(blocker)).await
    }

    async fn between(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<Block>, StoreError> {
        self.read(self.platter.store().between(user, others)).await
    }
}

#[async_trait]
impl Conversations for Disk {
    async fn list(&self, query: ConversationQuery) -> Result<Page<ConversationEntry>, StoreError> {
        self.read(Conversations::list(&*self.platter.store(), query)).await
    }

    async fn partners(&self, user: UserId, most: u32) -> Result<Vec<UserId>, StoreError> {
        self.read(self.platter.store().partners(user, most)).await
    }

    async fn partners_among(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<UserId>, StoreError> {
        self.read(self.platter.store().partners_among(user, others)).await
    }
}

#[async_trait]
impl Users for Disk {
    async fn insert(&self, user: NewUser) -> Result<User, InsertUserError> {
        self.read(self.platter.store().insert(user)).await
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(Users::find(&*self.platter.store(), id)).await
    }

    async fn find_many(&self, ids: Vec<UserId>) -> Result<Vec<User>, StoreError> {
        self.read(self.platter.store().find_many(ids)).await
    }

    async fn find_by_login(&self, login: Login) -> Result<Option<User>, StoreError> {
        self.read(self.platter.store().find_by_login(login)).await
    }

    async fn list(&self, query: UserQuery) -> Result<Page<User>, StoreError> {
        self.read(Users::list(&*self.platter.store(), query)).await
    }

    async fn record_presence(&self, records: Vec<PresenceRecord>) -> Result<(), StoreError> {
        self.read(self.platter.store().record_presence(records)).await
    }

    async fn clear_presence(&self) -> Result<(), StoreError> {
        self.read(self.platter.store().clear_presence()).await
    }
}
