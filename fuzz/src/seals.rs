//! Seals, the cursors of `sync` among them: what nobody sealed is not opened, what was sealed is opened as it was. A test of
//! `chat-auth` replays the seeds through it.

use chat_auth::HmacSeals;
use chat_ports::{SealPurpose, Seals};

/// No sealed text is longer than 1,024 characters: this many bytes and their 16 of the seal.
const MOST_BYTES: usize = 752;

/// As a sealed text, and as what is to be sealed.
pub fn seals(data: &[u8]) {
    let seals = HmacSeals::new(b"a secret of the fuzzer, 32 bytes and more");
    for purpose in [SealPurpose::SyncCursor, SealPurpose::Session] {
        assert_eq!(seals.open(purpose, &String::from_utf8_lossy(data)), None, "nobody sealed it");
    }
    let text = seals.seal(SealPurpose::SyncCursor, data);
    let expected = (data.len() <= MOST_BYTES).then(|| data.to_vec());
    assert_eq!(seals.open(SealPurpose::SyncCursor, &text), expected);
    assert_eq!(seals.open(SealPurpose::Session, &text), None, "it is for another purpose");
}
