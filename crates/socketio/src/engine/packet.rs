//! One Engine.IO packet as it stands in a WebSocket text message or between separators of a payload.

use bytes::{Buf, Bytes};

/// A packet that a client may send. OPEN is none of them: only a server sends it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet {
    /// `1`: the session ends.
    Close,
    /// `2`: from a client only as the upgrade's probe.
    Ping(Bytes),
    /// `3`: the answer to a ping.
    Pong,
    /// `4`: a message in text.
    Text(Bytes),
    /// A message in bytes: a WebSocket binary message, `b` and base64 in a payload.
    Binary(Bytes),
    /// `5`: the client has moved to the new transport.
    Upgrade,
    /// `6`: nothing.
    Noop,
}

impl Packet {
    /// Decodes a text packet (of a WebSocket; in a payload `b` may stand too, see
    /// [`decode_payload`](super::decode_payload)). Bytes after `1`, `3`, `5` and `6` are ignored, as in Node.
    ///
    /// # Errors
    /// No type, an unknown type, or one that only a server sends.
    pub fn decode(mut text: Bytes) -> Result<Self, InvalidPacket> {
        let kind = text.first().copied().ok_or(InvalidPacket)?;
        text.advance(1);
        match kind {
            b'1' => Ok(Self::Close),
            b'2' => Ok(Self::Ping(text)),
            b'3' => Ok(Self::Pong),
            b'4' => Ok(Self::Text(text)),
            b'5' => Ok(Self::Upgrade),
            b'6' => Ok(Self::Noop),
            _ => Err(InvalidPacket),
        }
    }
}

impl std::fmt::Debug for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Close => f.write_str("Close"),
            Self::Ping(data) => write!(f, "Ping({} bytes)", data.len()),
            Self::Pong => f.write_str("Pong"),
            Self::Text(data) => write!(f, "Text({} bytes)", data.len()),
            Self::Binary(data) => write!(f, "Binary({} bytes)", data.len()),
            Self::Upgrade => f.write_str("Upgrade"),
            Self::Noop => f.write_str("Noop"),
        }
    }
}

/// A packet that the protocol does not know, or not from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid Engine.IO packet")]
pub struct InvalidPacket;
