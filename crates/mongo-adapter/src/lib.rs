//! The repositories on MongoDB, and its migrations.
//!
//! **What it is.** [`Store`] implements every repository port of `chat-ports` on a MongoDB database
//! (4.4 or later), in place also on one that a Node/mongoose application has filled. One durable
//! write per message: what queues up while one `insert` is on its way goes out as the next one. Two
//! unique indexes do the work of locks and transactions.
//!
//! **What it may touch.** `chat-ports` and the database. The driver runs on a small runtime of the
//! store's own, so the ports' futures run anywhere.
//!
//! **Where to begin.** A send goes through `store` → `writer` (queue, batch, outcome) → `upkeep`; a
//! reading through `lanes`. How the store comes up, goes away and returns is in `supervisor`, what
//! documents look like in `documents`.

mod archive;
mod blocks;
mod bulk;
mod changes;
mod clock;
mod commits;
mod connection;
mod conversations;
mod documents;
mod error;
mod gate;
mod history;
mod lanes;
mod late;
pub mod migrate;
mod options;
mod replays;
mod store;
mod supervisor;
mod uri;
mod users;
mod writer;

pub use error::{OpenError, StartError};
pub use options::Options;
pub use store::Store;
pub use uri::{MongoUri, UriError};
