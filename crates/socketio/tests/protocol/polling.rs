//! Sessions over HTTP long-polling (Engine.IO, "HTTP long-polling", "Heartbeat").

use std::time::Duration;

use bytes::Bytes;
use chat_socketio::{CloseReason, Config, Input, Outgoing, RequestId, Transport};

use crate::peer::Peer;

const BAD_REQUEST: &str = r#"400 {"code":3,"message":"Bad request"}"#;
const UNKNOWN_SID: &str = r#"400 {"code":1,"message":"Session ID unknown"}"#;
const SECOND: Duration = Duration::from_secs(1);

/// "Handshake".
#[test]
fn the_first_get_is_answered_with_the_handshake() {
    let mut peer = Peer::polling();
    peer.get(1);
    peer.expect(&[
        r#"reply 1 200 0{"sid":"the-sid","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
    ]);
}

#[test]
fn a_server_without_upgrades_offers_none() {
    let config = Config { allow_upgrades: false, ..Config::default() };
    let mut peer = Peer::new(Transport::Polling, config);
    peer.get(1);
    assert!(peer.take()[0].contains(r#""upgrades":[]"#));
    peer.upgrade(7);
    peer.expect(&["close link 7 1000"]);
}

#[test]
fn a_get_waits_until_there_is_something() {
    let mut peer = Peer::joined_polling();
    assert!(!peer.session.writable());
    peer.get(4);
    peer.expect(&[]);
    assert!(peer.session.writable());
    peer.send(r#"42["a"]"#);
    peer.expect(&[r#"reply 4 200 42["a"]"#]);
    assert!(!peer.session.writable());
}

#[test]
fn what_waits_is_joined_in_one_get() {
    let mut peer = Peer::joined_polling();
    for text in ["42[1]", "42[2]", "42[3]"] {
        peer.send(text);
    }
    peer.get(4);
    peer.expect(&["reply 4 200 42[1]|42[2]|42[3]"]);
}

#[test]
fn what_is_sent_while_writable_goes_with_one_answer() {
    let mut peer = Peer::joined_polling();
    peer.get(4);
    for text in ["42[1]", "42[2]"] {
        peer.session.send(peer.now, Outgoing::from(Bytes::from_static(text.as_bytes())));
    }
    peer.drain();
    peer.expect(&["reply 4 200 42[1]|42[2]"]);
}

#[test]
fn one_answer_holds_at_most_max_payload_but_always_one_packet() {
    let config = Config { max_payload: 11, ..Config::default() };
    let mut peer = Peer::new(Transport::Polling, config);
    peer.get(1);
    peer.take();
    for text in ["42[1]", "42[2]"] {
        peer.send(text);
    }
    peer.get(2);
    peer.send("42[3]");
    peer.send("42[\"a long one\"]");
    peer.get(3);
    peer.get(4);
    peer.expect(&["reply 2 200 42[1]|42[2]", "reply 3 200 42[3]", "reply 4 200 42[\"a long one\"]"]);
}

#[test]
fn a_full_answer_goes_out_before_anything_is_added_to_it() {
    let config = Config { max_payload: 11, ..Config::default() };
    let mut peer = Peer::new(Transport::Polling, config);
    peer.get(1);
    peer.take();
    peer.get(2);
    for text in ["42[1]", "42[2]", "42[3]"] {
        assert_eq!(peer.session.writable(), text != "42[3]");
        peer.session.send(peer.now, Outgoing::from(Bytes::from_static(text.as_bytes())));
    }
    peer.drain();
    peer.get(3);
    peer.expect(&["reply 2 200 42[1]|42[2]", "reply 3 200 42[3]"]);
}

#[test]
fn a_client_that_never_fetches_is_closed_as_slow() {
    let config = Config { max_payload: 100, ..Config::default() };
    let mut peer = Peer::new(Transport::Polling, config);
    for _ in 0..10 {
        peer.post(1, "40/x");
        peer.session.refuse(peer.now, "/x", "Invalid namespace", None);
        peer.drain();
    }
    let lines = peer.take();
    assert!(lines.contains(&"closed slow".to_owned()), "{lines:?}");
}

#[test]
fn attachments_travel_in_base64() {
    let mut peer = Peer::joined_polling();
    let attachments = vec![Bytes::from_static(&[1, 2, 3, 4])];
    let text = Bytes::from_static(br#"451-["a",{"_placeholder":true,"num":0}]"#);
    peer.session.send(peer.now, Outgoing { text, attachments });
    peer.get(4);
    peer.post(5, "451-[\"b\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA==");
    peer.expect(&[
        r#"reply 4 200 451-["a",{"_placeholder":true,"num":0}]|bAQIDBA=="#,
        r#"message / - b [{"_placeholder":true,"num":0}] [b"\x01\x02\x03\x04"]"#,
        "reply 5 200 ok",
    ]);
}

#[test]
fn a_post_holds_several_packets_and_is_answered_behind_them() {
    let mut peer = Peer::joined_polling();
    peer.post(4, "42[\"a\"]\u{1e}3\u{1e}42[\"b\",1]");
    peer.expect(&["message / - a [] []", "message / - b [1] []", "reply 4 200 ok"]);
}

#[test]
fn a_post_whose_outputs_were_not_drained_is_taken_in_before_the_next_input() {
    let mut peer = Peer::joined_polling();
    for (request, body) in [(4, "42[\"a\"]"), (5, "42[\"b\"]")] {
        let body = Bytes::from_static(body.as_bytes());
        peer.session.handle(peer.now, Input::Post { request: RequestId(request), body });
    }
    peer.drain();
    peer.expect(&["message / - a [] []", "reply 4 200 ok", "message / - b [] []", "reply 5 200 ok"]);
}

#[test]
fn a_second_get_ends_the_session() {
    let mut peer = Peer::joined_polling();
    peer.get(4);
    peer.get(5);
    peer.expect(&["reply 4 200 1", "closed overlap", &format!("reply 5 {BAD_REQUEST}")]);
    peer.get(6);
    peer.expect(&[&format!("reply 6 {UNKNOWN_SID}")]);
    assert!(peer.session.is_closed());
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn a_second_post_ends_the_session() {
    let mut peer = Peer::joined_polling();
    peer.get(4);
    peer.input(Input::PostBegun { request: RequestId(5) });
    peer.input(Input::PostBegun { request: RequestId(6) });
    peer.expect(&[
        "reply 4 200 1",
        &format!("reply 5 {BAD_REQUEST}"),
        "closed overlap",
        &format!("reply 6 {BAD_REQUEST}"),
    ]);
    let mut peer = Peer::joined_polling();
    peer.input(Input::PostBegun { request: RequestId(5) });
    peer.post(6, "42[\"a\"]");
    peer.expect(&[&format!("reply 5 {BAD_REQUEST}"), "closed overlap", &format!("reply 6 {BAD_REQUEST}")]);
}

#[test]
fn a_post_that_was_announced_counts_once() {
    let mut peer = Peer::joined_polling();
    peer.input(Input::PostBegun { request: RequestId(5) });
    peer.post(5, "42[\"a\"]");
    peer.expect(&["message / - a [] []", "reply 5 200 ok"]);
    peer.post(6, "42[\"b\"]");
    peer.expect(&["message / - b [] []", "reply 6 200 ok"]);
}

#[test]
fn a_request_cut_short_ends_the_session() {
    let mut peer = Peer::joined_polling();
    peer.get(4);
    peer.input(Input::Aborted { request: RequestId(3) });
    peer.expect(&[]);
    peer.input(Input::Aborted { request: RequestId(4) });
    peer.expect(&["closed transport_lost"]);
    let mut peer = Peer::joined_polling();
    peer.get(4);
    peer.input(Input::PostBegun { request: RequestId(5) });
    peer.input(Input::Aborted { request: RequestId(5) });
    peer.expect(&["reply 4 200 1", "closed transport_lost"]);
}

#[test]
fn a_body_over_the_limit_is_answered_413_and_ends_the_session() {
    let config = Config { max_payload: 8, ..Config::default() };
    let mut peer = Peer::new(Transport::Polling, config.clone());
    peer.post(1, "4aaaaaaaa");
    peer.expect(&["reply 1 413 ", "closed too_large"]);
    let mut peer = Peer::new(Transport::Polling, config);
    peer.input(Input::PostBegun { request: RequestId(1) });
    peer.input(Input::PostTooLarge { request: RequestId(1) });
    peer.expect(&["reply 1 413 ", "closed too_large"]);
}

#[test]
fn what_came_before_a_malformed_packet_still_counts() {
    for malformed in ["", "x", "4", "4x", "42", "42{}", "42[\"a\"", "b!", "48"] {
        let mut peer = Peer::joined_polling();
        peer.get(4);
        peer.post(5, &format!("42[\"a\"]\u{1e}{malformed}\u{1e}42[\"b\"]"));
        peer.expect(&[
            "message / - a [] []",
            "reply 4 200 1",
            &format!("reply 5 {BAD_REQUEST}"),
            "closed malformed",
        ]);
    }
}

#[test]
fn a_message_posted_just_before_the_close_counts() {
    let mut peer = Peer::joined_polling();
    peer.get(4);
    peer.post(5, "42[\"a\"]\u{1e}1\u{1e}42[\"b\"]");
    peer.expect(&["message / - a [] []", "reply 4 200 6", "reply 5 200 ok", "closed client_closed"]);
}

#[test]
fn ten_thousand_packets_of_a_body_are_decoded_one_at_a_time() {
    let mut peer = Peer::joined_polling();
    let body = Bytes::from("42[\"a\"]\u{1e}".repeat(10_000) + "42[\"a\"]");
    peer.session.handle(peer.now, Input::Post { request: RequestId(4), body });
    let mut events = 0;
    while peer.session.poll_output().is_some() {
        events += 1;
    }
    assert_eq!(events, 10_002);
}

#[test]
fn the_server_closes_with_what_waits_and_a_close_packet() {
    let mut peer = Peer::joined_polling();
    peer.get(4);
    peer.session.send(peer.now, Outgoing::from(Bytes::from_static(b"42[1]")));
    peer.session.close(peer.now, CloseReason::Shutdown);
    peer.drain();
    peer.expect(&["reply 4 200 42[1]|1", "closed shutdown"]);
    peer.send("42[2]");
    peer.post(5, "42[\"a\"]");
    peer.upgrade(7);
    assert!(!peer.accept("/"));
    peer.expect(&[&format!("reply 5 {UNKNOWN_SID}"), "close link 7 1000"]);
}

#[test]
fn a_ping_waits_for_its_get_and_its_pong_is_awaited() {
    let mut peer = Peer::joined_polling();
    peer.pass(25 * SECOND);
    peer.expect(&[]);
    peer.get(4);
    peer.expect(&["reply 4 200 2"]);
    peer.get(5);
    peer.pass(19 * SECOND);
    peer.post(6, "3");
    peer.expect(&["reply 6 200 ok"]);
    peer.pass(24 * SECOND);
    peer.expect(&[]);
    peer.pass(SECOND);
    peer.expect(&["reply 5 200 2"]);
    peer.get(7);
    peer.pass(20 * SECOND);
    peer.expect(&["reply 7 200 1", "closed ping_timeout"]);
}

#[test]
fn a_get_that_comes_when_the_pong_is_overdue_finds_no_session() {
    let mut peer = Peer::joined_polling();
    peer.pass(Duration::from_secs(25));
    // The timer that tells of it has not rung yet.
    peer.now += Duration::from_secs(20);
    peer.get(4);
    peer.expect(&["closed ping_timeout", r#"reply 4 400 {"code":1,"message":"Session ID unknown"}"#]);
}

#[test]
fn a_ping_that_is_a_little_late_puts_nothing_off() {
    let mut peer = Peer::joined_polling();
    let began = peer.now;
    peer.now = began + Duration::from_millis(25_003);
    peer.input(Input::Timeout);
    assert_eq!(peer.session.poll_timeout(), Some(began + Duration::from_secs(45)));
}

#[test]
fn a_ping_that_is_late_leaves_the_client_its_time() {
    let mut peer = Peer::joined_polling();
    peer.now += Duration::from_secs(26);
    let sent = peer.now;
    peer.input(Input::Timeout);
    assert_eq!(peer.session.poll_timeout(), Some(sent + Duration::from_secs(20)));
}
