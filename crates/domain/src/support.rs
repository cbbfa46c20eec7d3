//! Mocks of every port in one place, for the tests of the use cases.

use std::sync::Arc;

use chat_ports::{
    mocks::{
        MockBlocks, MockChanges, MockConversations, MockMessageLog, MockMessages, MockPasswordHasher,
        MockSeals, MockTokens, MockUsers,
    },
    model::{Limits, Message, MessageId, PasswordHash, Timestamp, User, UserId},
};
use chat_testkit::{ManualClock, RecordingBus, SequentialIds};

use crate::{Chat, ChatSettings, Deps, Identity};

/// Ports without any expectation: a call that a test does not expect fails it.
#[derive(Default)]
pub(crate) struct Mocks {
    pub(crate) users: MockUsers,
    pub(crate) log: MockMessageLog,
    pub(crate) messages: MockMessages,
    pub(crate) conversations: MockConversations,
    pub(crate) changes: MockChanges,
    pub(crate) blocks: MockBlocks,
    pub(crate) seals: MockSeals,
    pub(crate) passwords: MockPasswordHasher,
    pub(crate) tokens: MockTokens,
    pub(crate) clock: ManualClock,
    pub(crate) bus: Arc<RecordingBus>,
    pub(crate) settings: ChatSettings,
}

impl Mocks {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Lets nobody block anybody.
    pub(crate) fn unblocked(mut self) -> Self {
        self.blocks.expect_between().returning(|_, _| Ok(Vec::new()));
        self
    }

    /// Lets these users be found by id, of whom nobody blocks anybody.
    pub(crate) fn knowing(mut self, users: &[User]) -> Self {
        let users = users.to_vec();
        self = self.unblocked();
        self.users.expect_find().returning(move |id| Ok(users.iter().find(|user| user.id == id).cloned()));
        self
    }

    pub(crate) fn chat(self) -> Chat {
        Chat::new(self.deps())
    }

    pub(crate) fn deps(self) -> Deps {
        Deps {
            users: Arc::new(self.users),
            log: Arc::new(self.log),
            messages: Arc::new(self.messages),
            conversations: Arc::new(self.conversations),
            changes: Arc::new(self.changes),
            replays: None,
            blocks: Arc::new(self.blocks),
            seals: Arc::new(self.seals),
            passwords: Arc::new(self.passwords),
            tokens: Arc::new(self.tokens),
            bus: self.bus,
            clock: Arc::new(self.clock),
            ids: Arc::new(SequentialIds::new()),
            limits: Limits::default(),
            settings: self.settings,
        }
    }
}

pub(crate) fn user_id(number: u8) -> UserId {
    UserId::from_bytes([number; 12])
}

pub(crate) fn message_id(number: u8) -> MessageId {
    MessageId::from_bytes([number; 12])
}

/// A stored user whose name is `name`.
pub(crate) fn user(number: u8, name: &str) -> User {
    User {
        id: user_id(number),
        username: name.to_owned(),
        email: format!("{name}@example.org"),
        password: PasswordHash::new("hash"),
        is_online: false,
        last_seen: None,
        created_at: Timestamp::from_millis(1_000),
        updated_at: Timestamp::from_millis(2_000),
    }
}

pub(crate) fn identity(user: &User) -> Identity {
    let expires_at = Timestamp::from_millis(i64::MAX);
    Identity { user: user.id, username: user.username.as_str().into(), expires_at }
}

/// A stored message, number `seq` of its conversation.
pub(crate) fn message(sender: UserId, receiver: UserId, seq: u8) -> Arc<Message> {
    Arc::new(Message {
        id: message_id(seq),
        seq: u64::from(seq),
        sender,
        receiver,
        text: "hello".to_owned(),
        timestamp: Timestamp::from_millis(1_000 + i64::from(seq)),
        delivered_at: None,
        read_at: None,
        edited_at: None,
        deleted_at: None,
        first_text: None,
        client_id: None,
    })
}
