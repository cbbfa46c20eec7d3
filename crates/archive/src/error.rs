//! What can go wrong. Each is one line for an operator; no content of a store stands in it but ids and names.

use std::{io, path::PathBuf};

use chat_ports::{
    ArchiveError, StoreError, TakenField,
    model::{MessageId, UserId},
};

/// A file that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It can't be made, read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what an export has written.
    #[error("{} is damaged: {what} (line {line})", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
        /// Where, from 1.
        line: u64,
    },
    /// A newer build has written it.
    #[error("{} has version {version}; this build reads {known}: use a newer build", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
        /// The newest version that this build knows.
        known: u32,
    },
}

/// A store that was not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The file, or `FILE.partial`, can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is there.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// Another export is writing the same file.
    #[error("{} is being written by another process", .0.display())]
    Busy(PathBuf),
    /// What an interrupted export has left is of another kind of store.
    #[error("{} is of another kind of store ({source_kind}): remove it", .path.display())]
    OtherSource {
        /// `FILE.partial`.
        path: PathBuf,
        /// What it says.
        source_kind: String,
    },
    /// Somebody has written to the store; what was exported is removed.
    #[error(
        "the store has changed since the export began: stop every server that writes to it and try again"
    )]
    Changed,
    /// Not all that is stored is met by a walk.
    #[error(
        "the store has {stored} messages, of which {walked} were exported: is a server writing to it, or a migration pending?"
    )]
    Incomplete {
        /// Messages in the store.
        stored: u64,
        /// Messages in the file.
        walked: u64,
    },
    /// The store failed. What was exported is kept; the same command goes on from there.
    #[error("{0} (the same command goes on where this one stopped)")]
    Store(#[from] StoreError),
}

/// Two accounts that the store can't hold beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// What they have in common but for upper and lower case.
    pub field: TakenField,
    /// Id and name of the one.
    pub one: (UserId, String),
    /// Id and name of the other.
    pub other: (UserId, String),
}

/// An archive that was not imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file can't be used; nothing was changed, unless it was changed while it was imported.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store holds something else than a beginning of this file; nothing was changed.
    #[error(
        "the store holds {users} users and {messages} messages that are no beginning of this file: import into an empty store"
    )]
    Occupied {
        /// Users in the store.
        users: u64,
        /// Messages in the store.
        messages: u64,
    },
    /// Accounts differ by case only, and the store can't hold both; nothing was changed.
    #[error("{}", twins(.found, *.more))]
    Twins {
        /// The first of them.
        found: Vec<Twin>,
        /// How many further ones there are.
        more: usize,
    },
    /// The store refuses a user or message, or failed. What was put stays; the same command goes on from there.
    #[error("{0} (after an outage the same command goes on where this one stopped)")]
    Store(#[from] ArchiveError),
    /// The store holds another user than the file.
    #[error("the store differs from the file after the import: users {id}: field {field}")]
    UserDiffers {
        /// The user.
        id: UserId,
        /// The field.
        field: &'static str,
    },
    /// The store holds another message than the file.
    #[error("the store differs from the file after the import: messages {id}: field {field}")]
    MessageDiffers {
        /// The message.
        id: MessageId,
        /// The field.
        field: &'static str,
    },
    /// The store holds more than the file, less, or something else.
    #[error(
        "the store differs from the file after the import: it holds {users} users and {messages} messages, and their number or their hash is another"
    )]
    Differs {
        /// Users in the store.
        users: u64,
        /// Messages in the store.
        messages: u64,
    },
}

impl From<serde_json::Error> for ImportError {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(StoreError::Internal(error.into()).into())
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

fn twins(found: &[Twin], more: usize) -> String {
    let pairs = found.iter().map(|twin| {
        let what = match twin.field {
            TakenField::Username => "names",
            TakenField::Email => "addresses",
        };
        let ((a, a_name), (b, b_name)) = (&twin.one, &twin.other);
        format!("{a} {a_name:?} and {b} {b_name:?} ({what})")
    });
    let pairs = pairs.collect::<Vec<_>>().join(", ");
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    format!(
        "this kind of store can't hold accounts that differ by upper and lower case only; rename one of each where they come from: {pairs}{more}"
    )
}
