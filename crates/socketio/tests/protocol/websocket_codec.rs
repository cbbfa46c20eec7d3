//! WebSocket frames: what the Autobahn cases (`autobahn.rs`) leave out, and round trips through random
//! fragmentation and random chunks.

use bytes::{Bytes, BytesMut};
use chat_socketio::websocket::{Decoder, Message, Opcode, Violation, encode, encode_close};
use proptest::prelude::*;

use crate::autobahn::cases::encode as frame;

const MAX: usize = 1_000_000;
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

/// Runs a case whole, byte by byte and in odd pieces: the outcome is the same.
fn check(case: &str, bytes: &[u8], expected: &[Message], end: Result<(), Violation>) {
    for chunk in [usize::MAX, 1, 3, 997] {
        let (messages, result) = decode(bytes, chunk);
        assert!(messages == expected, "{case} in chunks of {chunk}: {messages:?}");
        assert_eq!(result, end, "{case} in chunks of {chunk}");
    }
}

#[test]
fn every_reserved_bit_is_refused_with_every_opcode() {
    for rsv in [0x40, 0x20, 0x10, 0x60, 0x50, 0x30, 0x70] {
        for opcode in [0x1, 0x2, 0x8, 0x9, 0xa] {
            let bytes = [frame(0x81, b"ok"), frame(0x80 | rsv | opcode, b"x"), frame(0x89, b"")].concat();
            check("reserved bits", &bytes, &[text("ok")], Err(Violation::ReservedBits));
        }
    }
}

#[test]
fn every_reserved_opcode_is_refused() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for payload in [&b""[..], b"reserved"] {
            let bytes = [frame(0x81, b"ok"), frame(0x80 | opcode, payload), frame(0x89, b"")].concat();
            check("reserved opcodes", &bytes, &[text("ok")], Err(Violation::ReservedOpcode));
        }
    }
}

/// Name, frames, messages, end.
type Case<'a> = (&'a str, &'a [(u8, &'a [u8])], &'a [Message], Result<(), Violation>);

#[test]
fn fragments_of_any_size_are_one_message_and_never_of_two_kinds() {
    let order = Err(Violation::Fragments);
    let table: &[Case] = &[
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

/// RFC 6455, 8.1: only text must be UTF-8, and one character may come in any number of fragments.
#[test]
fn a_text_may_be_cut_anywhere_and_bytes_need_not_be_text() {
    let kosme = "κόσμε";
    for cut in 0..=kosme.len() {
        let (head, tail) = kosme.as_bytes().split_at(cut);
        check("cut", &frames(&[(0x01, head), (0x80, tail)]), &[text(kosme)], Ok(()));
    }
    for payload in [&b"\xff"[..], b"\xed\xa0\x80", b"\xc0\xaf"] {
        check("bytes", &frame(0x82, payload), &[binary(payload)], Ok(()));
        check("text", &frames(&[(0x01, b"ok"), (0x80, payload)]), &[], Err(Violation::Utf8));
    }
    assert_eq!(Violation::Utf8.close_code(), 1007);
}

/// RFC 6455, 7.4, and the codes that were registered since.
#[test]
fn close_codes_are_those_that_may_be_sent() {
    let close = |code: u16, reason: &[u8]| frame(0x88, &[&code.to_be_bytes()[..], reason].concat());
    for code in [1012, 1013, 1014] {
        check("registered", &close(code, b"reason"), &[Message::Close(Some(code))], Ok(()));
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        check("not to be sent", &close(code, b"reason"), &[], Err(Violation::Close));
    }
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
    eight_gib.extend([1, 2, 3, 4]);
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
