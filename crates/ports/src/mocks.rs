//! `mockall` mocks of every port, for tests of logic that stands on them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mockall::mock;

use crate::{
    AppendError, Appended, Archive, ArchiveError, ArchiveQuery, BlockChange, BlockError, Blocks, Changes,
    ChangesError, ChangesPage, ChangesQuery, Claims, Clock, CommitListener, Committed, ConversationQuery,
    Conversations, Delete, Edit, EventBus, EventSink, Extent, HistoryQuery, IdSource, InsertUserError,
    IssuedToken, Login, MessageLog, Messages, NewMessage, NewUser, PasswordError, PasswordHasher,
    PresenceRecord, RateLimiter, RateMeter, RateSubject, Receipt, ReceiptSpan, SealPurpose, Seals,
    StoreError, StoreHealth, SyncPosition, TokenError, Tokens, UserQuery, Users,
    model::{
        Block, ClientId, ConversationEntry, Event, Message, MessageId, ObjectId, Page, Password,
        PasswordHash, Timestamp, User, UserId,
    },
};

mock! {
    /// Mock of [`Users`].
    pub Users {}
    #[async_trait]
    impl Users for Users {
        async fn insert(&self, user: NewUser) -> Result<User, InsertUserError>;
        async fn find(&self, id: UserId) -> Result<Option<User>, StoreError>;
        async fn find_many(&self, ids: Vec<UserId>) -> Result<Vec<User>, StoreError>;
        async fn find_by_login(&self, login: Login) -> Result<Option<User>, StoreError>;
        async fn list(&self, query: UserQuery) -> Result<Page<User>, StoreError>;
        async fn record_presence(&self, records: Vec<PresenceRecord>) -> Result<(), StoreError>;
        async fn clear_presence(&self) -> Result<(), StoreError>;
    }
}
mock! {
    /// Mock of [`MessageLog`].
    pub MessageLog {}
    #[async_trait]
    impl MessageLog for MessageLog {
        async fn append(&self, message: NewMessage) -> Result<Appended, AppendError>;
        async fn receipt(&self, receipt: Receipt) -> Result<Option<ReceiptSpan>, StoreError>;
        async fn edit(&self, edit: Edit) -> Result<Option<Arc<Message>>, StoreError>;
        async fn delete(&self, delete: Delete) -> Result<Option<Arc<Message>>, StoreError>;
    }
}
mock! {
    /// Mock of [`CommitListener`].
    pub CommitListener {}
    impl CommitListener for CommitListener {
        fn committed(&self, commits: Vec<Committed>);
    }
}
mock! {
    /// Mock of [`Messages`].
    pub Messages {}
    #[async_trait]
    impl Messages for Messages {
        async fn find(&self, id: MessageId) -> Result<Option<Arc<Message>>, StoreError>;
        async fn sent_as(&self, sender: UserId, receiver: UserId, client_id: ClientId) -> Result<Option<Arc<Message>>, StoreError>;
        async fn history(&self, query: HistoryQuery) -> Result<Page<Arc<Message>>, StoreError>;
    }
}
mock! {
    /// Mock of [`Conversations`].
    pub Conversations {}
    #[async_trait]
    impl Conversations for Conversations {
        async fn list(&self, query: ConversationQuery) -> Result<Page<ConversationEntry>, StoreError>;
        async fn partners(&self, user: UserId, most: u32) -> Result<Vec<UserId>, StoreError>;
        async fn partners_among(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<UserId>, StoreError>;
    }
}
mock! {
    /// Mock of [`Changes`].
    pub Changes {}
    #[async_trait]
    impl Changes for Changes {
        async fn position(&self) -> Result<SyncPosition, StoreError>;
        async fn changes(&self, query: ChangesQuery) -> Result<ChangesPage, ChangesError>;
    }
}
mock! {
    /// Mock of [`Blocks`].
    pub Blocks {}
    #[async_trait]
    impl Blocks for Blocks {
        async fn change(&self, change: BlockChange) -> Result<bool, BlockError>;
        async fn blocked_by(&self, blocker: UserId) -> Result<Vec<Block>, StoreError>;
        async fn between(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<Block>, StoreError>;
    }
}
mock! {
    /// Mock of [`Seals`].
    pub Seals {}
    impl Seals for Seals {
        fn seal(&self, purpose: SealPurpose, payload: &[u8]) -> String;
        fn open(&self, purpose: SealPurpose, text: &str) -> Option<Vec<u8>>;
    }
}
mock! {
    /// Mock of [`Archive`].
    pub Archive {}
    #[async_trait]
    impl Archive for Archive {
        fn holds_case_twins(&self) -> bool;
        async fn extent(&self) -> Result<Extent, StoreError>;
        async fn users(&self, after: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError>;
        async fn messages(&self, query: ArchiveQuery) -> Result<Vec<Arc<Message>>, StoreError>;
        async fn put_users(&self, users: Vec<User>) -> Result<(), ArchiveError>;
        async fn put_messages(&self, messages: Vec<Message>) -> Result<(), ArchiveError>;
        async fn blocks(&self, after: Option<(UserId, UserId)>, limit: u32) -> Result<Vec<Block>, StoreError>;
        async fn put_blocks(&self, blocks: Vec<Block>) -> Result<(), ArchiveError>;
    }
}
mock! {
    /// Mock of [`StoreHealth`].
    pub StoreHealth {}
    #[async_trait]
    impl StoreHealth for StoreHealth {
        async fn check(&self) -> Result<(), StoreError>;
    }
}
mock! {
    /// Mock of [`EventBus`].
    pub EventBus {}
    impl EventBus for EventBus {
        fn publish(&self, event: Event);
    }
}
mock! {
    /// Mock of [`EventSink`].
    pub EventSink {}
    impl EventSink for EventSink {
        fn deliver(&self, event: &Event);
    }
}
mock! {
    /// Mock of [`Clock`].
    pub Clock {}
    impl Clock for Clock {
        fn now(&self) -> Timestamp;
        fn instant(&self) -> std::time::Instant;
    }
}
mock! {
    /// Mock of [`IdSource`].
    pub IdSource {}
    impl IdSource for IdSource {
        fn next_id(&self) -> ObjectId;
    }
}
mock! {
    /// Mock of [`PasswordHasher`].
    pub PasswordHasher {}
    #[async_trait]
    impl PasswordHasher for PasswordHasher {
        async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError>;
        async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, PasswordError>;
    }
}
mock! {
    /// Mock of [`Tokens`].
    pub Tokens {}
    impl Tokens for Tokens {
        fn issue(&self, user: UserId, username: &str, now: Timestamp) -> Result<IssuedToken, TokenError>;
        fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError>;
    }
}
mock! {
    /// Mock of [`RateLimiter`].
    pub RateLimiter {}
    impl RateLimiter for RateLimiter {
        fn take(&self, subject: &RateSubject) -> Result<(), Duration>;
        fn meter(&self) -> Box<dyn RateMeter>;
    }
}
mock! {
    /// Mock of [`RateMeter`].
    pub RateMeter {}
    impl RateMeter for RateMeter {
        fn take(&self) -> Result<(), Duration>;
    }
}
