//! What is wrong, by kind.

use std::{collections::BTreeMap, fmt};

/// The ways in which a promise can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Acknowledged and not there, or there and never told.
    Lost,
    /// There twice, told twice, or one name for two messages.
    Doubled,
    /// Not in the order that was promised.
    Reordered,
    /// A receipt that was taken back, is missing, or was never given.
    Backwards,
    /// The text of a deleted message was seen again.
    Resurrected,
    /// Two sides, two devices, or device and store do not agree.
    Differs,
    /// A block that did not hold.
    Unblocked,
    /// A refusal without a reason, or none where there should be one.
    Answer,
    /// No answer in time.
    Unanswered,
}

impl Kind {
    /// The kind as one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Reordered => "reordered",
            Self::Backwards => "receipts backwards",
            Self::Resurrected => "deleted text seen again",
            Self::Differs => "devices differ",
            Self::Unblocked => "blocks ignored",
            Self::Answer => "wrong answers",
            Self::Unanswered => "unanswered",
        }
    }
}

/// One broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub kind: Kind,
    /// What was seen, for people. Holds ids, never a text or a token.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.word(), self.what)
    }
}

/// All broken promises: counted, and the first ones told.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    counts: BTreeMap<Kind, u64>,
    first: Vec<Finding>,
}

/// Findings that are told; of further ones only the count is kept.
const TOLD: usize = 50;

impl Findings {
    /// Adds one.
    pub fn add(&mut self, kind: Kind, what: impl Into<String>) {
        *self.counts.entry(kind).or_default() += 1;
        if self.first.len() < TOLD {
            self.first.push(Finding { kind, what: what.into() });
        }
    }

    /// Adds all of another run.
    pub fn merge(&mut self, other: Self) {
        for (kind, count) in other.counts {
            *self.counts.entry(kind).or_default() += count;
        }
        let room = TOLD.saturating_sub(self.first.len());
        self.first.extend(other.first.into_iter().take(room));
    }

    /// How many of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    /// The kinds that were found, with their counts.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, u64)> {
        self.counts.iter().map(|(kind, count)| (*kind, *count))
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The first ones.
    #[must_use]
    pub fn first(&self) -> &[Finding] {
        &self.first
    }
}
