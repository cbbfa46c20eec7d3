//! Checks that every placeholder in a binary packet stands for an attachment that comes.

use std::ops::Range;

use smallvec::SmallVec;

use super::scan::{Visitor, scan};
use super::{Invalid, unquote};

/// Checks the placeholders of a valid JSON text: objects with `"_placeholder": true`, at any depth, whose
/// `num` must be a whole number below `attachments`. Repeated and unused attachments are legal.
pub(crate) fn check_placeholders(text: &[u8], max_depth: usize, attachments: usize) -> Result<(), Invalid> {
    let mut checker = Checker { levels: SmallVec::new(), key: Key::Other, attachments, illegal: false };
    scan(text, 0, max_depth, &mut checker)?;
    if checker.illegal { Err(Invalid::Placeholder) } else { Ok(()) }
}

struct Checker {
    /// What is known of each open container; an array stays at its default.
    levels: SmallVec<[Level; 8]>,
    key: Key,
    attachments: usize,
    illegal: bool,
}

#[derive(Default)]
struct Level {
    placeholder: bool,
    number: bool,
}

/// What the value that comes next is the member of.
enum Key {
    Placeholder,
    Number,
    Other,
}

impl Checker {
    /// Notes a member's value; of repeated keys the last counts, as in JavaScript.
    fn member(&mut self, raw: &[u8]) {
        let key = std::mem::replace(&mut self.key, Key::Other);
        let Some(level) = self.levels.last_mut() else { return };
        match key {
            Key::Placeholder => level.placeholder = raw == b"true",
            Key::Number => level.number = is_index(raw, self.attachments),
            Key::Other => {}
        }
    }
}

impl Visitor for Checker {
    fn open(&mut self, _at: usize, _depth: usize) {
        self.member(b"");
        self.levels.push(Level::default());
    }

    fn close(&mut self, _end: usize, _depth: usize) {
        if let Some(level) = self.levels.pop() {
            self.illegal |= level.placeholder && !level.number;
        }
    }

    fn key(&mut self, raw: &[u8]) {
        let key = std::str::from_utf8(raw).map(unquote).unwrap_or_default();
        self.key = match &*key {
            "_placeholder" => Key::Placeholder,
            "num" => Key::Number,
            _ => Key::Other,
        };
    }

    fn scalar(&mut self, raw: &[u8], _range: Range<usize>, _depth: usize) {
        self.member(raw);
    }
}

/// A JSON number, however written (`1`, `1.0`, `1e0`), that is a whole one below `count`.
fn is_index(raw: &[u8], count: usize) -> bool {
    let number = std::str::from_utf8(raw).ok().and_then(|text| text.parse::<f64>().ok());
    number.is_some_and(|number| (0..count).any(|index| index as f64 == number))
}
