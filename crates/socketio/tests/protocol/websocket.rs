//! Sessions on a WebSocket from the start (Engine.IO, "WebSocket", "Heartbeat").

use std::time::Duration;

use bytes::Bytes;
use chat_socketio::{CloseReason, Config, Input, LinkId, Outgoing, Transport};

use crate::peer::Peer;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_handshake_offers_no_upgrade() {
    let mut peer = Peer::new(Transport::WebSocket(LinkId(1)), Config::default());
    peer.expect(&[
        r#"send 1 0{"sid":"the-sid","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
    ]);
}

#[test]
fn events_go_both_ways() {
    let mut peer = Peer::joined();
    peer.text(1, r#"42["a",1,{"b":"c"}]"#);
    peer.text(1, r#"427["with-ack"]"#);
    peer.send(r#"437[1]"#);
    peer.expect(&[r#"message / - a [1,{"b":"c"}] []"#, "message / 7 with-ack [] []", "send 1 437[1]"]);
}

#[test]
fn a_header_and_its_attachments_are_one_unit() {
    let mut peer = Peer::joined();
    let attachments = vec![Bytes::from_static(b"x"), Bytes::from_static(b"y")];
    peer.session.send(peer.now, Outgoing { text: "452-[]".into(), attachments });
    peer.send("42[1]");
    peer.expect(&["send 1 452-[]", "send 1 b\"x\"", "send 1 b\"y\"", "send 1 42[1]"]);
}

#[test]
fn the_first_ping_comes_after_the_interval_whatever_is_sent() {
    let mut peer = Peer::joined();
    for _ in 0..24 {
        peer.pass(SECOND);
        peer.text(1, "42[\"a\"]");
        peer.text(1, "3");
    }
    peer.take();
    peer.pass(SECOND);
    peer.expect(&["send 1 2"]);
    peer.text(1, "3");
    peer.pass(24 * SECOND);
    peer.expect(&[]);
    peer.pass(SECOND);
    peer.expect(&["send 1 2"]);
}

#[test]
fn without_a_pong_the_session_ends() {
    let mut peer = Peer::joined();
    peer.pass(25 * SECOND);
    peer.text(1, "42[\"a\"]");
    peer.take();
    peer.pass(20 * SECOND - Duration::from_millis(1));
    peer.expect(&[]);
    peer.pass(Duration::from_millis(1));
    peer.expect(&["close link 1 1000", "closed ping_timeout"]);
}

#[test]
fn a_pong_that_arrived_before_the_timeout_is_fed_counts() {
    let mut peer = Peer::joined();
    peer.pass(25 * SECOND);
    peer.now += 20 * SECOND;
    peer.text(1, "3");
    peer.input(Input::Timeout);
    peer.expect(&["send 1 2"]);
}

#[test]
fn the_close_packet_ends_the_session() {
    let mut peer = Peer::joined();
    peer.text(1, "42[\"a\"]");
    peer.text(1, "1");
    peer.text(1, "42[\"b\"]");
    peer.expect(&["message / - a [] []", "close link 1 1000", "closed client_closed"]);
}

#[test]
fn a_lost_link_ends_the_session() {
    let mut peer = Peer::joined();
    peer.input(Input::LinkClosed { link: LinkId(2) });
    peer.expect(&[]);
    peer.input(Input::LinkClosed { link: LinkId(1) });
    peer.expect(&["closed transport_lost"]);
    peer.session.close(peer.now, CloseReason::Server);
    peer.drain();
    peer.expect(&[]);
}

#[test]
fn engine_packets_that_say_nothing_are_ignored() {
    let mut peer = Peer::joined();
    for packet in ["6", "5", "0", "0{}", "3", "3probe", "6x"] {
        peer.text(1, packet);
    }
    peer.expect(&[]);
}

#[test]
fn a_clients_ping_and_unknown_packets_end_the_session() {
    for (packet, reason) in
        [("2", "unexpected"), ("2probe", "unexpected"), ("", "malformed"), ("abc", "malformed")]
    {
        let mut peer = Peer::joined();
        peer.text(1, packet);
        peer.expect(&["close link 1 1002", &format!("closed {reason}")]);
    }
}

#[test]
fn base64_is_understood_where_a_client_insists_on_it() {
    let mut peer = Peer::joined();
    peer.text(1, r#"451-["a",{"_placeholder":true,"num":0}]"#);
    peer.text(1, "bAQID");
    peer.expect(&[r#"message / - a [{"_placeholder":true,"num":0}] [b"\x01\x02\x03"]"#]);
}

#[test]
fn the_embedder_closes_with_its_reason() {
    let table = [(CloseReason::Server, 1000), (CloseReason::Shutdown, 1001), (CloseReason::Slow, 1008)];
    for (reason, code) in table {
        let mut peer = Peer::joined();
        peer.session.close(peer.now, reason);
        peer.drain();
        peer.expect(&[&format!("close link 1 {code}"), &format!("closed {}", reason.as_str())]);
    }
}

#[test]
fn an_idle_session_is_small() {
    let peer = Peer::joined();
    assert!(size_of_val(&peer.session) <= 256, "{} bytes", size_of_val(&peer.session));
}
