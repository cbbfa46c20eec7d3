//! The port for time.

use std::time::Instant;

use crate::model::Timestamp;

/// The only clock that the chat logic knows.
pub trait Clock: Send + Sync {
    /// The wall clock: for people, and for tokens.
    fn now(&self) -> Timestamp;

    /// The monotonic clock: for deadlines and graces. MUST never go backwards.
    fn instant(&self) -> Instant;
}
