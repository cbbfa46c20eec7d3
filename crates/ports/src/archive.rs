//! The port for moving a store: everything it holds, in an order that every store agrees on.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    StoreError, TakenField,
    model::{Block, ConversationId, Message, User, UserId},
};

/// A message's place in an archive: its conversation, by key, then its `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessagePlace {
    /// The conversation.
    pub conversation: ConversationId,
    /// The `seq` in it.
    pub seq: u64,
}

impl MessagePlace {
    /// Where a message stands.
    pub fn of(message: &Message) -> Self {
        Self { conversation: message.conversation(), seq: message.seq }
    }
}

/// Which messages to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveQuery {
    /// The last message of the page before.
    pub after: Option<MessagePlace>,
    /// Most messages.
    pub limit: u32,
    /// Bytes of text after which the page ends early; it has at least one message all the same.
    pub max_bytes: usize,
}

/// How much a store holds, and where it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// How many users there are.
    pub users: u64,
    /// The one with the largest id.
    pub last_user: Option<UserId>,
    /// How many messages there are, whether or not a walk meets them.
    pub messages: u64,
    /// The place of the last one of a walk.
    pub last_message: Option<MessagePlace>,
    /// How many blocks there are.
    pub blocks: u64,
}

/// Something that was not put.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Something else stands there.
    #[error("{collection} {id}: another {field} stands in the store")]
    Differs {
        /// `users`, `messages` or `blocks`.
        collection: &'static str,
        /// The id of what was to be put.
        id: String,
        /// The first field that differs, by its name in the model.
        field: &'static str,
    },
    /// Another account has the name or address, ignoring case, and the store can hold one of them only.
    #[error("users {user} and {other}: {field:?} is the same but for upper and lower case")]
    Collides {
        /// The account that was to be put.
        user: UserId,
        /// The one that stands there.
        other: UserId,
        /// What they have in common.
        field: TakenField,
    },
    /// The message's predecessor in its conversation is not there.
    #[error("messages {id}: seq {seq} does not follow in its conversation")]
    Gap {
        /// The message.
        id: String,
        /// Its number.
        seq: u64,
    },
    /// This kind of store has no form for the value.
    #[error("{collection} {id}: this kind of store can't hold its {field}")]
    Unfit {
        /// `users` or `messages`.
        collection: &'static str,
        /// The id.
        id: String,
        /// The field.
        field: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Everything a store holds, to be copied into another one.
///
/// Users stand by id; messages by their conversation's key, then `seq`; blocks by blocker, then blocked. What is read and put is exact: every
/// field, byte for byte and to the millisecond. A page costs what it holds, wherever it stands. Nobody else
/// may be writing.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Whether accounts whose names or addresses differ by case only can stand beside each other. Where not,
    /// putting the second one is [`ArchiveError::Collides`].
    fn holds_case_twins(&self) -> bool;

    /// How much there is, and where it ends.
    ///
    /// # Errors
    /// The store failed.
    async fn extent(&self) -> Result<Extent, StoreError>;

    /// The `limit` users after this one, by id; fewer only at the end.
    ///
    /// # Errors
    /// The store failed.
    async fn users(&self, after: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError>;

    /// The messages after a place, as they are now; none only at the end.
    ///
    /// # Errors
    /// The store failed.
    async fn messages(&self, query: ArchiveQuery) -> Result<Vec<Arc<Message>>, StoreError>;

    /// Puts accounts as they are: durable when it answers. One that stands there the same is passed over.
    ///
    /// # Errors
    /// [`ArchiveError::Differs`] where an account of this id is another; what came before it may have been put.
    async fn put_users(&self, users: Vec<User>) -> Result<(), ArchiveError>;

    /// Puts messages as they are, at their `seq`: durable when it answers, and from then on like any other
    /// message: it is found, listed, read, and known by its client id. Any set of them may have been read.
    /// They MUST come in the order of an archive, each conversation from 1 on or from where the store's ends;
    /// one that stands there the same is passed over. No [`CommitListener`](crate::CommitListener) is told.
    ///
    /// # Errors
    /// [`ArchiveError::Differs`] where another message has its place, its id or its client id,
    /// [`ArchiveError::Gap`] where none stands just before it; what came before it may have been put.
    async fn put_messages(&self, messages: Vec<Message>) -> Result<(), ArchiveError>;

    /// The `limit` blocks after this one, by blocker, then blocked; fewer only at the end.
    ///
    /// # Errors
    /// The store failed.
    async fn blocks(&self, after: Option<(UserId, UserId)>, limit: u32) -> Result<Vec<Block>, StoreError>;

    /// Puts blocks as they are, however many a user has: durable when it answers. One that stands there the same is
    /// passed over.
    ///
    /// # Errors
    /// [`ArchiveError::Differs`] where it stands there since another time.
    async fn put_blocks(&self, blocks: Vec<Block>) -> Result<(), ArchiveError>;
}

/// The first field in which two users differ, by its name in the model.
pub fn user_difference(a: &User, b: &User) -> Option<&'static str> {
    let User { id, username, email, password, is_online, last_seen, created_at, updated_at } = a;
    let same = [
        ("id", *id == b.id),
        ("username", *username == b.username),
        ("email", *email == b.email),
        ("password", *password == b.password),
        ("is_online", *is_online == b.is_online),
        ("last_seen", *last_seen == b.last_seen),
        ("created_at", *created_at == b.created_at),
        ("updated_at", *updated_at == b.updated_at),
    ];
    same.into_iter().find_map(|(field, same)| (!same).then_some(field))
}

/// The first field in which two messages differ, by its name in the model.
pub fn message_difference(a: &Message, b: &Message) -> Option<&'static str> {
    let Message {
        id,
        seq,
        sender,
        receiver,
        text,
        timestamp,
        delivered_at,
        read_at,
        edited_at,
        deleted_at,
        client_id,
        first_text,
    } = a;
    let same = [
        ("id", *id == b.id),
        ("seq", *seq == b.seq),
        ("sender", *sender == b.sender),
        ("receiver", *receiver == b.receiver),
        ("text", *text == b.text),
        ("timestamp", *timestamp == b.timestamp),
        ("delivered_at", *delivered_at == b.delivered_at),
        ("read_at", *read_at == b.read_at),
        ("edited_at", *edited_at == b.edited_at),
        ("deleted_at", *deleted_at == b.deleted_at),
        ("first_text", *first_text == b.first_text),
        ("client_id", *client_id == b.client_id),
    ];
    same.into_iter().find_map(|(field, same)| (!same).then_some(field))
}
