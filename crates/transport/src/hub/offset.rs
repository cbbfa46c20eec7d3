//! The text by which clients say up to which event they know: its number, and a tag of the life in which that means something.
//!
//! Official clients keep the text over a new session until they hear an event in it, so it may be of another life of the store.

use crate::wire::write_number;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What tells one life from another: 24 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag([u8; 4]);

impl Tag {
    pub(super) fn of(life: u64) -> Self {
        // Lives may be small numbers; so all their bits count (Fibonacci hashing).
        let bits = life.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        Self([18, 12, 6, 0].map(|shift| DIGITS.get((bits >> shift & 63) as usize).copied().unwrap_or(b'A')))
    }

    /// Writes the text.
    pub(super) fn write(self, out: &mut Vec<u8>, number: u64) {
        write_number(out, number);
        out.push(b'.');
        out.extend_from_slice(&self.0);
    }
}

/// What an offset says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offset {
    /// The event of this number is known, and those before it.
    Event(u64),
    /// It is of another life.
    Foreign,
}

/// Reads it back; `None` for any other text.
pub(super) fn read(text: &str, ours: Tag) -> Option<Offset> {
    let (number, tag) = text.split_once('.')?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|_| is_number)?;
    let is_tag = tag.len() == ours.0.len() && tag.bytes().all(|byte| DIGITS.contains(&byte));
    is_tag.then_some(if tag.as_bytes() == ours.0 { Offset::Event(number) } else { Offset::Foreign })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_read_back_in_its_life_only() {
        let (ours, theirs) = (Tag::of(7), Tag::of(8));
        let mut text = Vec::new();
        ours.write(&mut text, 1_234);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(read(&text, ours), Some(Offset::Event(1_234)));
        assert_eq!(read(&text, theirs), Some(Offset::Foreign));
        let (number, tag) = text.split_once('.').unwrap();
        for other in [
            "",
            ".",
            number,
            tag,
            &format!("{number}.{tag}x"),
            &format!("+{text}"),
            &format!("-{text}"),
            &format!(".{tag}"),
        ] {
            assert_eq!(read(other, ours), None, "{other}");
        }
    }
}
