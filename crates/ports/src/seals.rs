//! The port for texts that clients carry and cannot change.

/// What a sealed text is for: one made for one purpose is not taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SealPurpose {
    /// A position of `sync`.
    SyncCursor,
    /// A session that may be recovered.
    Session,
}

/// Seals what clients bring back: they may read it, and change nothing.
pub trait Seals: Send + Sync {
    /// Makes a text of it, of `A–Z a–z 0–9 - _` only, that every node with the same secret opens, also after a restart.
    fn seal(&self, purpose: SealPurpose, payload: &[u8]) -> String;

    /// The payload of a text that was sealed for this purpose; `None` for every other text, however long. MUST compare in constant time.
    fn open(&self, purpose: SealPurpose, text: &str) -> Option<Vec<u8>>;
}
