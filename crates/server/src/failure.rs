//! Why a command ends without success, and the exit code that says so.

use std::fmt::Display;

/// The end of a command that failed. Displays as one line for people; never holds a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Wrong settings: exit code 2. Starting again without a change makes no sense.
    #[error("{0}")]
    Settings(String),
    /// Anything else: exit code 1.
    #[error("{0}")]
    Run(String),
}

impl Failure {
    /// A failure of something that was tried: `what: why`.
    pub(crate) fn run(what: impl Display, why: impl Display) -> Self {
        Self::Run(format!("{what}: {why}"))
    }

    /// The process's exit code.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Settings(_) => 2,
            Self::Run(_) => 1,
        }
    }
}
