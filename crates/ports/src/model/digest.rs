//! What is kept of the text that a message had at first.

use std::fmt;

use sha2::{Digest, Sha256};

use super::MessageId;

/// Tells whether a text is the one that a message was sent with, after an edit has replaced it: the first 16 bytes of
/// SHA-256 over the message's id and the text. The id keys it: equal texts have different digests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TextDigest([u8; 16]);

impl TextDigest {
    /// The digest of a message's text.
    #[must_use]
    pub fn of(message: MessageId, text: &str) -> Self {
        let hash: [u8; 32] = Sha256::new().chain_update(message.bytes()).chain_update(text).finalize().into();
        let mut digest = [0; 16];
        digest.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(digest)
    }

    /// Reads one back.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn bytes(&self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Debug for TextDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextDigest(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_one_text_of_one_message() {
        let (a, b) = (MessageId::from_bytes([1; 12]), MessageId::from_bytes([2; 12]));
        let digest = TextDigest::of(a, "hello");
        assert_eq!(TextDigest::from_bytes(digest.bytes()), digest);
        assert_eq!(TextDigest::of(a, "hello"), digest);
        assert_ne!(TextDigest::of(a, "hello!"), digest);
        assert_ne!(TextDigest::of(b, "hello"), digest);
    }
}
