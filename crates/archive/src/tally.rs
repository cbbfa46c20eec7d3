//! Counts and hashes, line by line.

use sha2::{Digest, Sha256};

use crate::{
    line::{End, Line, hex},
    progress::{Progress, Step},
};

/// What went by so far.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    pub(crate) users: u64,
    pub(crate) messages: u64,
    pub(crate) blocks: u64,
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
            Line::Block(_) => {
                self.blocks += 1;
                self.content.update(bytes);
            }
            Line::End(_) => return,
        }
        self.all.update(bytes);
    }

    /// How much it is: users, messages, blocks.
    pub(crate) const fn counts(&self) -> (u64, u64, u64) {
        (self.users, self.messages, self.blocks)
    }

    /// The line that closes what went by.
    pub(crate) fn end(&self) -> End {
        End {
            users: self.users,
            messages: self.messages,
            blocks: self.blocks,
            content: self.content(),
            sha256: hex(&self.all.clone().finalize()),
        }
    }

    /// The hash of the users, messages and blocks, as hex digits.
    pub(crate) fn content(&self) -> String {
        hex(&self.content.clone().finalize())
    }

    /// How far a step is that has gone through this.
    pub(crate) const fn progress(&self, step: Step) -> Progress {
        Progress { step, users: self.users, messages: self.messages }
    }
}
