//! Seals: texts that clients carry and cannot change, by HMAC-SHA256.

use aws_lc_rs::{constant_time, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chat_ports::{SealPurpose, Seals};

/// Bytes of a seal: half of the MAC, which RFC 2104, section 5, allows.
const SEAL_BYTES: usize = 16;

/// No sealed text is longer: what is longer is not even decoded.
const MAX_TEXT_BYTES: usize = 1024;

/// Seals with a key made of the secret that signs tokens: base64url of the payload, then 16 bytes of its MAC.
pub struct HmacSeals {
    key: hmac::Key,
}

impl HmacSeals {
    /// Derives the key from the secret.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = hmac::sign(&root, b"chat-server seals, version 1");
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()) }
    }

    fn mac(&self, purpose: SealPurpose, payload: &[u8]) -> Option<[u8; SEAL_BYTES]> {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&[byte_of(purpose)?]);
        context.update(payload);
        context.sign().as_ref().first_chunk().copied()
    }
}

/// What stands in front of a payload: a purpose that this build does not know seals nothing and opens nothing.
fn byte_of(purpose: SealPurpose) -> Option<u8> {
    match purpose {
        SealPurpose::SyncCursor => Some(1),
        SealPurpose::Session => Some(2),
        _ => None,
    }
}

impl Seals for HmacSeals {
    fn seal(&self, purpose: SealPurpose, payload: &[u8]) -> String {
        let mac = self.mac(purpose, payload).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([payload, &mac].concat())
    }

    fn open(&self, purpose: SealPurpose, text: &str) -> Option<Vec<u8>> {
        if text.len() > MAX_TEXT_BYTES {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let length = bytes.len().checked_sub(SEAL_BYTES)?;
        let (payload, seal) = bytes.split_at_checked(length)?;
        constant_time::verify_slices_are_equal(&self.mac(purpose, payload)?, seal).ok()?;
        bytes.truncate(length);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seals() -> HmacSeals {
        HmacSeals::new(b"a secret of at least thirty-two bytes")
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_by_whoever_has_the_secret(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = seals().seal(SealPurpose::SyncCursor, &payload);
            prop_assert!(text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
            prop_assert_eq!(seals().open(SealPurpose::SyncCursor, &text), Some(payload));
            prop_assert_eq!(seals().open(SealPurpose::Session, &text), None);
            prop_assert_eq!(HmacSeals::new(b"another").open(SealPurpose::SyncCursor, &text), None);
        }

        #[test]
        fn any_other_text_opens_as_nothing(text in ".{0,80}") {
            prop_assert_eq!(seals().open(SealPurpose::SyncCursor, &text), None);
        }

        #[test]
        fn a_changed_bit_is_noticed(payload in proptest::collection::vec(any::<u8>(), 0..40), place: usize, bit in 0..8_u8) {
            let text = seals().seal(SealPurpose::Session, &payload);
            let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            prop_assert_eq!(seals().open(SealPurpose::Session, &URL_SAFE_NO_PAD.encode(bytes)), None);
        }
    }

    #[test]
    fn a_text_longer_than_any_seal_is_not_looked_at() {
        let text = seals().seal(SealPurpose::Session, &[0; 2_000]);
        assert_eq!(seals().open(SealPurpose::Session, &text), None);
    }
}
