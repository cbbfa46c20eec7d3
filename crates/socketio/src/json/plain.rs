//! Finds the end of plain text inside a string, eight bytes at a time.

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// How many bytes come before the first quote, backslash or control character; all of them if there is
/// none.
pub(super) fn plain_len(text: &[u8]) -> usize {
    let (chunks, tail) = text.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        let marks = special(u64::from_le_bytes(*chunk));
        if marks != 0 {
            return index * 8 + (marks.trailing_zeros() / 8) as usize;
        }
    }
    let plain = tail.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20);
    text.len() - tail.len() + plain.unwrap_or(tail.len())
}

/// The high bit of the lowest byte that ends plain text (and maybe of bytes above that one): subtracting
/// borrows through a byte only where it is smaller.
fn special(word: u64) -> u64 {
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
    is_zero(word ^ (ONES * u64::from(b'"'))) | is_zero(word ^ (ONES * u64::from(b'\\'))) | control
}
