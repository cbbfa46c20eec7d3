//! The cases of the Autobahn test suite against the codec: an echo of a few lines around the decoder must do what the
//! suite asks of a server, strictly. `chat-socketio-actix` runs the same table over real sockets.

use bytes::BytesMut;
use chat_socketio::websocket::{Decoder, Message};

use self::cases::{Case, LONGEST, cases};

pub(crate) mod cases;

/// What an echo answers: opcode and payload, and the code that it closes with.
type Outcome = (Vec<(u8, Vec<u8>)>, Option<u16>);

fn echo<'a>(writes: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut decoder = Decoder::new(LONGEST);
    let mut buffer = BytesMut::new();
    let (mut replies, mut close) = (Vec::new(), None);
    for write in writes {
        buffer.extend_from_slice(write);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(None) => break,
                Ok(Some(_)) if close.is_some() => panic!("something came behind the close"),
                Ok(Some(Message::Text(data))) => replies.push((1, data.to_vec())),
                Ok(Some(Message::Binary(data))) => replies.push((2, data.to_vec())),
                Ok(Some(Message::Ping(data))) => replies.push((10, data.to_vec())),
                Ok(Some(Message::Pong(_))) => {}
                Ok(Some(Message::Close(code))) => close = Some(code.unwrap_or(1000)),
                Err(violation) => close = Some(violation.close_code()),
            }
        }
    }
    (replies, close)
}

fn check(case: &Case) {
    let expected = (case.replies.clone(), Some(case.close));
    let written = echo(case.writes.iter().map(Vec::as_slice));
    assert!(written == expected, "{}: closed with {:?}", case.id, written.1);
    // However the bytes are cut, nothing changes; the large ones would take long.
    let bytes = case.writes.concat();
    let sizes: &[usize] =
        if bytes.len() < 100_000 { &[usize::MAX, 1, 2, 7, 997] } else { &[usize::MAX, 65_521] };
    for size in sizes {
        assert!(echo(bytes.chunks(*size)) == expected, "{} in pieces of {size}", case.id);
    }
}

#[test]
fn every_case_has_the_strict_outcome() {
    cases("").iter().for_each(check);
}

#[test]
fn the_table_has_as_many_cases_as_the_suites_groups() {
    let table = cases("");
    let count = |group: &str| table.iter().filter(|case| case.id.starts_with(group)).count();
    // 2 to 11 in 2, all others as their numbers say.
    let groups = [
        ("1.", 16),
        ("2.", 11),
        ("3.", 7),
        ("4.", 10),
        ("5.", 20),
        ("6.", 145),
        ("7.", 37),
        ("9.", 54),
        ("10.", 1),
    ];
    let counted: Vec<_> = groups.iter().map(|(group, _)| (*group, count(group))).collect();
    assert_eq!(counted, groups);
    let mut ids: Vec<&str> = table.iter().map(|case| case.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), table.len(), "a case stands twice");
}
