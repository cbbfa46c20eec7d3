//! The repositories on SQLite in one folder, log first, and the in-process bus.

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
