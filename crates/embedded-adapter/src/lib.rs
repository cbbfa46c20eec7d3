//! The repositories on SQLite in one folder, log first, and the in-process bus.
//!
//! **What it is.** [`Store`] implements every repository port of `chat-ports` on two files. What is
//! new goes to the end of a log (`log.db`), durable before it is acknowledged; tables for reading
//! (`tables.db`) are filled behind it, in large sorted sweeps. What is not swept yet stands in
//! memory, and reads lay it over what they fetch. [`LocalBus`] is the event bus of a single node.
//! `docs/embedded-store.md` explains both, and why.
//!
//! **What it may touch.** `chat-ports`, SQLite and the folder. No runtime: its threads are its own,
//! its futures run anywhere.
//!
//! **Where to begin.** A change goes through `queue` → `writer` (`stage`, commit, publish) →
//! `overlay` → `sweeper`; a read through `store::ports` → `overlay` → `reader`. Opening and damage
//! are in `files`, the tables in `schema`.
//!
//! | thread | owns | waits for |
//! |---|---|---|
//! | `store-writer` | the only write connection to `log.db`; every number of every conversation | its queue; room in memory |
//! | `store-sweeper` | the only write connection to `tables.db` | entries in memory, by number or age |
//! | `store-reader`, several | a read connection to each file | their queue |
//!
//! Three things hold throughout, and reading the code is easier with them in mind. A commit is
//! shown to readers, then told to the listener, then answered. A sweep is committed, then counted,
//! then removed from memory. Whoever reads looks into memory first and opens the tables' snapshot
//! afterwards.

mod backup;
mod bus;
mod error;
mod fault;
mod files;
mod history;
mod job;
mod lazy;
mod options;
mod overlay;
mod queue;
mod reader;
mod record;
mod schema;
mod shared;
mod sqlite;
mod state;
mod store;
mod sweeper;
mod tables;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub use backup::restore;
pub use bus::LocalBus;
pub use error::{BackupError, OpenError};
pub use options::Options;
pub use store::Store;
pub use verify::verify;
