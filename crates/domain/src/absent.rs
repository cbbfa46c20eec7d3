//! For programs that use a part of the chat only.

use std::sync::Arc;

use async_trait::async_trait;
use chat_ports::{
    BlockChange, BlockError, Blocks, Changes, ChangesError, ChangesPage, ChangesQuery, Claims,
    ConversationQuery, Conversations, HistoryQuery, IssuedToken, Messages, PasswordError, PasswordHasher,
    SealPurpose, Seals, StoreError, SyncPosition, TokenError, Tokens,
    model::{
        Block, ClientId, ConversationEntry, Message, MessageId, Page, Password, PasswordHash, Timestamp,
        UserId,
    },
};

/// Stands in for a port that a program does not use, and refuses everything: hasher and tokens where
/// users log in elsewhere, messages and conversations where nobody reads through the chat.
#[derive(Debug, Clone, Copy, Default)]
pub struct Absent;

const REASON: &str = "this program has no such port";

fn absent<T>() -> Result<T, StoreError> {
    Err(StoreError::Internal(REASON.into()))
}

#[async_trait]
impl PasswordHasher for Absent {
    async fn hash(&self, _: Password) -> Result<PasswordHash, PasswordError> {
        Err(PasswordError::Failed(REASON.to_owned()))
    }

    async fn verify(&self, _: Password, _: Option<PasswordHash>) -> Result<bool, PasswordError> {
        Err(PasswordError::Failed(REASON.to_owned()))
    }
}

impl Tokens for Absent {
    fn issue(&self, _: UserId, _: &str, _: Timestamp) -> Result<IssuedToken, TokenError> {
        Err(TokenError::Signing)
    }

    fn verify(&self, _: &str, _: Timestamp) -> Result<Claims, TokenError> {
        Err(TokenError::Invalid)
    }
}

#[async_trait]
impl Messages for Absent {
    async fn find(&self, _: MessageId) -> Result<Option<Arc<Message>>, StoreError> {
        absent()
    }

    async fn sent_as(&self, _: UserId, _: UserId, _: ClientId) -> Result<Option<Arc<Message>>, StoreError> {
        absent()
    }

    async fn history(&self, _: HistoryQuery) -> Result<Page<Arc<Message>>, StoreError> {
        absent()
    }
}

#[async_trait]
impl Conversations for Absent {
    async fn list(&self, _: ConversationQuery) -> Result<Page<ConversationEntry>, StoreError> {
        absent()
    }

    async fn partners(&self, _: UserId, _: u32) -> Result<Vec<UserId>, StoreError> {
        absent()
    }

    async fn partners_among(&self, _: UserId, _: Vec<UserId>) -> Result<Vec<UserId>, StoreError> {
        absent()
    }
}

#[async_trait]
impl Changes for Absent {
    async fn position(&self) -> Result<SyncPosition, StoreError> {
        absent()
    }

    async fn changes(&self, _: ChangesQuery) -> Result<ChangesPage, ChangesError> {
        Ok(absent()?)
    }
}

/// Nobody blocks anybody, and nobody can.
#[async_trait]
impl Blocks for Absent {
    async fn change(&self, _: BlockChange) -> Result<bool, BlockError> {
        Ok(absent()?)
    }

    async fn blocked_by(&self, _: UserId) -> Result<Vec<Block>, StoreError> {
        Ok(Vec::new())
    }

    async fn between(&self, _: UserId, _: Vec<UserId>) -> Result<Vec<Block>, StoreError> {
        Ok(Vec::new())
    }
}

/// What it seals nobody opens.
impl Seals for Absent {
    fn seal(&self, _: SealPurpose, _: &[u8]) -> String {
        String::new()
    }

    fn open(&self, _: SealPurpose, _: &str) -> Option<Vec<u8>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::{
        Chat, Deps, ErrorCode, HistoryPosition, HistoryRequest, Registration,
        support::{Mocks, user, user_id},
    };

    #[test]
    fn what_needs_an_absent_port_is_refused() {
        let mut mocks = Mocks::new().knowing(&[user(2, "berta")]);
        mocks.users.expect_find_by_login().returning(|_| Ok(None));
        let chat = Chat::new(Deps {
            passwords: Arc::new(Absent),
            tokens: Arc::new(Absent),
            messages: Arc::new(Absent),
            conversations: Arc::new(Absent),
            ..mocks.deps()
        });
        let registration =
            Registration { username: "anna".into(), email: "a@b".into(), password: "long enough".into() };
        let newest = HistoryRequest { limit: None, position: HistoryPosition::Newest { skip: 0 } };
        let codes = [
            block_on(chat.accounts.register(registration)).unwrap_err().code(),
            block_on(chat.accounts.authenticate("token")).unwrap_err().code(),
            block_on(chat.history.page(user_id(1), user_id(2), newest)).unwrap_err().code(),
            block_on(chat.history.conversations(user_id(1), None, None)).unwrap_err().code(),
        ];
        let [internal, unauthorized] = [ErrorCode::Internal, ErrorCode::Unauthorized];
        assert_eq!(codes, [internal, unauthorized, internal, internal]);
    }
}
