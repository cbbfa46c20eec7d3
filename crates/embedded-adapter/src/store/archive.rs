//! Moving: what is put goes through the writer like any other change, what is walked is read from the tables.

use std::sync::Arc;

use async_trait::async_trait;
use chat_ports::{
    Archive, ArchiveError, ArchiveQuery, Extent, StoreError,
    model::{Block, Message, User, UserId},
};

use super::Store;
use crate::job::Job;

#[async_trait]
impl Archive for Store {
    fn holds_case_twins(&self) -> bool {
        false
    }

    async fn extent(&self) -> Result<Extent, StoreError> {
        self.readers.ask(|desk| desk.extent()).await
    }

    async fn users(&self, after: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.readers.ask(move |desk| desk.users_after(after, limit)).await
    }

    async fn messages(&self, query: ArchiveQuery) -> Result<Vec<Arc<Message>>, StoreError> {
        self.readers.ask(move |desk| desk.messages_after(query)).await
    }

    async fn put_users(&self, users: Vec<User>) -> Result<(), ArchiveError> {
        self.change(|reply| Job::PutUsers(users, reply)).await?
    }

    async fn put_messages(&self, messages: Vec<Message>) -> Result<(), ArchiveError> {
        self.change(|reply| Job::PutMessages(messages, reply)).await?
    }

    async fn blocks(&self, after: Option<(UserId, UserId)>, limit: u32) -> Result<Vec<Block>, StoreError> {
        self.readers.ask(move |desk| desk.blocks_after(after, limit)).await
    }

    async fn put_blocks(&self, blocks: Vec<Block>) -> Result<(), ArchiveError> {
        self.change(|reply| Job::PutBlocks(blocks, reply)).await?
    }
}
