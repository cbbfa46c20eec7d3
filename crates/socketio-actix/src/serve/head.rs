//! How much of a request's head a connection holds that is not whole yet.
//!
//! The HTTP dispatcher keeps up to 128 KiB of a head and tells nobody, so its bytes are counted on their way in. Bodies
//! are counted by who reads them.

use std::{io, task::Context};

use crate::Share;

/// Counts the bytes of a head until it is whole.
pub(super) struct Head {
    /// What of it has come.
    bytes: usize,
    /// Line feeds at the end of what has come; two end the head, as the dispatcher's parser has it.
    feeds: u8,
    /// Whether it is whole: what comes before an answer is a body or the next request.
    whole: bool,
    share: Share,
}

impl Head {
    pub(super) fn new(share: Share) -> Self {
        Self { bytes: 0, feeds: 0, whole: false, share }
    }

    /// Counts what was read.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        if self.whole {
            return;
        }
        for &byte in bytes {
            match byte {
                // The parser skips empty lines in front of a request.
                b'\r' | b'\n' if self.bytes == 0 => continue,
                b'\n' => self.feeds += 1,
                b'\r' => {}
                _ => self.feeds = 0,
            }
            self.bytes += 1;
            if self.feeds == 2 {
                self.whole = true;
                self.bytes = 0;
                break;
            }
        }
        self.share.set(self.bytes);
    }

    /// Whether it is whole. Until then it is held in so much memory, which may be more than what has come of it.
    pub(super) fn is_whole(&mut self, held: usize) -> bool {
        if !self.whole {
            self.share.set(held);
        }
        self.whole
    }

    /// An answer is on its way, so the next request may begin.
    pub(super) fn answered(&mut self) {
        if self.whole {
            (self.whole, self.feeds) = (false, 0);
        }
    }

    /// Leaves the waker for when the share is lost.
    ///
    /// # Errors
    /// It is lost: others need the memory.
    pub(super) fn check(&self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.share.is_revoked() || self.share.poll_revoked(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::Budget;

    #[test]
    fn a_head_is_counted_until_it_is_whole() {
        let budget = Budget::new(100_000);
        let mut head = Head::new(budget.share());
        head.read(b"\r\n\r\n");
        head.read(b"GET / HTTP/1.1\r\nX: ");
        head.read(&[b'a'; 20_000]);
        assert_eq!(budget.used(), 20_019);
        head.read(b"\r\n");
        head.read(b"\r\nbody");
        assert_eq!(budget.used(), 0);
        head.read(&[b'b'; 50_000]);
        assert_eq!(budget.used(), 0, "a body is counted by who reads it");
        head.answered();
        head.read(&[b'c'; 30_000]);
        assert_eq!(budget.used(), 30_000, "the next head");
    }

    #[test]
    fn a_head_counts_as_much_as_it_is_held_in_until_it_is_whole() {
        let budget = Budget::new(100_000);
        let mut head = Head::new(budget.share());
        head.read(b"GET / HTTP/1.1\r\n");
        assert!(!head.is_whole(16_384));
        assert_eq!(budget.used(), 16_384);
        head.read(b"\r\n");
        assert!(head.is_whole(16_384));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn whoever_sent_most_of_a_head_is_closed_when_all_sent_too_much() {
        let budget = Budget::new(50_000);
        let [mut small, mut large] = [Head::new(budget.share()), Head::new(budget.share())];
        let mut cx = Context::from_waker(Waker::noop());
        large.read(&[b'a'; 40_000]);
        assert!(large.check(&mut cx).is_ok());
        small.read(&[b'a'; 20_000]);
        assert!(large.check(&mut cx).is_err() && small.check(&mut cx).is_ok());
    }
}
