//! A binary packet whose attachments are still on their way.
//!
//! What waits is copied to its own size: it came in a read buffer that may be large and shared.

use std::time::Instant;

use bytes::Bytes;

use crate::packet::Packet;

/// Boxed inside a session: it is rare.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) packet: Packet,
    pub(super) attachments: Vec<Bytes>,
    pub(super) due: Instant,
    expected: usize,
    pub(super) bytes: usize,
}

/// What an attachment leads to.
pub(super) enum Progress {
    More,
    Complete,
    TooLarge,
}

impl Partial {
    pub(super) fn new(mut packet: Packet, expected: usize, due: Instant) -> Self {
        if let Packet::Event { args, .. } | Packet::Ack { args, .. } = &mut packet {
            args.detach();
        }
        Self { packet, attachments: Vec::with_capacity(expected), due, expected, bytes: 0 }
    }

    pub(super) fn add(&mut self, attachment: &[u8], max_bytes: usize) -> Progress {
        self.bytes += attachment.len();
        self.attachments.push(Bytes::copy_from_slice(attachment));
        if self.bytes > max_bytes {
            Progress::TooLarge
        } else if self.attachments.len() < self.expected {
            Progress::More
        } else {
            Progress::Complete
        }
    }
}
