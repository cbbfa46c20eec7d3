//! Checks text as it arrives, in pieces, and fails at the first byte that can't be right (RFC 6455, 8.1).

/// What is left of a sequence that the last piece cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Utf8 {
    tail: [u8; 4],
    len: usize,
}

impl Utf8 {
    /// Takes the next piece; false if the text can't become valid any more.
    pub(super) fn feed(&mut self, mut piece: &[u8]) -> bool {
        while self.len > 0 {
            let Some((&byte, rest)) = piece.split_first() else { return true };
            piece = rest;
            if !self.complete(byte) {
                return false;
            }
        }
        match std::str::from_utf8(piece) {
            Ok(_) => true,
            Err(error) if error.error_len().is_none() => {
                self.keep(piece.get(error.valid_up_to()..).unwrap_or_default());
                true
            }
            Err(_) => false,
        }
    }

    /// Whether no sequence is left open.
    pub(super) fn is_complete(self) -> bool {
        self.len == 0
    }

    fn keep(&mut self, cut: &[u8]) {
        for (slot, byte) in self.tail.iter_mut().zip(cut) {
            *slot = *byte;
        }
        self.len = cut.len();
    }

    /// Adds a byte to the open sequence.
    fn complete(&mut self, byte: u8) -> bool {
        if let Some(slot) = self.tail.get_mut(self.len) {
            *slot = byte;
        }
        self.len += 1;
        match std::str::from_utf8(self.tail.get(..self.len).unwrap_or_default()) {
            Ok(_) => {
                self.len = 0;
                true
            }
            Err(error) => error.error_len().is_none(),
        }
    }
}
