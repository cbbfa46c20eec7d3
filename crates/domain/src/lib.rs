//! The chat itself: use cases over ports, policies as pure functions.
//!
//! **What it is.** [`Chat`] holds the use cases: [`Accounts`], [`Directory`], [`Messaging`], [`History`],
//! [`Sync`], [`Recovery`], [`Blocking`], [`Presence`] and [`Typing`]. They stand on the ports of `chat-ports` as `Arc<dyn Port>`, given in
//! one [`Deps`]. A program that embeds the chat imports this crate alone: [`ports`] and [`model`] are here.
//!
//! **What it may touch.** The ports, and nothing else: no runtime, no timers, no I/O, no clock of its
//! own. What has to happen later is a `tick()` that the embedding program calls.
//!
//! **Where to begin.** `docs/embedding.md` is a whole program. [`Messaging::prepare`] and [`Messaging::submit`] are the way of a message;
//! [`Delivery`] is how it gets out again once it is durable. [`ChatError`] is all that can go wrong.

mod absent;
mod accounts;
mod blocking;
mod chat;
mod circle;
mod delivery;
mod deps;
mod directory;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod history;
mod memory;
mod messaging;
mod origin;
mod people;
mod policy;
mod presence;
mod recovery;
mod relations;
mod sync;
mod typing;
mod view;

#[cfg(test)]
mod support;

/// For implementations of the ports.
pub use async_trait::async_trait;
pub use chat_ports as ports;
pub use chat_ports::model;

pub use absent::Absent;
pub use accounts::{Accounts, Grant, Identity, Registration};
pub use blocking::{BlockPage, BlockedUser, Blocking};
pub use chat::Chat;
pub use circle::{Circle, Circles, PresenceAudience};
pub use delivery::Delivery;
pub use deps::{ChatSettings, Deps};
pub use directory::{Directory, ListUsers, UserPage};
pub use error::{ChatError, Conflict, ErrorCode, Missing, Unauthorized};
pub use history::{
    ConversationPage, ConversationView, History, HistoryPage, HistoryPosition, HistoryRequest,
};
pub use messaging::{GiveReceipt, Messaging, Preparation, Prepared, SendMessage};
pub use presence::{Departure, OnlineUser, OnlineUsers, Presence};
pub use recovery::{Recovery, RecoveryTicket};
pub use sync::{Sync, SyncPage};
pub use typing::Typing;
pub use view::{UserProfile, UserView};

/// The program of `docs/embedding.md`, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
struct Embedding;
