//! The repositories on SQLite in one folder, log first, and the in-process bus.

mod bus;
mod error;
mod options;
mod store;

pub use bus::LocalBus;
pub use error::{BackupError, OpenError};
pub use options::Options;
pub use store::Store;
