//! The store: opening, closing, and what it is made of.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use chat_ports::{
    AppendError, Appended, Clock, CommitListener, ConversationQuery, Conversations, HistoryQuery,
    InsertUserError, Login, MarkRead, MessageLog, Messages, NewMessage, NewUser, PresenceRecord, ReadUpTo,
    StoreError, StoreHealth, UserQuery, Users,
    model::{ConversationEntry, Message, MessageId, Page, User, UserId},
};

use crate::{BackupError, OpenError, Options};

/// The repositories on SQLite in one folder.
pub struct Store {}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

impl Store {
    /// Opens the folder, or makes it. Blocks.
    ///
    /// # Errors
    /// One clear line each.
    pub fn open(
        options: Options,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, OpenError> {
        drop((options, clock, listener));
        Ok(Self {})
    }

    /// Writes a copy of everything acknowledged so far into one new file.
    ///
    /// # Errors
    /// The file exists or can't be written.
    #[expect(clippy::unused_async, reason = "filled in next")]
    pub async fn backup(&self, file: PathBuf) -> Result<(), BackupError> {
        drop(file);
        Err(BackupError::Closed)
    }

    /// Answers what waits, flushes, and ends the threads. Later calls are answered `Unavailable`.
    pub fn close(&self) {}
}

#[async_trait]
impl MessageLog for Store {
    async fn append(&self, _message: NewMessage) -> Result<Appended, AppendError> {
        Err(closed().into())
    }
    async fn mark_read(&self, _reading: MarkRead) -> Result<Option<ReadUpTo>, StoreError> {
        Err(closed())
    }
}

#[async_trait]
impl Messages for Store {
    async fn find(&self, _id: MessageId) -> Result<Option<Arc<Message>>, StoreError> {
        Err(closed())
    }
    async fn history(&self, _query: HistoryQuery) -> Result<Page<Arc<Message>>, StoreError> {
        Err(closed())
    }
}

#[async_trait]
impl Conversations for Store {
    async fn list(&self, _query: ConversationQuery) -> Result<Page<ConversationEntry>, StoreError> {
        Err(closed())
    }
}

#[async_trait]
impl Users for Store {
    async fn insert(&self, _user: NewUser) -> Result<User, InsertUserError> {
        Err(closed().into())
    }
    async fn find(&self, _id: UserId) -> Result<Option<User>, StoreError> {
        Err(closed())
    }
    async fn find_many(&self, _ids: Vec<UserId>) -> Result<Vec<User>, StoreError> {
        Err(closed())
    }
    async fn find_by_login(&self, _login: Login) -> Result<Option<User>, StoreError> {
        Err(closed())
    }
    async fn list(&self, _query: UserQuery) -> Result<Page<User>, StoreError> {
        Err(closed())
    }
    async fn record_presence(&self, _records: Vec<PresenceRecord>) -> Result<(), StoreError> {
        Err(closed())
    }
    async fn clear_presence(&self) -> Result<(), StoreError> {
        Err(closed())
    }
}

#[async_trait]
impl StoreHealth for Store {
    async fn check(&self) -> Result<(), StoreError> {
        Err(closed())
    }
}
