//! Requests, refusals, packets and payloads of Engine.IO 4.

use bytes::Bytes;
use chat_socketio::engine::{InvalidPacket, Packet, Refusal, Request, decode_payload, encode_payload};
use chat_socketio::session::Frame;
use proptest::prelude::*;

use Refusal::{BadHandshakeMethod, BadRequest, UnknownTransport, UnsupportedVersion};

/// "Query parameters", and the order of checks of Node's `verify` and `handshake`.
#[test]
fn requests_are_told_apart_and_refused_with_their_codes() {
    let sid = |sid: &str| Box::<str>::from(sid);
    let table = [
        ("GET", "EIO=4&transport=polling", Ok(Request::Open)),
        ("GET", "transport=polling&t=abc.1&EIO=4&b64=1", Ok(Request::Open)),
        ("GET", "EIO=4&transport=polling&sid=", Ok(Request::Open)),
        ("GET", "EIO=3&transport=websocket&transport=polling&EIO=4", Ok(Request::Open)),
        ("GET", "EIO=4&transport=websocket", Ok(Request::WebSocket { sid: None })),
        ("GET", "EIO=4&transport=websocket&sid=x", Ok(Request::WebSocket { sid: Some(sid("x")) })),
        ("GET", "EIO=4&transport=polling&sid=a-_b", Ok(Request::Get { sid: sid("a-_b") })),
        ("GET", "EIO=4&transport=polling&sid=%61%2Fb%zz%", Ok(Request::Get { sid: sid("a/b%zz%") })),
        ("POST", "EIO=4&transport=polling&sid=__proto__", Ok(Request::Post { sid: sid("__proto__") })),
        ("OPTIONS", "", Ok(Request::Options)),
        ("GET", "", Err(UnknownTransport)),
        ("GET", "EIO=4", Err(UnknownTransport)),
        ("GET", "EIO=4&transport=", Err(UnknownTransport)),
        ("GET", "EIO=4&transport=abc", Err(UnknownTransport)),
        ("GET", "EIO=4&transport=__proto__", Err(UnknownTransport)),
        ("GET", "EIO=4&transport=constructor", Err(UnknownTransport)),
        ("GET", "EIO=4&transport=webtransport", Err(UnknownTransport)),
        ("GET", "EIO=4&transport=Polling", Err(UnknownTransport)),
        ("POST", "EIO=3&transport=abc&sid=x", Err(UnknownTransport)),
        ("POST", "EIO=4&transport=polling", Err(BadHandshakeMethod)),
        ("PUT", "EIO=4&transport=polling", Err(BadHandshakeMethod)),
        ("DELETE", "EIO=3&transport=polling", Err(BadHandshakeMethod)),
        ("POST", "EIO=4&transport=websocket", Err(BadHandshakeMethod)),
        ("PUT", "EIO=4&transport=polling&sid=x", Err(BadRequest)),
        ("POST", "EIO=4&transport=websocket&sid=x", Err(BadRequest)),
        ("GET", "transport=polling", Err(UnsupportedVersion)),
        ("GET", "EIO=2&transport=polling", Err(UnsupportedVersion)),
        ("GET", "EIO=3&transport=websocket", Err(UnsupportedVersion)),
        ("GET", "EIO=5&transport=polling", Err(UnsupportedVersion)),
        ("GET", "EIO=abc&transport=polling", Err(UnsupportedVersion)),
        ("GET", "EIO=4.0&transport=polling", Err(UnsupportedVersion)),
    ];
    for (method, query, expected) in table {
        assert_eq!(Request::parse(method, query), expected, "{method} {query}");
    }
}

#[test]
fn refusals_say_their_number_and_text() {
    let all = [
        UnknownTransport,
        Refusal::UnknownSid,
        BadHandshakeMethod,
        BadRequest,
        Refusal::Forbidden,
        UnsupportedVersion,
    ];
    for (code, refusal) in all.into_iter().enumerate() {
        let body: serde_json::Value = serde_json::from_str(refusal.body()).unwrap();
        assert_eq!(body, serde_json::json!({ "code": code, "message": refusal.message() }));
        assert_eq!(usize::from(refusal.code()), code);
        assert_eq!(refusal.status(), if code == 4 { 403 } else { 400 });
    }
}

fn text(data: &'static str) -> Packet {
    Packet::Text(Bytes::from_static(data.as_bytes()))
}

/// "Packet encoding", "HTTP long-polling".
#[test]
fn payloads_are_read_packet_by_packet_up_to_the_first_invalid_one() {
    let binary = |data: &'static [u8]| Ok(Packet::Binary(Bytes::from_static(data)));
    type Packets = Vec<Result<Packet, InvalidPacket>>;
    let table: Vec<(&[u8], Packets)> = vec![
        (b"4hello", vec![Ok(text("hello"))]),
        (b"4", vec![Ok(text(""))]),
        (b"4a\x1e4\x1e4b", vec![Ok(text("a")), Ok(text("")), Ok(text("b"))]),
        (b"4hello\x1ebAQIDBA==", vec![Ok(text("hello")), binary(&[1, 2, 3, 4])]),
        (b"bAQIDBA", vec![binary(&[1, 2, 3, 4])]),
        // Lines of 76 characters, and an end behind the last, as the Java client writes them.
        (b"bAQ\nID\r\nBA==\n\x1e4a", vec![binary(&[1, 2, 3, 4]), Ok(text("a"))]),
        (b"b", vec![binary(&[])]),
        (
            b"1\x1e3\x1e5\x1e6\x1e0",
            vec![
                Ok(Packet::Close),
                Ok(Packet::Pong),
                Ok(Packet::Upgrade),
                Ok(Packet::Noop),
                Ok(Packet::Open),
            ],
        ),
        (b"2probe", vec![Ok(Packet::Ping(Bytes::from_static(b"probe")))]),
        (b"", vec![Err(InvalidPacket)]),
        (b"abc", vec![Err(InvalidPacket)]),
        (b"7", vec![Err(InvalidPacket)]),
        (b"4a\x1e", vec![Ok(text("a")), Err(InvalidPacket)]),
        (b"4a\x1ex\x1e4b", vec![Ok(text("a")), Err(InvalidPacket)]),
        (b"b!", vec![Err(InvalidPacket)]),
        (b"bA", vec![Err(InvalidPacket)]),
        (b"4\xff", vec![Err(InvalidPacket)]),
        (b"4a\x1e4\xc3", vec![Ok(text("a")), Err(InvalidPacket)]),
    ];
    for (body, expected) in table {
        let packets: Packets = decode_payload(Bytes::from_static(body)).collect();
        assert_eq!(packets, expected, "{:?}", String::from_utf8_lossy(body));
    }
}

fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        "[^\u{1e}]{0,12}".prop_map(|data| Frame::Text(Bytes::from(format!("4{data}")))),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(|data| Frame::Binary(Bytes::from(data))),
    ]
}

proptest! {
    #[test]
    fn payloads_survive_the_round_trip(frames in prop::collection::vec(frame(), 1..8)) {
        let payload = encode_payload(&frames);
        let packets: Vec<Packet> = decode_payload(payload).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(packets.len(), frames.len());
        for (packet, frame) in packets.into_iter().zip(frames) {
            match (packet, frame) {
                (Packet::Text(data), Frame::Text(text)) => prop_assert_eq!(&data[..], &text[1..]),
                (Packet::Binary(data), Frame::Binary(sent)) => prop_assert_eq!(data, sent),
                (packet, frame) => prop_assert!(false, "{packet:?} for {frame:?}"),
            }
        }
    }

    #[test]
    fn any_body_is_survived(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let packets: Vec<_> = decode_payload(Bytes::from(body)).collect();
        let valid = packets.iter().filter(|packet| packet.is_ok()).count();
        prop_assert!(packets.len() - valid <= 1);
    }

    #[test]
    fn any_query_is_survived(query in "[EIOeio=&%0-9a-ftransport+]{0,40}") {
        let _ = Request::parse("GET", &query);
    }
}
