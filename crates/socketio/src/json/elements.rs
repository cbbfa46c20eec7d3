//! Finds where the elements of an outermost array stand.

use std::ops::Range;

use smallvec::SmallVec;

use super::Invalid;
use super::scan::{Visitor, scan};

/// Where one element stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A name and two arguments need no allocation.
pub(crate) type Spans = SmallVec<[Span; 3]>;

/// Validates the array that stands in `text` from `at` to its end and finds its elements, `max` at most.
pub(crate) fn elements(text: &[u8], at: usize, max_depth: usize, max: usize) -> Result<Spans, Invalid> {
    if u32::try_from(text.len()).is_err() {
        return Err(Invalid::Syntax);
    }
    let mut recorder = Recorder { spans: Spans::new(), start: 0, max, too_many: false };
    scan(text, at, max_depth, &mut recorder)?;
    if recorder.too_many { Err(Invalid::TooMany) } else { Ok(recorder.spans) }
}

struct Recorder {
    spans: Spans,
    start: usize,
    max: usize,
    too_many: bool,
}

impl Recorder {
    fn record(&mut self, start: usize, end: usize) {
        if self.spans.len() == self.max {
            self.too_many = true;
            return;
        }
        // The text's length fits, so do positions in it.
        if let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) {
            self.spans.push(Span { start, end });
        }
    }
}

impl Visitor for Recorder {
    fn open(&mut self, at: usize, depth: usize) {
        if depth == 1 {
            self.start = at;
        }
    }

    fn close(&mut self, end: usize, depth: usize) {
        if depth == 1 {
            self.record(self.start, end);
        }
    }

    fn scalar(&mut self, _raw: &[u8], range: Range<usize>, depth: usize) {
        if depth == 1 {
            self.record(range.start, range.end);
        }
    }
}
