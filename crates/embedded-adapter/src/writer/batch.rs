//! What one commit will make durable, and whom it will answer.

use std::collections::HashSet;

use chat_ports::{Committed, StoreError};

use crate::{
    job::Answer,
    overlay::{DedupKey, Staged},
};

/// What one commit will make durable, and whom it will answer.
#[derive(Default)]
pub(super) struct Batch {
    /// The entries, in the order of their numbers.
    pub(super) staged: Vec<Staged>,
    /// The messages among them that have a name of their sender's: copies wait for the first one's
    /// commit.
    pub(super) keys: HashSet<DedupKey>,
    /// What the listener will be told.
    pub(super) commits: Vec<Committed>,
    /// Whether something was written to see whether the log can grow.
    pub(super) probed: bool,
    answers: Vec<Pending>,
}

struct Pending {
    answer: Answer,
    /// Whether it is only true once the batch is durable.
    needs_commit: bool,
}

impl Batch {
    /// Answers after the commit.
    pub(super) fn answer(&mut self, answer: Answer) {
        self.answers.push(Pending { answer, needs_commit: true });
    }

    /// Answers at the same time, but whatever becomes of the commit.
    pub(super) fn answer_anyway(&mut self, answer: Answer) {
        self.answers.push(Pending { answer, needs_commit: false });
    }

    /// Sends the answers, in the order of the requests.
    pub(super) fn send_answers(&mut self) {
        self.answers.drain(..).for_each(|pending| pending.answer.send());
    }

    /// Sends the answers of a batch that was not stored, or not that we know.
    pub(super) fn refuse_answers(&mut self, error: impl Fn() -> StoreError) {
        for Pending { answer, needs_commit } in self.answers.drain(..) {
            if needs_commit { answer.refuse(&error) } else { answer.send() }
        }
    }
}
