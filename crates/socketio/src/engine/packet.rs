//! One Engine.IO packet as it stands in a WebSocket text message or between separators of a payload.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::{Buf, Bytes};

/// Reads base64 with or without padding, as clients differ; writes it with.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A packet, as a client sends it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet {
    /// `0`: known, but a server's to send; from a client it means nothing.
    Open,
    /// `1`: the session ends.
    Close,
    /// `2`: from a client only as the upgrade's probe.
    Ping(Bytes),
    /// `3`: the answer to a ping.
    Pong,
    /// `4`: a message in text.
    Text(Bytes),
    /// A message in bytes: a WebSocket binary message, or `b` and base64 (in payloads, and from clients
    /// that are told to use base64 everywhere).
    Binary(Bytes),
    /// `5`: the client has moved to the new transport.
    Upgrade,
    /// `6`: nothing.
    Noop,
}

impl Packet {
    /// Decodes a packet that came as text, valid UTF-8. What stands after a type that carries no data is ignored, as
    /// in Node.
    ///
    /// # Errors
    /// No type or an unknown one, or illegal base64.
    pub fn decode(mut text: Bytes) -> Result<Self, InvalidPacket> {
        let kind = text.first().copied().ok_or(InvalidPacket)?;
        text.advance(1);
        match kind {
            b'0' => Ok(Self::Open),
            b'1' => Ok(Self::Close),
            b'2' => Ok(Self::Ping(text)),
            b'3' => Ok(Self::Pong),
            b'4' => Ok(Self::Text(text)),
            b'b' => decode_base64(&text).map(Self::Binary),
            b'5' => Ok(Self::Upgrade),
            b'6' => Ok(Self::Noop),
            _ => Err(InvalidPacket),
        }
    }
}

/// Reads base64 that may stand in several lines: the Java client ends one after 76 characters, and Node reads it.
fn decode_base64(text: &[u8]) -> Result<Bytes, InvalidPacket> {
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let decoded = if text.iter().any(is_line_end) {
        let one_line: Vec<u8> = text.iter().copied().filter(|byte| !is_line_end(byte)).collect();
        BASE64.decode(one_line)
    } else {
        BASE64.decode(text)
    };
    decoded.map(Bytes::from).or(Err(InvalidPacket))
}

impl std::fmt::Debug for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open => f.write_str("Open"),
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

/// A packet that the protocol does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid Engine.IO packet")]
pub struct InvalidPacket;
