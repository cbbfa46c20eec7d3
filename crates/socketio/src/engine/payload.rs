//! Payloads of polling: packets joined by 0x1e, binary ones in base64 behind a `b`.

use base64::Engine as _;
use bytes::{Buf, Bytes};

use super::packet::BASE64;
use super::{InvalidPacket, Packet};
use crate::session::Frame;

const SEPARATOR: u8 = 0x1e;

/// Reads the packets of a payload one at a time, so that many small ones never stand decoded together.
pub fn decode_payload(body: Bytes) -> Payload {
    Payload { rest: Some(body) }
}

/// The packets of a payload, in order; ends after the first invalid one. An empty body is one invalid packet.
#[derive(Debug, Clone)]
pub struct Payload {
    rest: Option<Bytes>,
}

impl Iterator for Payload {
    type Item = Result<Packet, InvalidPacket>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.rest.take()?;
        let packet = match rest.iter().position(|&byte| byte == SEPARATOR) {
            Some(at) => {
                let packet = rest.split_to(at);
                rest.advance(1);
                self.rest = Some(rest);
                packet
            }
            None => rest,
        };
        let decoded = match std::str::from_utf8(&packet) {
            Ok(_) => Packet::decode(packet),
            Err(_) => Err(InvalidPacket),
        };
        if decoded.is_err() {
            self.rest = None;
        }
        Some(decoded)
    }
}

/// Joins frames into one payload.
#[must_use]
pub fn encode_payload<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Bytes {
    let mut payload = Vec::new();
    for (index, frame) in frames.into_iter().enumerate() {
        if index > 0 {
            payload.push(SEPARATOR);
        }
        match frame {
            Frame::Text(text) => payload.extend_from_slice(text),
            Frame::Binary(data) => push_base64(&mut payload, data),
        }
    }
    Bytes::from(payload)
}

/// Bytes that a frame takes in a payload, its separator included.
pub(crate) fn encoded_len(frame: &Frame) -> usize {
    match frame {
        Frame::Text(text) => text.len() + 1,
        Frame::Binary(data) => data.len().div_ceil(3) * 4 + 2,
    }
}

fn push_base64(payload: &mut Vec<u8>, data: &[u8]) {
    payload.push(b'b');
    let start = payload.len();
    payload.resize(start + data.len().div_ceil(3) * 4, 0);
    if let Some(space) = payload.get_mut(start..) {
        // The space is exactly what padded base64 of `data` takes, so the only error cannot be.
        let written = BASE64.encode_slice(data, space);
        debug_assert!(written.is_ok());
    }
}
