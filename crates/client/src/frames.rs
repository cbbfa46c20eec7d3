//! WebSocket frames, client side: masked frames out, unmasked unfragmented frames in.

/// Frames longer than this are refused (64 MiB: far above any answer of the server).
const MAX_PAYLOAD: u64 = 64 << 20;

/// The kinds of frame this client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    /// A text message: everything of Engine.IO that this client uses.
    Text,
    /// The end of the connection.
    Close,
    /// Asks for a pong with the same payload.
    Ping,
    /// The answer to a ping.
    Pong,
}

impl Opcode {
    fn bits(self) -> u8 {
        match self {
            Opcode::Text => 0x1,
            Opcode::Close => 0x8,
            Opcode::Ping => 0x9,
            Opcode::Pong => 0xA,
        }
    }

    fn from_bits(bits: u8) -> Result<Opcode, FrameError> {
        match bits {
            0x1 => Ok(Opcode::Text),
            0x8 => Ok(Opcode::Close),
            0x9 => Ok(Opcode::Ping),
            0xA => Ok(Opcode::Pong),
            other => Err(FrameError::Opcode(other)),
        }
    }
}

/// One frame as it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// Its kind.
    pub opcode: Opcode,
    /// Its payload, never masked.
    pub payload: &'a [u8],
}

/// Why a frame of the server was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// An opcode that the server has no reason to send.
    #[error("opcode {0:#x}")]
    Opcode(u8),
    /// Reserved bits without an extension.
    #[error("reserved bits are set")]
    Reserved,
    /// A server must not mask.
    #[error("masked by the server")]
    Masked,
    /// Fragments are legal, but this client does not put them together.
    #[error("fragmented message")]
    Fragmented,
    /// Longer than this client takes.
    #[error("{0} bytes long")]
    TooLong(u64),
}

/// Reads the first frame of `input`: the frame and the bytes it took, or `None` while it is incomplete.
///
/// # Errors
/// [`FrameError`] where the bytes are no frame that a server may send to this client.
pub(crate) fn parse(input: &[u8]) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let Some((&[first, second], rest)) = input.split_first_chunk::<2>() else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(FrameError::Reserved);
    }
    if first & 0x80 == 0 || first & 0x0F == 0 {
        return Err(FrameError::Fragmented);
    }
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    let opcode = Opcode::from_bits(first & 0x0F)?;
    let Some((length, rest)) = length(second, rest) else { return Ok(None) };
    if length > MAX_PAYLOAD {
        return Err(FrameError::TooLong(length));
    }
    let wanted = usize::try_from(length).unwrap_or(usize::MAX);
    let Some((payload, rest)) = rest.split_at_checked(wanted) else { return Ok(None) };
    Ok(Some((Frame { opcode, payload }, input.len() - rest.len())))
}

fn length(second: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    match second {
        126 => {
            rest.split_first_chunk::<2>().map(|(bytes, rest)| (u64::from(u16::from_be_bytes(*bytes)), rest))
        }
        127 => rest.split_first_chunk::<8>().map(|(bytes, rest)| (u64::from_be_bytes(*bytes), rest)),
        short => Some((u64::from(short), rest)),
    }
}

/// Appends one masked frame to `out`.
pub(crate) fn encode(opcode: Opcode, payload: &[u8], key: [u8; 4], out: &mut Vec<u8>) {
    out.push(0x80 | opcode.bits());
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | u8::try_from(short).unwrap_or(125)),
        long => match u16::try_from(long) {
            Ok(medium) => {
                out.push(0x80 | 126);
                out.extend_from_slice(&medium.to_be_bytes());
            }
            Err(_) => {
                out.push(0x80 | 127);
                out.extend_from_slice(&(long as u64).to_be_bytes());
            }
        },
    }
    out.extend_from_slice(&key);
    mask(payload, key, out);
}

/// Masks whole words, then the rest: a quarter of the work of byte by byte.
fn mask(payload: &[u8], key: [u8; 4], out: &mut Vec<u8>) {
    let word = u32::from_ne_bytes(key);
    let (words, rest) = payload.as_chunks::<4>();
    for chunk in words {
        out.extend_from_slice(&(u32::from_ne_bytes(*chunk) ^ word).to_ne_bytes());
    }
    out.extend(rest.iter().zip(key).map(|(byte, key)| byte ^ key));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_server(payload: &[u8]) -> Vec<u8> {
        let mut masked = Vec::new();
        encode(Opcode::Text, payload, [0; 4], &mut masked);
        let head = masked.len() - payload.len() - 4;
        let mut plain = masked[..head].to_vec();
        plain[1] &= 0x7F;
        plain.extend_from_slice(payload);
        plain
    }

    #[test]
    fn frames_of_every_length_form_are_read_back_whole() {
        for size in [0, 1, 125, 126, 65_535, 65_536, 100_000] {
            let payload = vec![b'x'; size];
            let bytes = from_server(&payload);
            let (frame, used) = parse(&bytes).unwrap().unwrap();
            assert_eq!((frame.opcode, frame.payload, used), (Opcode::Text, &payload[..], bytes.len()));
            assert_eq!(
                parse(&bytes[..bytes.len() - 1]),
                if size == 0 { Ok(None) } else { parse(&bytes[..1]) }
            );
        }
    }

    #[test]
    fn what_goes_out_is_masked_with_the_key() {
        let mut out = Vec::new();
        encode(Opcode::Text, b"hello", [1, 2, 3, 4], &mut out);
        assert_eq!(out[..6], [0x81, 0x85, 1, 2, 3, 4]);
        let plain: Vec<u8> = out[6..].iter().zip([1, 2, 3, 4].iter().cycle()).map(|(b, k)| b ^ k).collect();
        assert_eq!(plain, b"hello");
    }

    #[test]
    fn what_a_server_must_not_send_is_refused() {
        assert_eq!(parse(&[0x81, 0x80, 0, 0, 0, 0]), Err(FrameError::Masked));
        assert_eq!(parse(&[0xC1, 0]), Err(FrameError::Reserved));
        assert_eq!(parse(&[0x01, 0]), Err(FrameError::Fragmented));
        assert_eq!(parse(&[0x83, 0]), Err(FrameError::Opcode(3)));
        let endless = [0x81, 127, 0xFF, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(parse(&endless), Err(FrameError::TooLong(0xFF00_0000_0000_0000)));
    }
}
