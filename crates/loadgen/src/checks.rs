//! What must hold of every message: there once, in order. Pure bookkeeping, no I/O.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// Follows the numbers that one sender gave to its messages, as they arrive at the other side.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    next: u64,
    missing: BTreeSet<u64>,
    last_seq: u64,
    doubled: u64,
    out_of_order: u64,
}

impl Arrivals {
    /// Notes that message `number` (0, 1, 2 …) arrived with the conversation's number `seq`.
    pub(crate) fn note(&mut self, number: u64, seq: u64) {
        if number >= self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
            if seq <= self.last_seq {
                self.out_of_order += 1;
            }
        } else if self.missing.remove(&number) {
            self.out_of_order += 1;
        } else {
            self.doubled += 1;
        }
        self.last_seq = self.last_seq.max(seq);
    }

    /// Messages among the first `sent` that were not refused and have not arrived.
    pub(crate) fn lost(&self, sent: u64, refused: &BTreeSet<u64>) -> u64 {
        let never = (self.next..sent).filter(|number| !refused.contains(number)).count();
        let skipped = self.missing.difference(refused).count();
        (never + skipped) as u64
    }
}

/// Follows the acknowledgements of one sender.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    lowest: Option<u64>,
    highest: u64,
    count: u64,
    out_of_order: u64,
}

impl Acks {
    /// Notes an acknowledgement that carried the conversation's number `seq`; `expected` says whether it
    /// answered the oldest open request.
    pub(crate) fn note(&mut self, seq: u64, expected: bool) {
        if !expected || (self.count > 0 && seq <= self.highest) {
            self.out_of_order += 1;
        }
        self.lowest = Some(self.lowest.map_or(seq, |lowest| lowest.min(seq)));
        self.highest = self.highest.max(seq);
        self.count += 1;
    }

    /// The highest number that was acknowledged.
    pub(crate) fn highest(&self) -> u64 {
        self.highest
    }
}

/// The verdict over a run. Everything but `refused` is zero on a correct server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checks {
    /// Sent, not refused, never arrived at the other side.
    pub(crate) lost: u64,
    /// Arrived a second time.
    pub(crate) doubled: u64,
    /// Arrived after a later one, by the sender's order or by `seq`.
    pub(crate) out_of_order: u64,
    /// Acknowledged in another order than asked, or with a `seq` that went back.
    pub(crate) acks_out_of_order: u64,
    /// Numbers that no acknowledged message of a conversation has, between its first and its last.
    pub(crate) seq_gaps: u64,
    /// Sends that got no acknowledgement at all.
    pub(crate) unanswered: u64,
    /// Refused sends by error code.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Why connections ended before the run did, each with its count.
    pub(crate) broken_connections: BTreeMap<String, u64>,
}

impl Checks {
    /// True when nothing at all went wrong.
    pub(crate) fn clean(&self) -> bool {
        *self == Checks::default()
    }

    /// Adds the arrivals at one socket, of which its partner sent `sent` and `refused` were refused.
    pub(crate) fn add_arrivals(&mut self, arrivals: &Arrivals, sent: u64, refused: &BTreeSet<u64>) {
        self.lost += arrivals.lost(sent, refused);
        self.doubled += arrivals.doubled;
        self.out_of_order += arrivals.out_of_order;
    }

    /// Adds the acknowledgements of both sides of one conversation.
    pub(crate) fn add_acks(&mut self, one: &Acks, other: &Acks) {
        self.acks_out_of_order += one.out_of_order + other.out_of_order;
        let Some(lowest) = one.lowest.into_iter().chain(other.lowest).min() else { return };
        let span = one.highest.max(other.highest) - lowest + 1;
        self.seq_gaps += span.abs_diff(one.count + other.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(numbers: &[(u64, u64)], sent: u64, refused: &[u64]) -> (u64, u64, u64) {
        let mut arrivals = Arrivals::default();
        numbers.iter().for_each(|&(number, seq)| arrivals.note(number, seq));
        let mut checks = Checks::default();
        checks.add_arrivals(&arrivals, sent, &refused.iter().copied().collect());
        (checks.lost, checks.doubled, checks.out_of_order)
    }

    #[test]
    fn a_clean_run_has_nothing_to_tell() {
        assert_eq!(verdict(&[(0, 1), (1, 2), (2, 4)], 3, &[]), (0, 0, 0));
    }

    #[test]
    fn losses_doubles_and_swaps_are_told_apart() {
        assert_eq!(verdict(&[(0, 1), (2, 3)], 4, &[]), (2, 0, 0));
        assert_eq!(verdict(&[(0, 1), (2, 3)], 4, &[1, 3]), (0, 0, 0));
        assert_eq!(verdict(&[(0, 1), (1, 2), (1, 2)], 2, &[]), (0, 1, 0));
        assert_eq!(verdict(&[(0, 1), (2, 3), (1, 2)], 3, &[]), (0, 0, 1));
        assert_eq!(verdict(&[(0, 2), (1, 1)], 2, &[]), (0, 0, 1));
    }

    #[test]
    fn acknowledged_numbers_of_both_sides_fill_the_conversation() {
        let (mut one, mut other) = (Acks::default(), Acks::default());
        [1, 2, 4].iter().for_each(|&seq| one.note(seq, true));
        [3, 5].iter().for_each(|&seq| other.note(seq, true));
        let mut checks = Checks::default();
        checks.add_acks(&one, &other);
        assert!(checks.clean(), "{checks:?}");
        other.note(7, false);
        checks.add_acks(&one, &other);
        assert_eq!((checks.seq_gaps, checks.acks_out_of_order), (1, 1));
    }
}
