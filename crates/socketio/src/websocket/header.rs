//! Reads a frame's header, and refuses it at the first byte that is wrong (RFC 6455, 5.2).

use super::Violation;

/// A client's frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) kind: Kind,
    pub(super) payload: u64,
    pub(super) key: [u8; 4],
    /// Bytes of the header itself.
    pub(super) len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Kind {
    fn from_bits(bits: u8) -> Result<Self, Violation> {
        match bits {
            0x0 => Ok(Self::Continuation),
            0x1 => Ok(Self::Text),
            0x2 => Ok(Self::Binary),
            0x8 => Ok(Self::Close),
            0x9 => Ok(Self::Ping),
            0xa => Ok(Self::Pong),
            _ => Err(Violation::ReservedOpcode),
        }
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

impl Header {
    /// Reads a header from the beginning of `bytes`; `None` until it is whole.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, Violation> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Violation::ReservedBits);
        }
        let fin = first & 0x80 != 0;
        let kind = Kind::from_bits(first & 0x0f)?;
        if kind.is_control() && !fin {
            return Err(Violation::ControlFrame);
        }
        let Some((&second, rest)) = rest.split_first() else { return Ok(None) };
        if second & 0x80 == 0 {
            return Err(Violation::NotMasked);
        }
        if kind.is_control() && second & 0x7f > 125 {
            return Err(Violation::ControlFrame);
        }
        let Some((payload, rest)) = read_length(second & 0x7f, rest)? else { return Ok(None) };
        let Some((&key, rest)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some(Self { fin, kind, payload, key, len: bytes.len() - rest.len() }))
    }
}

/// Reads the length that the seven bits `short` begin.
fn read_length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Violation> {
    match short {
        126 => {
            let Some((&bytes, rest)) = rest.split_first_chunk() else { return Ok(None) };
            let length = u64::from(u16::from_be_bytes(bytes));
            if length < 126 { Err(Violation::Length) } else { Ok(Some((length, rest))) }
        }
        127 => {
            let Some((&bytes, rest)) = rest.split_first_chunk() else { return Ok(None) };
            let length = u64::from_be_bytes(bytes);
            let minimal = length > 0xffff && length >> 63 == 0;
            if minimal { Ok(Some((length, rest))) } else { Err(Violation::Length) }
        }
        _ => Ok(Some((u64::from(short), rest))),
    }
}
