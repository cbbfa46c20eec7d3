//! What goes over the control socket.

use std::path::PathBuf;

use chat_domain::model::UserId;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Most bytes of a line, either way.
pub(super) const MAX_LINE: u64 = 65_536;

/// Asks a server to do something. Holds passwords, so it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Makes an account.
    AddUser { username: String, email: String, password: String },
    /// Finds an account by its username.
    FindUser { username: String },
    /// Backs the store up to a file, which must not exist; the path is absolute.
    Backup { file: PathBuf },
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// The account made or found.
    User { id: UserId, username: String },
    /// Done.
    Done,
    /// Not done; one line for people.
    Failed { reason: String },
}

impl Answer {
    /// The account, where one was asked for.
    pub(crate) fn user(self) -> Result<(UserId, String), Failure> {
        match self {
            Self::User { id, username } => Ok((id, username)),
            Self::Done => Err(Failure::Run(MIXED_UP.into())),
            Self::Failed { reason } => Err(Failure::Run(reason)),
        }
    }

    /// Nothing, where something was to be done.
    pub(crate) fn done(self) -> Result<(), Failure> {
        match self {
            Self::Done => Ok(()),
            Self::User { .. } => Err(Failure::Run(MIXED_UP.into())),
            Self::Failed { reason } => Err(Failure::Run(reason)),
        }
    }
}

const MIXED_UP: &str = "the server answered something else than was asked";
