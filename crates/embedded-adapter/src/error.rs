//! What can go wrong with the folder, and how SQLite's errors look through the ports.

use std::{io, path::PathBuf};

/// Why a store does not open. Each is one line for an operator and names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder or a file in it can't be made, read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process, or another store in this one, has the folder open.
    #[error("{} is locked: another process has this folder open", .0.display())]
    Locked(PathBuf),
    /// A file of this name is there, but it is not ours.
    #[error("{} is not a file of this store", .0.display())]
    Foreign(PathBuf),
    /// A newer build has written the file.
    #[error("{} has format {found}; this build reads formats up to {known}: use a newer build", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this build knows.
        known: i64,
    },
    /// One of the two files is gone.
    #[error("{} is missing beside the rest of its store: put it back, or restore a backup", .0.display())]
    Missing(PathBuf),
    /// The two files are of different stores or of different times.
    #[error("{} does not belong to the file beside it ({reason}): put the right one back, or restore a backup", .path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The file is damaged in a way that loses something acknowledged.
    #[error("{} is damaged ({reason}): restore a backup into an empty folder", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// SQLite refuses the file for another reason.
    #[error("{}: {source}", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The SQLite that this program was linked with can lose commits.
    #[error("SQLite {0} is too old: 3.51.3 or newer is needed, older ones can lose commits")]
    OldSqlite(&'static str),
    /// A thread could not be started.
    #[error("a thread of the store could not be started: {0}")]
    Thread(#[source] io::Error),
}

/// Why a backup was not made or not restored. One line for an operator each.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The file to be made, or a store in the folder to restore into, is there already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The file is no backup of this kind of store, or of a newer build.
    #[error("{} is not a backup that this build can read", .0.display())]
    Foreign(PathBuf),
    /// The file can't be made or read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// SQLite refuses, on one side or the other.
    #[error("{}: {source}", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The files of a store can't be made or read.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// A thread could not be started.
    #[error("a thread for the backup could not be started: {0}")]
    Thread(#[source] io::Error),
    /// The thread ended without an answer.
    #[error("the backup was interrupted")]
    Closed,
}
