//! Ids, value types that can't be invalid, aggregates, events and limits.
//!
//! Value types that bind *input* have a `parse` which takes [`Limits`]; what is stored is served
//! whatever its size, so aggregates hold plain strings.

mod block;
mod conversation;
mod digest;
mod event;
mod id;
mod limits;
mod message;
mod page;
mod secret;
mod text;
mod time;
mod user;

pub use block::Block;
pub use conversation::{ConversationEntry, ConversationId};
pub use digest::TextDigest;
pub use event::{Audience, Event};
pub use id::{IdError, MessageId, ObjectId, SocketId, UserId};
pub use limits::Limits;
pub use message::Message;
pub use page::{ConversationCursor, Page, UserCursor};
pub use secret::{Password, PasswordHash};
pub use text::{ClientId, Email, InvalidInput, MessageText, Username, fold};
pub use time::Timestamp;
pub use user::User;
