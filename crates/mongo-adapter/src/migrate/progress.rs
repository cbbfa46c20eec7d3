//! What a run of migrations tells about itself.

use std::{fmt, time::Duration};

use tokio::time::Instant;

/// How often a count is told.
const EVERY: Duration = Duration::from_secs(2);

/// What a run of migrations tells. `Display` makes a line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The database holds nothing yet.
    Empty {
        /// Its name.
        database: String,
    },
    /// Another process migrates; this one waits.
    Waiting,
    /// A migration begins.
    Begun {
        /// Its number.
        id: u32,
        /// Its name.
        name: String,
    },
    /// How far a long step has come. Told every few seconds.
    Working {
        /// What is counted.
        what: &'static str,
        /// How many are done.
        done: u64,
        /// Of how many, if that is known.
        total: Option<u64>,
    },
    /// Something that an operator should know.
    Note(String),
    /// A migration is applied.
    Applied {
        /// Its number.
        id: u32,
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { database } => write!(f, "the database {database} is empty: it is set up anew"),
            Self::Waiting => f.write_str("another process migrates the database; waiting for it"),
            Self::Begun { id, name } => write!(f, "migration {id:04} {name}: begins"),
            Self::Working { what, done, total: Some(total) } => write!(f, "{done} of {total} {what}"),
            Self::Working { what, done, total: None } => write!(f, "{done} {what}"),
            Self::Note(text) => f.write_str(text),
            Self::Applied { id, name } => write!(f, "migration {id:04} {name}: applied"),
        }
    }
}

/// Hands progress on, counts now and then only.
pub(super) struct Reporter<'a> {
    tell: &'a mut (dyn FnMut(Progress) + Send),
    counted: Instant,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(tell: &'a mut (dyn FnMut(Progress) + Send)) -> Self {
        Self { tell, counted: Instant::now() }
    }

    /// Tells something, now.
    pub(super) fn tell(&mut self, progress: Progress) {
        (self.tell)(progress);
    }

    /// Tells something that an operator should know.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.tell(Progress::Note(text.into()));
    }

    /// Tells how far a step has come, unless that was told just now.
    pub(super) fn count(&mut self, what: &'static str, done: u64, total: Option<u64>) {
        if self.counted.elapsed() >= EVERY {
            self.counted = Instant::now();
            self.tell(Progress::Working { what, done, total });
        }
    }
}
