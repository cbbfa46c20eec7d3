//! Pages of a conversation: which numbers they hold. Numbers have no gaps, so a deep page costs what the
//! newest one costs.

use chat_ports::HistoryAnchor;

/// The numbers of a page, both ends included; empty where `first` is past `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl Span {
    /// The page of at most `limit` messages at an anchor, in a conversation whose last number is `end`.
    pub(crate) fn at(anchor: HistoryAnchor, limit: u32, end: u32) -> Self {
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let ending_at = |last: u32| Self { first: last.saturating_sub(limit).saturating_add(1), last };
        match anchor {
            HistoryAnchor::Newest { skip } => ending_at(end.saturating_sub(small(skip))),
            HistoryAnchor::Before(seq) => ending_at(end.min(small(seq).saturating_sub(1))),
            HistoryAnchor::After(seq) => {
                let first = small(seq).saturating_add(1);
                Self { first, last: end.min(small(seq).saturating_add(limit)) }
            }
        }
    }

    /// Whether there is nothing in it.
    pub(crate) const fn is_empty(&self) -> bool {
        self.first > self.last
    }

    /// The part from `floor` on.
    pub(crate) fn from(self, floor: u32) -> Self {
        Self { first: self.first.max(floor), last: self.last }
    }

    /// The part before `floor`.
    pub(crate) fn before(self, floor: u32) -> Self {
        Self { first: self.first, last: self.last.min(floor.saturating_sub(1)) }
    }

    /// The numbers, in order.
    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = u32> {
        self.first..=self.last
    }
}

/// Whether a page is filled from its newest message backwards.
pub(crate) const fn is_backwards(anchor: HistoryAnchor) -> bool {
    !matches!(anchor, HistoryAnchor::After(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_arithmetic_on_the_last_number() {
        let newest = |skip| HistoryAnchor::Newest { skip };
        for (anchor, end, expected) in [
            (newest(0), 100, (91, 100)),
            (newest(95), 100, (1, 5)),
            (newest(100), 100, (1, 0)),
            (newest(u64::MAX), 100, (1, 0)),
            (newest(0), 0, (1, 0)),
            (HistoryAnchor::Before(100), 100, (90, 99)),
            (HistoryAnchor::Before(1), 100, (1, 0)),
            (HistoryAnchor::Before(0), 100, (1, 0)),
            (HistoryAnchor::Before(u64::MAX), 100, (91, 100)),
            (HistoryAnchor::After(0), 100, (1, 10)),
            (HistoryAnchor::After(95), 100, (96, 100)),
            (HistoryAnchor::After(100), 100, (101, 100)),
        ] {
            let span = Span::at(anchor, 10, end);
            assert_eq!((span.first, span.last), expected, "{anchor:?} of {end}");
        }
        assert!(Span::at(HistoryAnchor::After(u64::MAX), 10, 100).is_empty());
    }

    #[test]
    fn a_page_is_cut_where_memory_begins() {
        let span = Span { first: 5, last: 10 };
        assert_eq!((span.before(8), span.from(8)), (Span { first: 5, last: 7 }, Span { first: 8, last: 10 }));
        assert!(span.before(5).is_empty());
        assert!(span.from(11).is_empty());
        assert!(Span { first: 1, last: 3 }.before(0).is_empty());
    }
}
