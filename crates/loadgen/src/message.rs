//! The messages of a run: texts that carry their number and the time of sending, and the JSON around them.

use std::borrow::Cow;
use std::io::Write as _;

use serde::Deserialize;

/// The shortest text that holds a stamp.
pub(crate) const MIN_SIZE: usize = 32;
const FILLER: &[u8] = b" the quick brown fox jumps over the lazy dog, and nobody minds";

/// What a text says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The sender's own count: 0, 1, 2 …
    pub(crate) number: u64,
    /// When it was sent, or should have been, in nanoseconds of the load tool's clock.
    pub(crate) at: u64,
}

impl Stamp {
    /// Writes a text of `size` bytes, of plain ASCII that JSON does not escape.
    pub(crate) fn write(self, size: usize, out: &mut Vec<u8>) {
        let start = out.len();
        // Writing into a Vec has no error.
        let _ = write!(out, "{:012}.{:018}", self.number, self.at);
        let end = start + size;
        while let Some(rest @ 1..) = end.checked_sub(out.len()) {
            out.extend_from_slice(FILLER.get(..rest).unwrap_or(FILLER));
        }
    }

    /// Reads the stamp at the beginning of a text.
    pub(crate) fn read(text: &str) -> Option<Stamp> {
        let (number, rest) = text.split_once('.')?;
        let at = rest.split(' ').next()?;
        Some(Stamp { number: number.parse().ok()?, at: at.parse().ok()? })
    }
}

/// A message as the server shows it; only what the load tool looks at.
#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a> {
    /// The text.
    #[serde(borrow)]
    pub(crate) message: Cow<'a, str>,
    /// The number within the conversation.
    pub(crate) seq: u64,
}

/// The acknowledgement of a `private_message`.
#[derive(Debug, Deserialize)]
pub(crate) struct SendAck<'a> {
    /// Whether it was stored.
    pub(crate) ok: bool,
    /// The stored message, if it was.
    #[serde(borrow)]
    pub(crate) message: Option<Message<'a>>,
    /// Why not, if it was not.
    pub(crate) error: Option<Refusal>,
}

/// A failure as the contract shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    /// The code for programs.
    pub(crate) code: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_text_it_is_written_into() {
        for size in [MIN_SIZE, 96, 4_000] {
            let stamp = Stamp { number: 7, at: 123_456_789_012 };
            let mut text = Vec::new();
            stamp.write(size, &mut text);
            let text = String::from_utf8(text).unwrap();
            assert_eq!((text.len(), Stamp::read(&text)), (size, Some(stamp)));
        }
        assert_eq!(Stamp::read("hello"), None);
    }
}
