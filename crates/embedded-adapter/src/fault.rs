//! What goes wrong while the store runs, before a port gives it its own name.

use chat_ports::StoreError;
use rusqlite::ErrorCode;

/// A statement that failed, or a stored value that can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// SQLite refused.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A value that this store would not have written.
    #[error("{collection} {id}: field {field} can't be read")]
    Corrupt {
        /// The table.
        collection: &'static str,
        /// The row.
        id: String,
        /// The column.
        field: &'static str,
    },
    /// The connection is gone and could not be opened again.
    #[error("{0}")]
    Down(String),
}

impl Fault {
    /// A value of this row that can't be read.
    pub(crate) fn corrupt(collection: &'static str, id: impl ToString, field: &'static str) -> Self {
        Self::Corrupt { collection, id: id.to_string(), field }
    }

    /// Whether a file is damaged, as opposed to out of reach.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) => is_damage(error),
            Self::Corrupt { .. } => true,
            Self::Down(_) => false,
        }
    }

    /// Whether the disk, or the quota, is full.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull))
    }

    /// Whether the connection itself may be at fault, so that a new one is worth trying.
    pub(crate) fn is_connection(&self) -> bool {
        match self {
            Self::Sqlite(error) => is_outage(error) && !self.is_full(),
            Self::Corrupt { .. } => false,
            Self::Down(_) => true,
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sqlite(error) if is_outage(&error) => Self::Unavailable(error.into()),
            Fault::Sqlite(error) if is_damage(&error) => {
                Self::Corrupt { collection: "database", id: error.to_string(), field: "page" }
            }
            Fault::Sqlite(error) => Self::Internal(error.into()),
            Fault::Corrupt { collection, id, field } => Self::Corrupt { collection, id, field },
            Fault::Down(why) => Self::Unavailable(why.into()),
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// The errors of the world around, not of the statement: they pass.
fn is_outage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory
                | ErrorCode::NoLargeFileSupport
                | ErrorCode::OperationInterrupted
        )
    )
}

/// The answer of a store that was closed, or that lost the thread which should have answered.
pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}
