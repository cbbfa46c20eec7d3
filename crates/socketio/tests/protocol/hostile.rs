//! What attackers send: each ends its own session, quickly, in little memory.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chat_socketio::websocket::{Decoder, Message, Violation};
use chat_socketio::{Config, Input, RequestId, engine, packet};

use crate::peer::Peer;

#[test]
fn hostile_messages_end_the_session() {
    let deep = |open: &str, count: usize| format!("42[\"a\",{}", open.repeat(count));
    let table = [
        deep("[", 5_000),
        deep("{\"a\":", 5_000),
        format!("42[\"a\",{}{}]", "[".repeat(5_000), "]".repeat(5_000)),
        format!("40{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000)),
        format!("42[\"a\"{}]", ",1".repeat(400_000)),
        format!("4/{}", "n".repeat(900_000)),
        format!("42{}[\"a\"]", "9".repeat(900_000)),
        format!("45{}-[\"a\"]", "9".repeat(900_000)),
        format!("42/{},[\"a\"]", "n".repeat(900_000)),
        "42[\"a\u{0}\"]".to_owned(),
        "\u{0}".to_owned(),
        "4\u{0}".to_owned(),
        "42[\"a\"]\u{1e}42[\"b\"]".to_owned(),
    ];
    for text in table {
        let mut peer = Peer::joined();
        peer.text(1, &text);
        let lines = peer.take();
        let shown: String = text.chars().take(20).collect();
        assert_eq!(lines.last().map(String::as_str), Some("closed malformed"), "{shown}");
    }
}

#[test]
fn odd_but_legal_messages_are_passed_up() {
    let long_key = format!(r#"42["a",{{"{}":1}}]"#, "k".repeat(10_000));
    let table = [
        r#"42["a","\ud800"]"#,
        r#"42["a","\u0000"]"#,
        r#"42["a",{"x":1,"x":2}]"#,
        r#"42["a",{"__proto__":{"x":1}}]"#,
        r#"42["a",9007199254740993,1e999,-0]"#,
        r#"42["__proto__"]"#,
        r#"42["\ud800"]"#,
        &long_key,
    ];
    for text in table {
        let mut peer = Peer::joined();
        peer.text(1, text);
        assert!(peer.take()[0].starts_with("message / - "), "{text}");
        assert!(!peer.session.is_closed());
    }
}

#[test]
fn a_body_of_separators_ends_at_its_first_empty_packet() {
    let mut peer = Peer::joined_polling();
    let body = Bytes::from("\u{1e}".repeat(1_000_000));
    peer.input(Input::Post { request: RequestId(4), body });
    assert_eq!(peer.take().len(), 2);
}

#[test]
fn a_body_that_is_not_utf8_ends_the_session() {
    let mut peer = Peer::joined_polling();
    peer.input(Input::Post { request: RequestId(4), body: Bytes::from_static(b"42[\"a\"]\x1e42[\"\xff\"]") });
    assert_eq!(peer.take()[0], "message / - a [] []");
    assert!(peer.session.is_closed());
}

#[test]
fn endless_fragments_hold_no_more_than_their_bytes() {
    let mut decoder = Decoder::new(1_000_000);
    let mut buffer = BytesMut::new();
    let mut end = Ok(None);
    for index in 0..65_000 {
        buffer.extend_from_slice(&[u8::from(index == 0) * 2, 0x81, 1, 2, 3, 4, b'x']);
        end = decoder.decode(&mut buffer);
        assert!(buffer.is_empty() && buffer.capacity() <= 4096, "{} bytes", buffer.capacity());
        if end.is_err() {
            break;
        }
    }
    assert!(end == Err(Violation::TooManyFragments));
}

/// Whatever is logged by its `Debug` form tells sizes and names, never what people write.
#[test]
fn what_people_write_stays_out_of_debug_output() {
    let secret = || Bytes::from_static(b"secret");
    let decode = |text: String| packet::decode(text.into(), &Config::default()).unwrap();
    let table = [
        (format!("{:?}", Message::Text(secret())), "Text(6 bytes)"),
        (format!("{:?}", Message::Binary(secret())), "Binary(6 bytes)"),
        (format!("{:?}", Message::Ping(secret())), "Ping(6 bytes)"),
        (format!("{:?}", Message::Pong(secret())), "Pong(6 bytes)"),
        (format!("{:?}", Message::Close(Some(1000))), "Close(Some(1000))"),
        (format!("{:?}", engine::Packet::Text(secret())), "Text(6 bytes)"),
        (format!("{:?}", engine::Packet::Binary(secret())), "Binary(6 bytes)"),
        (format!("{:?}", engine::Packet::Ping(secret())), "Ping(6 bytes)"),
        (format!("{:?}", engine::Packet::Open), "Open"),
        (format!("{:?}", engine::Packet::Close), "Close"),
        (format!("{:?}", engine::Packet::Pong), "Pong"),
        (format!("{:?}", engine::Packet::Upgrade), "Upgrade"),
        (format!("{:?}", engine::Packet::Noop), "Noop"),
    ];
    for (printed, expected) in table {
        assert_eq!(printed, expected);
    }
    for text in
        ["0/a,{\"t\":\"secret\"}", "1/a", "2/a,7[\"name\",\"secret\"]", "3/a,7[\"secret\"]", "4/a,\"secret\""]
    {
        let printed = format!("{:?}", decode(text.to_owned()));
        assert!(printed.contains("/a") && !printed.contains("secret"), "{printed}");
    }
}

/// The session survives any order of calls, and says nothing after it is over.
#[test]
fn calls_out_of_order_do_no_harm() {
    let mut peer = Peer::polling();
    peer.session.disconnect(peer.now, "/");
    peer.session.refuse(peer.now, "/", "no", None);
    assert!(!peer.accept("/"));
    peer.text(1, "40");
    peer.binary(1, b"x");
    peer.input(Input::Timeout);
    peer.input(Input::Aborted { request: RequestId(9) });
    peer.pass(Duration::from_secs(100));
    peer.expect(&["closed connect_timeout"]);
    peer.session.disconnect(peer.now, "/");
    peer.input(Input::Timeout);
    peer.pass(Duration::from_secs(100));
    peer.expect(&[]);
}
