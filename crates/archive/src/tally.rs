//! Counts and hashes, line by line.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::{
    line::{End, Line},
    progress::{Progress, Step},
};

/// What went by so far.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    pub(crate) users: u64,
    pub(crate) messages: u64,
    content: Sha256,
    all: Sha256,
}

impl Tally {
    /// Counts a line, given with its line end.
    pub(crate) fn add(&mut self, line: &Line, bytes: &[u8]) {
        match line {
            Line::Header(_) => {}
            Line::User(_) => {
                self.users += 1;
                self.content.update(bytes);
            }
            Line::Message(_) => {
                self.messages += 1;
                self.content.update(bytes);
            }
            Line::End(_) => return,
        }
        self.all.update(bytes);
    }

    /// The line that closes what went by.
    pub(crate) fn end(&self) -> End {
        End {
            users: self.users,
            messages: self.messages,
            content: self.content(),
            sha256: hex(self.all.clone()),
        }
    }

    /// The hash of the users and messages, as hex digits.
    pub(crate) fn content(&self) -> String {
        hex(self.content.clone())
    }

    /// How far a step is that has gone through this.
    pub(crate) const fn progress(&self, step: Step) -> Progress {
        Progress { step, users: self.users, messages: self.messages }
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String does not fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}
