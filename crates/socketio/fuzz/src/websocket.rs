//! The target `websocket`.

use bytes::BytesMut;
use chat_socketio::websocket::{Decoder, Message, Violation};

/// A client's WebSocket bytes: the outcome does not depend on how they are cut.
pub fn websocket(data: &[u8]) {
    let whole = decode_chunks(data, usize::MAX);
    assert!(whole == decode_chunks(data, 1), "byte by byte");
    assert!(whole == decode_chunks(data, 7), "seven at a time");
    for message in whole.0 {
        if let Message::Text(text) = message {
            assert!(std::str::from_utf8(&text).is_ok());
        }
    }
}

fn decode_chunks(data: &[u8], size: usize) -> (Vec<Message>, Option<Violation>) {
    const MAX: usize = 4096;
    let mut decoder = Decoder::new(MAX);
    let mut buffer = BytesMut::new();
    let mut messages = Vec::new();
    for chunk in data.chunks(size) {
        buffer.extend_from_slice(chunk);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
        assert!(buffer.len() <= MAX + 14 || size > MAX, "an unfinished frame is bounded");
    }
    (messages, None)
}
