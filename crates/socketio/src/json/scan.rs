//! A strict scanner (RFC 8259): one pass, no recursion, no allocation, a limit to nesting.

use std::ops::Range;

use super::Invalid;
use super::plain::plain_len;

/// The most levels that a scan can keep track of.
const MAX_DEPTH: usize = 128;

/// Is told what a scan passes. `depth` counts the containers around a value; positions are byte offsets.
pub(super) trait Visitor {
    /// An array or object begins.
    fn open(&mut self, _at: usize, _depth: usize) {}
    /// It ends before `end`.
    fn close(&mut self, _end: usize, _depth: usize) {}
    /// The key, in its quotes, of the member that comes next.
    fn key(&mut self, _raw: &[u8]) {}
    /// A string, number or literal.
    fn scalar(&mut self, _raw: &[u8], _range: Range<usize>, _depth: usize) {}
}

struct Ignore;

impl Visitor for Ignore {}

/// The first byte that is no white space.
pub(crate) fn first_byte(text: &[u8]) -> Option<u8> {
    text.iter().copied().find(|byte| !is_space(*byte))
}

/// Checks that `text` is one JSON value and nothing else, nested at most `max_depth` (and 128) deep.
pub(crate) fn validate(text: &[u8], max_depth: usize) -> Result<(), Invalid> {
    scan(text, 0, max_depth, &mut Ignore)
}

/// Scans the one value that stands in `text` from `at` to its end.
pub(super) fn scan(
    text: &[u8],
    at: usize,
    max_depth: usize,
    visitor: &mut impl Visitor,
) -> Result<(), Invalid> {
    let mut scanner =
        Scanner { text, at, max_depth: max_depth.min(MAX_DEPTH), depth: 0, objects: 0, visitor };
    scanner.run().ok_or(Invalid::Syntax)
}

struct Scanner<'a, V> {
    text: &'a [u8],
    at: usize,
    max_depth: usize,
    depth: usize,
    /// A bit a level, the innermost lowest: set for an object.
    objects: u128,
    visitor: &'a mut V,
}

/// `None` everywhere below means: not JSON.
impl<V: Visitor> Scanner<'_, V> {
    fn run(&mut self) -> Option<()> {
        loop {
            self.value()?;
            if !self.after_value()? {
                return Some(());
            }
        }
    }

    /// Scans a scalar or an empty container, or goes into containers down to the first of these.
    fn value(&mut self) -> Option<()> {
        loop {
            let first = self.next_token()?;
            match first {
                b'{' | b'[' => {
                    if !self.open(first == b'{')? {
                        return Some(());
                    }
                }
                _ => return self.scalar(first),
            }
        }
    }

    /// Opens a container; true if a value is next, false if it was empty and is closed.
    fn open(&mut self, object: bool) -> Option<bool> {
        self.visitor.open(self.at, self.depth);
        self.at += 1;
        self.depth += 1;
        if self.depth > self.max_depth {
            return None;
        }
        self.objects = self.objects << 1 | u128::from(object);
        let closer = if object { b'}' } else { b']' };
        if self.next_token()? == closer {
            self.close();
            return Some(false);
        }
        if object {
            self.key()?;
        }
        Some(true)
    }

    fn close(&mut self) {
        self.at += 1;
        self.depth -= 1;
        self.objects >>= 1;
        self.visitor.close(self.at, self.depth);
    }

    /// Scans what follows a value: true if another value is next, false if the text is over.
    fn after_value(&mut self) -> Option<bool> {
        while self.depth > 0 {
            let in_object = self.objects & 1 == 1;
            match (self.next_token()?, in_object) {
                (b',', true) => {
                    self.at += 1;
                    self.key()?;
                    return Some(true);
                }
                (b',', false) => {
                    self.at += 1;
                    return Some(true);
                }
                (b'}', true) | (b']', false) => self.close(),
                _ => return None,
            }
        }
        self.skip_space();
        (self.at == self.text.len()).then_some(false)
    }

    /// Scans a member's key and colon.
    fn key(&mut self) -> Option<()> {
        if self.next_token()? != b'"' {
            return None;
        }
        let start = self.at;
        self.string()?;
        self.visitor.key(self.text.get(start..self.at)?);
        if self.next_token()? != b':' {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn scalar(&mut self, first: u8) -> Option<()> {
        let start = self.at;
        match first {
            b'"' => self.string(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.number(),
        }?;
        self.visitor.scalar(self.text.get(start..self.at)?, start..self.at, self.depth);
        Some(())
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        self.text.get(self.at..)?.strip_prefix(word)?;
        self.at += word.len();
        Some(())
    }

    /// Scans a string from its opening quote.
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..)?;
            let plain = plain_len(rest);
            self.at += plain + 1;
            match rest.get(plain)? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.take()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.get(self.at..self.at.checked_add(4)?)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }

    /// The next byte that is no white space, not yet passed.
    fn next_token(&mut self) -> Option<u8> {
        self.skip_space();
        self.peek()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
