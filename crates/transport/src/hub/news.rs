//! Something stored that sockets are told of, in its two forms: with the number by which a client recovers, and without.

use std::{cell::OnceCell, time::Instant};

use bytes::{BufMut, Bytes, BytesMut};
use chat_domain::model::SocketId;

use super::recent::Told;

/// An event, each of its forms encoded once.
pub(super) struct News {
    number: u64,
    at: Instant,
    plain: Bytes,
    numbered: OnceCell<Bytes>,
}

impl News {
    pub(super) const fn new(number: u64, at: Instant, plain: Bytes) -> Self {
        Self { number, at, plain, numbered: OnceCell::new() }
    }

    pub(super) fn plain(&self) -> Bytes {
        self.plain.clone()
    }

    /// With the number as one more argument, a string: what official clients bring back as `offset`.
    pub(super) fn numbered(&self) -> Bytes {
        self.numbered.get_or_init(|| numbered(&self.plain, self.number)).clone()
    }

    /// What is kept for sockets that may come back; `except` was not told.
    pub(super) fn told(&self, except: Option<&SocketId>) -> Told {
        Told { number: self.number, at: self.at, bytes: self.numbered(), except: except.cloned() }
    }
}

fn numbered(plain: &[u8], number: u64) -> Bytes {
    let arguments = plain.strip_suffix(b"]").unwrap_or(plain);
    let number = number.to_string();
    let mut out = BytesMut::with_capacity(arguments.len() + number.len() + 4);
    out.put_slice(arguments);
    out.put_slice(b",\"");
    out.put_slice(number.as_bytes());
    out.put_slice(b"\"]");
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_one_more_argument() {
        assert_eq!(
            numbered(br#"42["message_read",{"messageId":"1"}]"#, 17),
            r#"42["message_read",{"messageId":"1"},"17"]"#
        );
    }
}
