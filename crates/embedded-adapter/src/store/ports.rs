//! Which port is answered by which thread: changes by the writer, reads by memory or a reader.

use std::sync::{Arc, atomic::Ordering};

use async_trait::async_trait;
use chat_ports::{
    AppendError, Appended, BlockChange, BlockError, Blocks, Changes, ChangesError, ChangesPage, ChangesQuery,
    CommitNumber, ConversationQuery, Conversations, Delete, Edit, HistoryQuery, InsertUserError, Login,
    MessageLog, Messages, NewMessage, NewUser, Numbering, PresenceRecord, Receipt, ReceiptSpan, Replay,
    ReplayQuery, Replays, StoreError, StoreHealth, SyncPosition, UserQuery, Users,
    model::{Block, ClientId, ConversationEntry, Message, MessageId, Page, User, UserId},
};
use tokio::sync::oneshot;

use super::Store;
use crate::{
    fault::closed,
    job::{Job, Reply, Revision},
    overlay::DedupKey,
    reader::history_in_memory,
};

impl Store {
    /// Queues a change; whatever becomes of the future, it is done.
    pub(super) async fn change<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.shared.queue.push(job(reply));
        answer.await.map_err(|_lost| closed())
    }
}

#[async_trait]
impl MessageLog for Store {
    async fn append(&self, message: NewMessage) -> Result<Appended, AppendError> {
        self.change(|reply| Job::Append(message, reply)).await?
    }

    async fn receipt(&self, receipt: Receipt) -> Result<Option<ReceiptSpan>, StoreError> {
        self.change(|reply| Job::Mark(receipt, reply)).await?
    }

    async fn edit(&self, edit: Edit) -> Result<Option<Arc<Message>>, StoreError> {
        self.change(|reply| Job::Change(Revision::Edit(edit), reply)).await?
    }

    async fn delete(&self, delete: Delete) -> Result<Option<Arc<Message>>, StoreError> {
        self.change(|reply| Job::Change(Revision::Delete(delete), reply)).await?
    }
}

#[async_trait]
impl Messages for Store {
    async fn find(&self, id: MessageId) -> Result<Option<Arc<Message>>, StoreError> {
        match self.shared.overlay.find(id) {
            Some(found) => Ok(Some(found.message)),
            None => self.readers.ask(move |desk| desk.find(id)).await,
        }
    }

    async fn sent_as(
        &self,
        sender: UserId,
        receiver: UserId,
        client_id: ClientId,
    ) -> Result<Option<Arc<Message>>, StoreError> {
        // Memory first: what leaves it meanwhile is in the tables by then.
        match self.shared.overlay.repeated(&DedupKey::named(sender, receiver, &client_id)) {
            Some(found) => Ok(Some(found)),
            None => self.readers.ask(move |desk| desk.sent_as(sender, receiver, &client_id)).await,
        }
    }

    async fn history(&self, query: HistoryQuery) -> Result<Page<Arc<Message>>, StoreError> {
        match history_in_memory(&self.shared.overlay, &query) {
            Some(page) => Ok(page),
            None => self.readers.ask(move |desk| desk.history(&query)).await,
        }
    }
}

#[async_trait]
impl Conversations for Store {
    async fn list(&self, query: ConversationQuery) -> Result<Page<ConversationEntry>, StoreError> {
        self.readers.ask(move |desk| desk.conversations(&query)).await
    }

    async fn partners(&self, user: UserId, most: u32) -> Result<Vec<UserId>, StoreError> {
        self.readers.ask(move |desk| desk.partners(user, most)).await
    }

    async fn partners_among(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<UserId>, StoreError> {
        self.readers.ask(move |desk| desk.partners_among(user, others)).await
    }
}

#[async_trait]
impl Changes for Store {
    async fn position(&self) -> Result<SyncPosition, StoreError> {
        self.readers.ask(|desk| desk.position()).await
    }

    async fn changes(&self, query: ChangesQuery) -> Result<ChangesPage, ChangesError> {
        self.readers.ask(move |desk| desk.changes(&query)).await?
    }
}

#[async_trait]
impl Replays for Store {
    fn numbering(&self) -> Option<Numbering> {
        let last = CommitNumber(self.shared.overlay.last_entry());
        Some(Numbering { life: self.shared.life.load(Ordering::Relaxed).cast_unsigned(), last })
    }

    /// Always: commits are told in the order of their numbers.
    fn is_settled(&self, _user: UserId, _last: CommitNumber) -> bool {
        true
    }

    async fn replay(&self, query: ReplayQuery) -> Result<Option<Replay>, StoreError> {
        let commits = self.readers.ask(move |desk| desk.replay(&query)).await?;
        Ok(commits.map(|commits| Replay { commits, upto: query.upto }))
    }
}

#[async_trait]
impl Blocks for Store {
    async fn change(&self, change: BlockChange) -> Result<bool, BlockError> {
        Self::change(self, |reply| Job::Block(change, reply)).await?
    }

    async fn blocked_by(&self, blocker: UserId) -> Result<Vec<Block>, StoreError> {
        self.readers.ask(move |desk| desk.blocked_by(blocker)).await
    }

    async fn between(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<Block>, StoreError> {
        self.readers.ask(move |desk| desk.blocks_between(user, &others)).await
    }
}

#[async_trait]
impl Users for Store {
    async fn insert(&self, user: NewUser) -> Result<User, InsertUserError> {
        self.change(|reply| Job::AddUser(Box::new(user), reply)).await?
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.readers.ask(move |desk| desk.user(id)).await
    }

    async fn find_many(&self, ids: Vec<UserId>) -> Result<Vec<User>, StoreError> {
        self.readers.ask(move |desk| desk.users(ids)).await
    }

    async fn find_by_login(&self, login: Login) -> Result<Option<User>, StoreError> {
        self.readers.ask(move |desk| desk.user_by_login(&login)).await
    }

    async fn list(&self, query: UserQuery) -> Result<Page<User>, StoreError> {
        self.readers.ask(move |desk| desk.user_list(&query)).await
    }

    async fn record_presence(&self, records: Vec<PresenceRecord>) -> Result<(), StoreError> {
        self.change(|reply| Job::Presence(records, reply)).await?
    }

    async fn clear_presence(&self) -> Result<(), StoreError> {
        self.change(Job::ClearPresence).await?
    }
}

#[async_trait]
impl StoreHealth for Store {
    /// Reads both files, and asks the writer: which tries, if its last commit failed. A sweep that
    /// fails makes it fail only when memory is full because of it: until then sends go on.
    async fn check(&self) -> Result<(), StoreError> {
        self.readers.ask(|desk| desk.probe()).await?;
        self.change(Job::Probe).await??;
        if !self.shared.health.tables.load(Ordering::Relaxed) && self.shared.overlay.room() == 0 {
            return Err(StoreError::Unavailable("tables.db can't be written to, and memory is full".into()));
        }
        Ok(())
    }
}
