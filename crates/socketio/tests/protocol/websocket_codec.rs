//! WebSocket frames: the cases of the Autobahn test suite as tables (groups 1 to 7, 9 and 10), strictly
//! read, and round trips through random fragmentation and random chunks.

use bytes::{Bytes, BytesMut};
use chat_socketio::websocket::{Decoder, Message, Opcode, Violation, encode, encode_close};
use proptest::prelude::*;

const MAX: usize = 1_000_000;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A client's frame: first byte as given, masked, in the shortest form.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(KEY);
    bytes.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ KEY[at % 4]));
    bytes
}

fn frames(parts: &[(u8, &[u8])]) -> Vec<u8> {
    parts.iter().flat_map(|(first, payload)| frame(*first, payload)).collect()
}

/// Feeds `bytes` in chunks; gives the messages and how it ended.
fn feed(decoder: &mut Decoder, bytes: &[u8], chunk: usize) -> (Vec<Message>, Result<(), Violation>) {
    let mut buffer = BytesMut::new();
    let mut messages = Vec::new();
    for chunk in bytes.chunks(chunk) {
        buffer.extend_from_slice(chunk);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Err(violation)),
            }
        }
    }
    (messages, Ok(()))
}

fn decode(bytes: &[u8], chunk: usize) -> (Vec<Message>, Result<(), Violation>) {
    feed(&mut Decoder::new(MAX), bytes, chunk)
}

fn text(data: &str) -> Message {
    Message::Text(Bytes::copy_from_slice(data.as_bytes()))
}

fn binary(data: &[u8]) -> Message {
    Message::Binary(Bytes::copy_from_slice(data))
}

fn ping(data: &[u8]) -> Message {
    Message::Ping(Bytes::copy_from_slice(data))
}

fn pong(data: &[u8]) -> Message {
    Message::Pong(Bytes::copy_from_slice(data))
}

/// Runs a case whole, byte by byte and in odd pieces: the outcome is the same.
fn check(case: &str, bytes: &[u8], expected: &[Message], end: Result<(), Violation>) {
    for chunk in [usize::MAX, 1, 3, 997] {
        let (messages, result) = decode(bytes, chunk);
        assert!(messages == expected, "{case} in chunks of {chunk}: {messages:?}");
        assert_eq!(result, end, "{case} in chunks of {chunk}");
    }
}

#[test]
fn autobahn_1_messages_of_every_length_form() {
    for len in [0, 1, 125, 126, 127, 128, 65_535, 65_536] {
        let letters = "*".repeat(len);
        for chunk in [usize::MAX, 997] {
            assert!(decode(&frame(0x81, letters.as_bytes()), chunk) == (vec![text(&letters)], Ok(())));
            let bytes = vec![0xfe; len];
            assert!(decode(&frame(0x82, &bytes), chunk) == (vec![binary(&bytes)], Ok(())));
        }
    }
}

#[test]
fn autobahn_2_pings_and_pongs() {
    let longest = [0xfe; 125];
    check("2.1", &frame(0x89, b""), &[ping(b"")], Ok(()));
    check("2.2", &frame(0x89, b"Hello, world!"), &[ping(b"Hello, world!")], Ok(()));
    check("2.3", &frame(0x89, b"\x00\xff\xfe\xfd"), &[ping(b"\x00\xff\xfe\xfd")], Ok(()));
    check("2.4", &frame(0x89, &longest), &[ping(&longest)], Ok(()));
    check("2.5", &frame(0x89, &[0xfe; 126]), &[], Err(Violation::ControlFrame));
    check("2.7", &frame(0x8a, b""), &[pong(b"")], Ok(()));
    check("2.8", &frame(0x8a, b"unsolicited"), &[pong(b"unsolicited")], Ok(()));
    check("2.9", &frames(&[(0x8a, b"x"), (0x89, b"y")]), &[pong(b"x"), ping(b"y")], Ok(()));
    let ten: Vec<Message> = (0..10).map(|n| ping(&[n])).collect();
    let bytes: Vec<u8> = (0..10).flat_map(|n| frame(0x89, &[n])).collect();
    check("2.10", &bytes, &ten, Ok(()));
}

#[test]
fn autobahn_3_reserved_bits() {
    for rsv in [0x40, 0x20, 0x10, 0x60, 0x50, 0x30, 0x70] {
        for opcode in [0x1, 0x2, 0x8, 0x9, 0xa] {
            let bytes = [frame(0x81, b"ok"), frame(0x80 | rsv | opcode, b"x"), frame(0x89, b"")].concat();
            check("3", &bytes, &[text("ok")], Err(Violation::ReservedBits));
        }
    }
}

#[test]
fn autobahn_4_reserved_opcodes() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for payload in [&b""[..], b"reserved"] {
            let bytes = [frame(0x81, b"ok"), frame(0x80 | opcode, payload), frame(0x89, b"")].concat();
            check("4", &bytes, &[text("ok")], Err(Violation::ReservedOpcode));
        }
    }
}

/// Name, frames, messages, end.
type Case<'a> = (&'a str, &'a [(u8, &'a [u8])], &'a [Message], Result<(), Violation>);

#[test]
fn autobahn_5_fragmentation() {
    let order = Err(Violation::Fragments);
    let table: &[Case] = &[
        ("5.1", &[(0x09, b"a"), (0x80, b"b")], &[], Err(Violation::ControlFrame)),
        ("5.2", &[(0x0a, b"a"), (0x80, b"b")], &[], Err(Violation::ControlFrame)),
        ("5.3", &[(0x01, b"a"), (0x80, b"b")], &[text("ab")], Ok(())),
        ("5.6", &[(0x01, b"a"), (0x89, b"p"), (0x80, b"b")], &[ping(b"p"), text("ab")], Ok(())),
        ("5.9", &[(0x80, b"x"), (0x81, b"a")], &[], order),
        ("5.12", &[(0x00, b"x"), (0x81, b"a")], &[], order),
        ("5.15", &[(0x01, b"a"), (0x80, b"b"), (0x00, b"x")], &[text("ab")], order),
        ("5.18", &[(0x01, b"a"), (0x81, b"b")], &[], order),
        (
            "5.19",
            &[(1, b"1"), (0, b"2"), (0x89, b"p"), (0, b"3"), (0, b"4"), (0x89, b"q"), (0x80, b"5")],
            &[ping(b"p"), ping(b"q"), text("12345")],
            Ok(()),
        ),
        ("binary inside text", &[(0x01, b"a"), (0x02, b"b")], &[], order),
        ("binary", &[(0x02, b"\xff"), (0x00, b""), (0x80, b"\xfe")], &[binary(b"\xff\xfe")], Ok(())),
        ("empty fragments", &[(0x01, b""), (0x00, b""), (0x80, b"")], &[text("")], Ok(())),
        (
            "two in a row",
            &[(1, b"a"), (0x80, b""), (2, b"b"), (0x80, b"c")],
            &[text("a"), binary(b"bc")],
            Ok(()),
        ),
    ];
    for (case, parts, expected, end) in table {
        check(case, &frames(parts), expected, *end);
    }
}

#[test]
fn autobahn_6_utf8_is_checked_across_fragments() {
    let kosme = "κόσμε";
    let bytes = kosme.as_bytes();
    check(
        "6.2.1",
        &frame(0x81, "Hello-µ@ßöäüàá-UTF-8!!".as_bytes()),
        &[text("Hello-µ@ßöäüàá-UTF-8!!")],
        Ok(()),
    );
    for cut in 0..bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        check("6.2.3", &frames(&[(0x01, head), (0x80, tail)]), &[text(kosme)], Ok(()));
    }
    let single: Vec<(u8, &[u8])> = bytes.chunks(1).map(|byte| (0x00, byte)).collect();
    let all = [&[(0x01, &b""[..])][..], &single, &[(0x80, b"")]].concat();
    check("6.2.4", &frames(&all), &[text(kosme)], Ok(()));
    for valid in [
        "\u{0}",
        "\u{7f}",
        "\u{80}",
        "\u{7ff}",
        "\u{800}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{ffff}",
        "\u{10000}",
        "\u{10ffff}",
    ] {
        check("6.5 to 6.22", &frame(0x81, valid.as_bytes()), &[text(valid)], Ok(()));
    }
}

#[test]
fn autobahn_6_invalid_utf8_fails() {
    let invalid: &[&[u8]] = &[
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", // 6.3.1, a surrogate
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80", // five and six bytes
        b"\xf7\xbf\xbf\xbf",
        b"\xf4\x90\x80\x80", // past U+10FFFF
        b"\x80",
        b"\xbf",
        b"\x80\xbf\x80", // continuations alone
        b"\xc0 ",
        b"\xe0 ",
        b"\xf0 ",
        b"\xe0\x80 ",
        b"\xf0\x80\x80 ", // broken off
        b"\xc0",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xe1\x80", // broken off by the end
        b"\xfe",
        b"\xff",
        b"\xfe\xfe\xff\xff",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xc0\x80", // overlong
        b"\xed\xa0\x80",
        b"\xed\xad\xbf",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80", // surrogates
    ];
    for payload in invalid {
        check("6", &frame(0x81, payload), &[], Err(Violation::Utf8));
        check("6", &frames(&[(0x01, b"ok"), (0x80, payload)]), &[], Err(Violation::Utf8));
        check("6 as binary", &frame(0x82, payload), &[binary(payload)], Ok(()));
    }
    assert_eq!(Violation::Utf8.close_code(), 1007);
}

/// 6.4: the wrong byte fails at once, though neither its frame nor its message is whole.
#[test]
fn autobahn_6_invalid_utf8_fails_fast() {
    let whole = frame(0x01, b"\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80edited");
    let mut decoder = Decoder::new(MAX);
    let mut buffer = BytesMut::from(&whole[..6 + 6]);
    assert!(decoder.decode(&mut buffer) == Ok(None), "F4 alone can still become right");
    buffer.extend_from_slice(&whole[6 + 6..6 + 7]);
    assert!(decoder.decode(&mut buffer) == Err(Violation::Utf8));
    assert!(buffer.is_empty());
}

#[test]
fn autobahn_7_closing() {
    let close = |code: u16, reason: &[u8]| frame(0x88, &[&code.to_be_bytes()[..], reason].concat());
    check("7.3.1", &frame(0x88, b""), &[Message::Close(None)], Ok(()));
    check("7.3.2", &frame(0x88, b"a"), &[], Err(Violation::Close));
    check("7.3.3", &close(1000, b""), &[Message::Close(Some(1000))], Ok(()));
    check("7.3.4", &close(1000, b"Hello World!"), &[Message::Close(Some(1000))], Ok(()));
    check("7.3.5", &close(1000, &[b'*'; 123]), &[Message::Close(Some(1000))], Ok(()));
    check("7.3.6", &close(1000, &[b'*'; 124]), &[], Err(Violation::ControlFrame));
    check("7.5.1", &close(1000, b"\xce\xba\xed\xa0\x80"), &[], Err(Violation::Utf8));
    for code in
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
    {
        check("7.7", &close(code, b""), &[Message::Close(Some(code))], Ok(()));
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        check("7.9, 7.13", &close(code, b""), &[], Err(Violation::Close));
        check("7.9, 7.13", &close(code, b"reason"), &[], Err(Violation::Close));
    }
    let after: &[(&str, &[u8])] = &[("7.1.1", b"Hello"), ("7.1.2", b"")];
    for (case, payload) in after {
        let bytes = [close(1000, b""), frame(0x81, payload), frame(0x89, b""), close(1001, b"")].concat();
        check(case, &bytes, &[Message::Close(Some(1000))], Ok(()));
    }
    check("7.1.5", &[frame(0x01, b"a"), close(1000, b"")].concat(), &[Message::Close(Some(1000))], Ok(()));
}

/// Scaled to the limit of this decoder: 64 KiB to 1 MB, whole, in fragments, in chops.
#[test]
fn autobahn_9_large_messages() {
    let payload = vec![b'*'; MAX];
    let expected = std::str::from_utf8(&payload).unwrap();
    for chunk in [usize::MAX, 64, 1024] {
        assert!(decode(&frame(0x81, &payload), chunk) == (vec![text(expected)], Ok(())));
    }
    for size in [64, 256, 1024, 65_536, MAX] {
        let pieces: Vec<&[u8]> = payload.chunks(size).collect();
        let last = pieces.len() - 1;
        let parts: Vec<(u8, &[u8])> = pieces
            .iter()
            .enumerate()
            .map(|(at, piece)| (u8::from(at == 0) | if at == last { 0x80 } else { 0 }, *piece))
            .collect();
        assert!(decode(&frames(&parts), 4096) == (vec![text(expected)], Ok(())), "fragments of {size}");
    }
}

/// 10.1.1: fragmented by the sender's own choice.
#[test]
fn autobahn_10_auto_fragmentation() {
    let payload = "*".repeat(65_536);
    let (head, tail) = payload.as_bytes().split_at(1300);
    check("10.1.1", &frames(&[(0x01, head), (0x80, tail)]), &[text(&payload)], Ok(()));
}

#[test]
fn lengths_and_masks_that_break_the_format_are_refused() {
    let table: &[(&str, &[u8], Violation)] = &[
        ("no mask", &[0x81, 0x05], Violation::NotMasked),
        ("16 bits for 125", &[0x82, 0xfe, 0, 125], Violation::Length),
        ("64 bits for 65535", &[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], Violation::Length),
        ("the 64th bit", &[0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0], Violation::Length),
        ("a long control frame", &[0x89, 0xfe], Violation::ControlFrame),
        ("a fragmented close", &[0x08], Violation::ControlFrame),
    ];
    for (case, bytes, violation) in table {
        check(case, bytes, &[], Err(*violation));
    }
    let codes = [Violation::NotMasked, Violation::Length, Violation::ControlFrame, Violation::Fragments];
    assert!(codes.into_iter().all(|violation| violation.close_code() == 1002));
}

#[test]
fn a_message_over_the_limit_is_refused_on_its_header() {
    let mut eight_gib = vec![0x82, 0xff];
    eight_gib.extend((8_u64 << 30).to_be_bytes());
    eight_gib.extend(KEY);
    check("8 GiB", &eight_gib, &[], Err(Violation::TooLarge));
    let one_more = &frame(0x81, &vec![b'a'; MAX + 1])[..14];
    check("one more", one_more, &[], Err(Violation::TooLarge));
    let mut bytes = frame(0x01, &vec![b'a'; MAX - 1]);
    bytes.extend(&frame(0x00, b"bc")[..6]);
    assert!(decode(&bytes, 65_536) == (vec![], Err(Violation::TooLarge)));
    assert_eq!(Violation::TooLarge.close_code(), 1009);
}

#[test]
fn endless_tiny_fragments_are_cut_off() {
    for payload in [&b""[..], b"x"] {
        let mut decoder = Decoder::new(MAX);
        let (_, first) = feed(&mut decoder, &frame(0x01, payload), 64);
        assert_eq!(first, Ok(()));
        let fragment = frame(0x00, payload);
        let refused = (0..65_000).find_map(|_| feed(&mut decoder, &fragment, 64).1.err());
        assert_eq!(refused, Some(Violation::TooManyFragments));
        assert_eq!(refused.map(Violation::close_code), Some(1009));
    }
}

#[test]
fn after_a_violation_nothing_is_read_any_more() {
    let mut decoder = Decoder::new(MAX);
    assert_eq!(feed(&mut decoder, &frame(0x83, b""), 64).1, Err(Violation::ReservedOpcode));
    assert!(feed(&mut decoder, &frame(0x81, b"ok"), 64) == (vec![], Ok(())));
}

#[test]
fn server_frames_are_short_and_unmasked() {
    for (len, header) in [
        (0, vec![0x81, 0]),
        (125, vec![0x81, 125]),
        (126, vec![0x81, 126, 0, 126]),
        (65_535, vec![0x81, 126, 0xff, 0xff]),
        (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let payload = vec![b'a'; len];
        let mut out = BytesMut::new();
        encode(Opcode::Text, &payload, &mut out);
        assert_eq!(out, [header, payload].concat());
    }
    let mut out = BytesMut::new();
    encode(Opcode::Binary, b"b", &mut out);
    encode(Opcode::Ping, b"", &mut out);
    encode(Opcode::Pong, b"p", &mut out);
    encode_close(1002, &mut out);
    assert_eq!(&out[..], b"\x82\x01b\x89\x00\x8a\x01p\x88\x02\x03\xea");
}

/// A message and where it is cut.
fn message() -> impl Strategy<Value = (Vec<u8>, bool, Vec<usize>)> {
    let text = "\\PC{0,200}".prop_map(|text| (text.into_bytes(), true));
    let binary = prop::collection::vec(any::<u8>(), 0..400).prop_map(|data| (data, false));
    (prop_oneof![text, binary], prop::collection::vec(any::<prop::sample::Index>(), 0..6)).prop_map(
        |((data, is_text), cuts)| {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.index(data.len() + 1)).collect();
            cuts.sort_unstable();
            (data, is_text, cuts)
        },
    )
}

fn fragmented(data: &[u8], is_text: bool, cuts: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut start = 0;
    let mut opcode = if is_text { 1 } else { 2 };
    for &cut in cuts {
        bytes.extend(frame(opcode, &data[start..cut]));
        bytes.extend(frame(0x89, b"between"));
        (start, opcode) = (cut, 0);
    }
    bytes.extend(frame(0x80 | opcode, &data[start..]));
    bytes
}

proptest! {
    #[test]
    fn messages_survive_any_fragmentation_and_any_chunks(
        messages in prop::collection::vec(message(), 1..5),
        chunk in 1_usize..64,
    ) {
        let bytes: Vec<u8> = messages.iter().flat_map(|(data, is_text, cuts)| fragmented(data, *is_text, cuts)).collect();
        let (got, end) = decode(&bytes, chunk);
        prop_assert_eq!(end, Ok(()));
        let got: Vec<Message> = got.into_iter().filter(|message| !matches!(message, Message::Ping(_))).collect();
        let expected: Vec<Message> = messages
            .iter()
            .map(|(data, is_text, _)| match is_text {
                true => Message::Text(Bytes::copy_from_slice(data)),
                false => binary(data),
            })
            .collect();
        prop_assert!(got == expected);
    }

    #[test]
    fn the_outcome_does_not_depend_on_the_chunks(bytes in prop::collection::vec(any::<u8>(), 0..64), chunk in 1_usize..8) {
        let whole = decode(&bytes, usize::MAX);
        prop_assert!(decode(&bytes, chunk) == whole);
    }
}
