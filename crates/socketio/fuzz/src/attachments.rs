//! The target `attachments`.

use std::sync::Arc;

use bytes::Bytes;
use chat_socketio::packet::{Packet, decode};
use chat_socketio::session::{Event, Input, LinkId, Output, Session, Transport};
use chat_socketio::{Arguments, Config};

use super::session::now;

/// A packet's header on the first line, and behind it what follows: each a byte for its length, and its bytes; a length
/// with the highest bit set is one of a text. A joined session hands up what a plain reading of the header says, or ends.
pub fn attachments(data: &[u8]) {
    const MAX: usize = 256;
    let config = Config { max_payload: MAX, ..Config::default() };
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, mut rest) = data.split_at(cut);
    rest = rest.get(1..).unwrap_or_default();
    let header = String::from_utf8_lossy(header).into_owned();
    let expected = match decode(Bytes::from(header.clone()), &config) {
        Ok(Packet::Event { nsp, args, attachments, .. }) if &*nsp == "/" => Some((Some(args), attachments)),
        // One without a number is taken in and for nothing.
        Ok(Packet::Ack { nsp, id, args, attachments }) if &*nsp == "/" => {
            Some((id.map(|_| args), attachments))
        }
        _ => None,
    };
    let mut session = joined(config);
    let link = LinkId(0);
    session.handle(now(), Input::Text { link, data: format!("4{header}").into() });
    let mut sent: Vec<Bytes> = Vec::new();
    let mut out_of_place = false;
    while let Some((&length, tail)) = rest.split_first() {
        let (part, tail) = tail.split_at(tail.len().min(usize::from(length & 0x7f)));
        rest = tail;
        // Texts that are no messages may stand anywhere.
        let waits = expected.as_ref().is_some_and(|(_, count)| sent.len() < *count);
        if length & 0x80 != 0 {
            session.handle(now(), Input::Text { link, data: "3".into() });
        } else if waits && sent.iter().map(Bytes::len).sum::<usize>() + part.len() <= MAX {
            sent.push(Bytes::copy_from_slice(part));
            session.handle(now(), Input::Binary { link, data: Bytes::copy_from_slice(part) });
        } else {
            session.handle(now(), Input::Binary { link, data: Bytes::copy_from_slice(part) });
            out_of_place = true;
            break;
        }
    }
    check_attachments(&mut session, expected, sent, out_of_place);
}

fn check_attachments(
    session: &mut Session,
    expected: Option<(Option<Arguments>, usize)>,
    sent: Vec<Bytes>,
    out_of_place: bool,
) {
    let mut delivered = Vec::new();
    while let Some(output) = session.poll_output() {
        if let Output::Event(
            Event::Message { args, attachments, .. } | Event::Ack { args, attachments, .. },
        ) = output
        {
            delivered.push((args, attachments));
        }
    }
    assert!(!out_of_place || session.is_closed(), "what is out of place, or too much, ends the session");
    match expected {
        Some((Some(args), count)) if count == sent.len() => {
            assert_eq!(delivered.len(), 1);
            assert!(delivered[0].0.iter().eq(args.iter()) && delivered[0].1 == sent);
            // Where nothing is attached they are objects like any other.
            let numbers = if count > 0 { placeholders(&args) } else { Vec::new() };
            assert!(numbers.iter().all(|num| *num < count as u64), "none points nowhere");
        }
        _ => assert!(delivered.is_empty(), "what is not whole is not handed up"),
    }
}

/// The numbers of the placeholders, by a plain reading.
fn placeholders(args: &Arguments) -> Vec<u64> {
    fn collect(value: &serde_json::Value, found: &mut Vec<u64>) {
        match value {
            serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            serde_json::Value::Object(fields) if fields.get("_placeholder") == Some(&true.into()) => {
                found.extend(fields.get("num").and_then(serde_json::Value::as_u64));
            }
            serde_json::Value::Object(fields) => fields.values().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for arg in args.iter() {
        if let Ok(value) = serde_json::from_str(arg) {
            collect(&value, &mut found);
        }
    }
    found
}

/// A session on link 0 that has joined `/`.
fn joined(config: Config) -> Session {
    let mut session = Session::new(Arc::new(config), "sid", Transport::WebSocket(LinkId(0)), now());
    session.handle(now(), Input::Text { link: LinkId(0), data: "40".into() });
    while session.poll_output().is_some() {}
    assert!(session.accept(now(), "/", "id"));
    while session.poll_output().is_some() {}
    session
}
