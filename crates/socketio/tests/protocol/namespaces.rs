//! Namespaces, acknowledgements and attachments (Socket.IO, "Exchange protocol").

use std::time::Duration;

use bytes::Bytes;
use chat_socketio::{Config, LinkId, Transport};

use crate::peer::Peer;

const SECOND: Duration = Duration::from_secs(1);
const INVALID: &str = "Invalid namespace";

/// "Connection to a namespace".
#[test]
fn a_namespace_is_joined_with_a_payload() {
    let mut peer = Peer::websocket();
    peer.text(1, r#"40{"token":"123"}"#);
    assert!(peer.accept("/"));
    peer.expect(&[r#"connect / {"token":"123"}"#, r#"send 1 40{"sid":"the-id"}"#]);
}

/// Connection state recovery: <https://socket.io/docs/v4/connection-state-recovery>.
#[test]
fn a_client_that_may_recover_gets_a_private_id_and_brings_it_back_in_its_payload() {
    let mut peer = Peer::websocket();
    peer.text(1, r#"40{"pid":"secret","offset":"7"}"#);
    assert!(peer.accept_recoverable("/", "secret"));
    peer.expect(&[
        r#"connect / {"pid":"secret","offset":"7"}"#,
        r#"send 1 40{"sid":"the-id","pid":"secret"}"#,
    ]);
}

#[test]
fn several_namespaces_live_side_by_side() {
    let mut peer = Peer::joined();
    peer.text(1, "40/custom,");
    peer.accept("/custom");
    peer.text(1, "42/custom,[\"a\"]");
    peer.text(1, "41/custom");
    peer.text(1, "42[\"b\"]");
    peer.expect(&[
        "connect /custom -",
        r#"send 1 40/custom,{"sid":"the-id"}"#,
        "message /custom - a [] []",
        "disconnect /custom",
        "message / - b [] []",
    ]);
}

#[test]
fn a_refused_namespace_may_be_asked_for_again() {
    let mut peer = Peer::websocket();
    peer.text(1, "40/random");
    peer.session.refuse(peer.now, "/random", INVALID, None);
    peer.text(1, "40");
    peer.session.refuse(peer.now, "/", "no \"token\"", Some(br#"{"code":"unauthorized"}"#));
    peer.text(1, "40");
    peer.accept("/");
    peer.expect(&[
        "connect /random -",
        r#"send 1 44/random,{"message":"Invalid namespace"}"#,
        "connect / -",
        r#"send 1 44{"message":"no \"token\"","data":{"code":"unauthorized"}}"#,
        "connect / -",
        r#"send 1 40{"sid":"the-id"}"#,
    ]);
}

#[test]
fn only_connect_may_come_before_a_namespace_is_joined() {
    for packet in ["42[\"a\"]", "43[]", "431[]", "41", "44{}", "41/", "42/custom,[\"a\"]", "451-[\"a\"]"] {
        let mut peer = Peer::websocket();
        peer.text(1, packet);
        peer.expect(&["close link 1 1002", "closed unexpected"]);
    }
}

#[test]
fn an_event_between_connect_and_its_answer_ends_the_session() {
    for packet in ["42[\"a\"]", "41", "431[]"] {
        let mut peer = Peer::websocket();
        peer.text(1, "40");
        peer.text(1, packet);
        peer.expect(&["connect / -", "close link 1 1002", "closed unexpected"]);
        assert!(!peer.accept("/"));
        peer.expect(&[]);
    }
}

#[test]
fn a_second_connect_ends_the_session() {
    let mut peer = Peer::joined();
    peer.text(1, "40");
    peer.expect(&["close link 1 1002", "closed unexpected"]);
    let mut peer = Peer::websocket();
    peer.text(1, "40");
    peer.text(1, "40");
    peer.expect(&["connect / -", "close link 1 1002", "closed unexpected"]);
}

#[test]
fn a_connect_whose_payload_is_no_object_ends_the_session() {
    for packet in ["40[]", "40\"a\"", "40null", "401", "40{\"a\":1}x", "40{", "40/a,[]"] {
        let mut peer = Peer::websocket();
        peer.text(1, packet);
        let lines = peer.take();
        let expected = if packet == "401" { "connect / -" } else { "closed malformed" };
        assert_eq!(lines.last().map(String::as_str), Some(expected), "{packet}");
    }
}

#[test]
fn a_session_without_connect_ends_at_its_deadline() {
    for asks in [false, true] {
        let mut peer = Peer::websocket();
        if asks {
            peer.text(1, "40");
            peer.take();
        }
        peer.pass(10 * SECOND - Duration::from_millis(1));
        peer.expect(&[]);
        peer.pass(Duration::from_millis(1));
        peer.expect(&["close link 1 1000", "closed connect_timeout"]);
    }
}

#[test]
fn a_session_that_left_its_last_namespace_has_the_deadline_again() {
    let mut peer = Peer::joined();
    peer.pass(20 * SECOND);
    peer.text(1, "41");
    peer.expect(&["disconnect /"]);
    peer.pass(9 * SECOND);
    peer.text(1, "40");
    peer.accept("/");
    peer.text(1, "3");
    peer.pass(20 * SECOND);
    assert!(!peer.session.is_closed());
    peer.session.disconnect(peer.now, "/");
    peer.drain();
    peer.take();
    peer.pass(10 * SECOND);
    assert!(peer.session.is_closed());
}

/// "Disconnection from a namespace".
#[test]
fn a_disconnect_leaves_the_transport_usable() {
    let mut peer = Peer::joined();
    peer.session.disconnect(peer.now, "/");
    peer.session.disconnect(peer.now, "/");
    peer.session.disconnect(peer.now, "/other");
    peer.text(1, "40/custom,");
    peer.accept("/custom");
    peer.session.disconnect(peer.now, "/custom");
    peer.drain();
    peer.expect(&[
        "send 1 41",
        "connect /custom -",
        r#"send 1 40/custom,{"sid":"the-id"}"#,
        "send 1 41/custom,",
    ]);
}

#[test]
fn more_namespaces_than_allowed_end_the_session() {
    let config = Config { max_namespaces: 2, ..Config::default() };
    let mut peer = Peer::new(Transport::WebSocket(LinkId(1)), config);
    peer.take();
    for packet in ["40/a", "40/b", "40/c"] {
        peer.text(1, packet);
    }
    peer.expect(&["connect /a -", "connect /b -", "close link 1 1009", "closed too_large"]);
}

/// "Acknowledgement".
#[test]
fn acknowledgements_are_passed_up_digit_for_digit() {
    let mut peer = Peer::joined();
    peer.text(1, "439007199254740993[1,\"2\"]");
    peer.text(1, "43[1]");
    peer.text(1, "429007199254740993[\"a\"]");
    peer.expect(&[r#"ack / 9007199254740993 [1,"2"] []"#, "message / 9007199254740993 a [] []"]);
}

#[test]
fn attachments_join_their_event_or_acknowledgement() {
    let mut peer = Peer::joined();
    peer.text(1, r#"452-9["a",[{"_placeholder":true,"num":1}],{"_placeholder":true,"num":1}]"#);
    peer.binary(1, b"x");
    peer.text(1, "3");
    peer.expect(&[]);
    peer.binary(1, b"");
    peer.text(1, r#"461-7[{"_placeholder":true,"num":0}]"#);
    peer.binary(1, b"z");
    peer.text(1, "42[\"c\"]");
    peer.expect(&[
        r#"message / 9 a [[{"_placeholder":true,"num":1}],{"_placeholder":true,"num":1}] [b"x", b""]"#,
        r#"ack / 7 [{"_placeholder":true,"num":0}] [b"z"]"#,
        "message / - c [] []",
    ]);
}

#[test]
fn attachments_out_of_place_end_the_session() {
    let mut peer = Peer::joined();
    peer.binary(1, b"x");
    peer.expect(&["close link 1 1002", "closed malformed"]);
    for between in ["42[\"b\"]", "41", "451-[\"b\"]", "40/x"] {
        let mut peer = Peer::joined();
        peer.text(1, "452-[\"a\"]");
        peer.binary(1, b"x");
        peer.text(1, between);
        peer.expect(&["close link 1 1002", "closed malformed"]);
    }
}

#[test]
fn attachments_are_bounded_in_bytes_and_time() {
    let config = Config { max_payload: 10, ..Config::default() };
    let mut peer = Peer::new(Transport::WebSocket(LinkId(1)), config);
    peer.text(1, "40");
    peer.accept("/");
    peer.text(1, "453-[\"a\"]");
    peer.take();
    peer.binary(1, b"123456");
    peer.binary(1, b"78901");
    peer.expect(&["close link 1 1009", "closed too_large"]);

    let mut peer = Peer::joined();
    peer.text(1, "452-[\"a\"]");
    peer.pass(5 * SECOND);
    peer.binary(1, b"x");
    peer.pass(5 * SECOND - Duration::from_millis(1));
    peer.expect(&[]);
    peer.pass(Duration::from_millis(1));
    peer.expect(&["close link 1 1000", "closed attachments_timeout"]);
}

#[test]
fn attachments_for_a_namespace_that_was_left_meanwhile_end_the_session() {
    let mut peer = Peer::joined();
    peer.text(1, "451-[\"a\"]");
    peer.session.disconnect(peer.now, "/");
    peer.binary(1, b"x");
    peer.expect(&["send 1 41", "close link 1 1002", "closed unexpected"]);
}

#[test]
fn tokens_and_bodies_stay_out_of_debug_output() {
    let mut peer = Peer::websocket();
    peer.text(1, r#"40{"token":"secret"}"#);
    peer.accept("/");
    peer.text(1, r#"42["name","secret"]"#);
    let printed = format!("{:?}", peer.events);
    assert!(!printed.contains("secret") && printed.contains("name"), "{printed}");
    let sent = chat_socketio::Outgoing::from(Bytes::from_static(b"42[\"secret\"]"));
    assert_eq!(format!("{sent:?}"), "Outgoing(12 bytes, 0 attachments)");
}
