//! The target `payload`.

use bytes::Bytes;
use chat_socketio::Request;
use chat_socketio::engine::{Packet, decode_payload, encode_payload};
use chat_socketio::session::Frame;

/// A polling body, and a query: the packets of a body survive being written and read again.
pub fn payload(data: &[u8]) {
    let packets: Vec<Packet> = decode_payload(Bytes::copy_from_slice(data)).map_while(Result::ok).collect();
    let frames: Vec<Frame> = packets
        .iter()
        .filter_map(|packet| match packet {
            Packet::Text(text) => Some(Frame::Text([b"4", &text[..]].concat().into())),
            Packet::Binary(data) => Some(Frame::Binary(data.clone())),
            _ => None,
        })
        .collect();
    if !frames.is_empty() {
        let again: Vec<Packet> = decode_payload(encode_payload(&frames)).map_while(Result::ok).collect();
        let messages = packets.into_iter().filter(|p| matches!(p, Packet::Text(_) | Packet::Binary(_)));
        assert!(again.into_iter().eq(messages));
    }
    if let Ok(query) = std::str::from_utf8(data) {
        let _ = Request::parse("GET", query);
    }
}
