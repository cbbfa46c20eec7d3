//! Engine.IO alone, and the acknowledgements that a server waits for.

use std::time::Duration;

use bytes::Bytes;
use chat_socketio::{Acks, Config, Event, Input, LinkId, Namespace, Outgoing, Protocol, Transport};

use crate::peer::{Peer, beginning};

fn bare(transport: Transport) -> Peer {
    let mut peer = Peer::new(transport, Config { protocol: Protocol::EngineIo, ..Config::default() });
    peer.take();
    peer
}

/// Engine.IO protocol, "Message": what it carries is the application's.
#[test]
fn messages_are_handed_up_as_they_came() {
    let mut peer = bare(Transport::WebSocket(LinkId(1)));
    peer.text(1, "4not a Socket.IO packet");
    peer.input(Input::Binary { link: LinkId(1), data: Bytes::from_static(&[1, 2]) });
    let expected = [
        Event::Text(Bytes::from_static(b"not a Socket.IO packet")),
        Event::Binary(Bytes::from_static(&[1, 2])),
    ];
    assert_eq!(peer.events, expected);
}

#[test]
fn messages_of_both_kinds_are_sent() {
    let mut peer = bare(Transport::WebSocket(LinkId(1)));
    for outgoing in [Outgoing::text(b"hello"), Outgoing::binary(Bytes::from_static(&[1, 2]))] {
        peer.session.send(peer.now, outgoing);
    }
    peer.drain();
    peer.expect(&["send 1 4hello", r#"send 1 b"\x01\x02""#]);
}

#[test]
fn no_namespace_need_be_joined() {
    let peer = bare(Transport::WebSocket(LinkId(1)));
    let deadline = peer.now + Config::default().connect_timeout;
    assert!(peer.session.poll_timeout().is_some_and(|at| at > deadline));
}

#[test]
fn an_acknowledgement_is_known_by_its_namespace_and_number_and_once() {
    let due = beginning() + Duration::from_secs(1);
    let custom = Namespace::new("/custom");
    let mut acks = Acks::new(2);
    let (first, second) =
        (acks.ask(&Namespace::ROOT, due, 'a').unwrap(), acks.ask(&custom, due, 'b').unwrap());
    assert_eq!(acks.ask(&custom, due, 'c'), None, "no more than two may wait");
    assert_eq!(acks.answer("/", second), None);
    assert_eq!(acks.answer("/custom", second), Some('b'));
    assert_eq!(acks.answer("/custom", second), None);
    acks.leave("/");
    assert_eq!(acks.answer("/", first), None);
}

#[test]
fn an_acknowledgement_that_does_not_come_is_late() {
    let now = beginning();
    let mut acks = Acks::new(10);
    for seconds in [2, 1] {
        acks.ask(&Namespace::ROOT, now + Duration::from_secs(seconds), seconds).unwrap();
    }
    assert_eq!(acks.poll_timeout(), Some(now + Duration::from_secs(1)));
    assert_eq!(acks.late(now), None);
    assert_eq!(acks.late(now + Duration::from_secs(1)), Some((Namespace::ROOT, 1)));
    assert_eq!(acks.late(now + Duration::from_secs(1)), None);
    assert_eq!(acks.answer("/", 0), Some(2));
}
