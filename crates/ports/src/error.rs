//! What can go wrong behind a port.

use std::error::Error;

/// A store that did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Unreachable, full, closed, or its queue is full. Trying again later makes sense. For a write,
    /// the outcome may be unknown.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// It did not answer before the deadline. For a write, the outcome may be unknown.
    #[error("the store did not answer in time")]
    Timeout,
    /// Something stored can't be read.
    #[error("{collection} {id}: field {field} can't be read")]
    Corrupt {
        /// The table or collection.
        collection: &'static str,
        /// The row's or document's id.
        id: String,
        /// The field.
        field: &'static str,
    },
    /// A defect of the adapter: a statement that the store refuses.
    #[error("the store refused a statement: {0}")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

/// A unique field of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenField {
    /// The username, ignoring case.
    Username,
    /// The address, ignoring case.
    Email,
}

/// A user that was not inserted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InsertUserError {
    /// Somebody has that name or address.
    #[error("{0:?} is taken")]
    Taken(TakenField),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
