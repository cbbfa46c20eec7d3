//! Seals that anybody could break.

use chat_ports::{SealPurpose, Seals};

/// Writes the purpose and the payload in hex, and opens what is written so.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeSeals;

impl Seals for FakeSeals {
    fn seal(&self, purpose: SealPurpose, payload: &[u8]) -> String {
        let hex: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{purpose:?}-{hex}")
    }

    fn open(&self, purpose: SealPurpose, text: &str) -> Option<Vec<u8>> {
        let hex = text.strip_prefix(&format!("{purpose:?}-"))?;
        let pairs = hex.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    }
}
