//! The vocabulary of the chat and the traits that its logic needs.
//!
//! **What it is.** [`model`] holds ids, value types that can't be invalid, aggregates, events and
//! limits. Each other module is one *port*: a trait named by a need of the chat logic, whose docs say
//! what an implementation MUST do. Every "MUST" of a store's port is a test in the conformance suite
//! (`chat-testkit`), which the fake and every store run word for word; the others are tested where they
//! are implemented.
//!
//! **What it may touch.** Nothing: no runtime, no I/O, no clock, no randomness. Adapters and `auth`
//! see this crate only; the chat logic (`chat-domain`) re-exports it.
//!
//! **Where to begin.** [`MessageLog`] is the port that the hot path goes through; [`CommitListener`]
//! is how what became durable gets out again. To add a store: implement [`Users`], [`MessageLog`],
//! [`Messages`], [`Conversations`], [`Changes`], [`Blocks`] and [`StoreHealth`], and [`Archive`] to move it; then run the conformance
//! suite on it.

pub mod model;

mod archive;
mod blocks;
mod bus;
mod changes;
mod clock;
mod conversations;
mod error;
mod health;
mod ids;
mod message_log;
mod messages;
mod passwords;
mod rate_limiter;
mod replays;
mod seals;
mod tokens;
mod users;

#[cfg(feature = "mocks")]
pub mod mocks;

pub use archive::{
    Archive, ArchiveError, ArchiveQuery, Extent, MessagePlace, message_difference, user_difference,
};
pub use blocks::{BlockChange, BlockError, Blocks};
pub use bus::{EventBus, EventSink};
pub use changes::{Changes, ChangesError, ChangesPage, ChangesQuery, SyncPosition};
pub use clock::Clock;
pub use conversations::{ConversationQuery, Conversations};
pub use error::{InsertUserError, StoreError, TakenField};
pub use health::StoreHealth;
pub use ids::IdSource;
pub use message_log::{
    AppendError, Appended, Commit, CommitListener, CommitNumber, Committed, Delete, Edit, MessageLog,
    NewMessage, Receipt, ReceiptKind, ReceiptSpan,
};
pub use messages::{HistoryAnchor, HistoryQuery, Messages};
pub use passwords::{PasswordError, PasswordHasher};
pub use rate_limiter::{AddressBlock, RateLimiter, RateMeter, RateSubject};
pub use replays::{Numbering, Replay, ReplayQuery, Replays};
pub use seals::{SealPurpose, Seals};
pub use tokens::{Claims, IssuedToken, TokenError, Tokens};
pub use users::{Login, NewUser, PresenceRecord, UserQuery, Users};
