//! Encodes a server's frames: whole messages, never masked, in the shortest form.

use bytes::{BufMut, BytesMut};

const LONGEST_HEADER: usize = 10;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// A text message.
    Text,
    /// A binary message.
    Binary,
    /// The closing handshake; see [`encode_close`].
    Close,
    /// A ping.
    Ping,
    /// The answer to a ping, with the ping's payload.
    Pong,
}

impl Opcode {
    fn bits(self) -> u8 {
        match self {
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }
}

/// Appends a frame with FIN set. Payloads of control frames are the caller's to keep within 125 bytes.
pub fn encode(opcode: Opcode, payload: &[u8], out: &mut BytesMut) {
    out.reserve(LONGEST_HEADER + payload.len());
    encode_header(opcode, payload.len(), out);
    out.put_slice(payload);
}

/// Appends the header of such a frame, whose payload of `len` bytes goes behind it.
pub fn encode_header(opcode: Opcode, len: usize, out: &mut BytesMut) {
    out.reserve(LONGEST_HEADER);
    out.put_u8(0x80 | opcode.bits());
    match len {
        short @ 0..=125 => out.put_u8(short as u8),
        medium @ 126..=0xffff => {
            out.put_u8(126);
            out.put_u16(medium as u16);
        }
        long => {
            out.put_u8(127);
            out.put_u64(long as u64);
        }
    }
}

/// Appends a close frame with a code and no reason.
pub fn encode_close(code: u16, out: &mut BytesMut) {
    encode(Opcode::Close, &code.to_be_bytes(), out);
}
