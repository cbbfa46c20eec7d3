//! The move from polling to a WebSocket (Engine.IO, "Upgrade").

use std::time::Duration;

use bytes::Bytes;
use chat_socketio::{CloseReason, Input, LinkId, Outgoing, RequestId};

use crate::peer::Peer;

const BAD_REQUEST: &str = r#"400 {"code":3,"message":"Bad request"}"#;

#[test]
fn a_session_moves_to_a_websocket() {
    let mut peer = Peer::joined_polling();
    peer.get(4);
    peer.upgrade(7);
    peer.expect(&[]);
    peer.text(7, "2probe");
    peer.expect(&["send 7 3probe", "reply 4 200 6"]);
    peer.text(7, "5");
    peer.expect(&[]);
    peer.send("42[1]");
    peer.text(7, "42[\"a\"]");
    peer.expect(&["send 7 42[1]", "message / - a [] []"]);
}

#[test]
fn a_get_that_comes_after_the_probe_is_freed_too() {
    let mut peer = Peer::joined_polling();
    peer.upgrade(7);
    peer.text(7, "2probe");
    peer.get(4);
    peer.get(5);
    peer.expect(&["send 7 3probe", "reply 4 200 6", "reply 5 200 6"]);
}

#[test]
fn posts_are_taken_until_the_upgrade_packet() {
    let mut peer = Peer::joined_polling();
    peer.upgrade(7);
    peer.text(7, "2probe");
    peer.post(4, "42[\"a\"]");
    peer.text(7, "5");
    peer.post(5, "42[\"b\"]");
    peer.expect(&[
        "send 7 3probe",
        "message / - a [] []",
        "reply 4 200 ok",
        &format!("reply 5 {BAD_REQUEST}"),
    ]);
    assert!(!peer.session.is_closed());
}

#[test]
fn what_waited_goes_out_first_over_the_new_transport_with_its_attachments() {
    let mut peer = Peer::joined_polling();
    peer.upgrade(7);
    peer.text(7, "2probe");
    assert!(!peer.session.writable());
    peer.send("42[1]");
    let outgoing = Outgoing { text: "451-[2]".into(), attachments: vec![Bytes::from_static(b"x")] };
    peer.session.send(peer.now, outgoing);
    peer.text(7, "5");
    assert!(peer.session.writable());
    peer.send("42[3]");
    peer.expect(&["send 7 3probe", "send 7 42[1]", "send 7 451-[2]", "send 7 b\"x\"", "send 7 42[3]"]);
}

#[test]
fn what_waited_may_also_be_fetched_before_the_upgrade_packet() {
    let mut peer = Peer::joined_polling();
    peer.upgrade(7);
    peer.text(7, "2probe");
    peer.send("42[1]");
    peer.get(4);
    peer.text(7, "5");
    peer.send("42[2]");
    peer.expect(&["send 7 3probe", "reply 4 200 42[1]", "send 7 42[2]"]);
}

#[test]
fn after_the_upgrade_requests_are_refused_and_the_session_lives_on() {
    let mut peer = Peer::joined_polling();
    peer.upgrade(7);
    peer.text(7, "2probe");
    peer.text(7, "5");
    peer.get(4);
    peer.input(Input::PostBegun { request: RequestId(5) });
    peer.upgrade(8);
    peer.text(8, "2probe");
    peer.expect(&[
        "send 7 3probe",
        &format!("reply 4 {BAD_REQUEST}"),
        &format!("reply 5 {BAD_REQUEST}"),
        "close link 8 1000",
    ]);
    peer.send("42[1]");
    peer.expect(&["send 7 42[1]"]);
}

#[test]
fn a_wrong_or_missing_probe_ends_the_link_and_polling_goes_on() {
    for wrong in ["5", "2", "2prob", "2probe2", "42[\"a\"]", "1", "3probe", "6", "", "x"] {
        let mut peer = Peer::joined_polling();
        peer.get(4);
        peer.upgrade(7);
        peer.text(7, wrong);
        peer.expect(&["close link 7 1002"]);
        peer.text(7, "2probe");
        peer.send("42[1]");
        peer.expect(&["reply 4 200 42[1]"]);
    }
    let mut peer = Peer::joined_polling();
    peer.upgrade(7);
    peer.binary(7, b"x");
    peer.expect(&["close link 7 1002"]);
}

#[test]
fn a_wrong_packet_after_the_probe_ends_the_link_and_polling_goes_on() {
    let mut peer = Peer::joined_polling();
    peer.upgrade(7);
    peer.text(7, "2probe");
    peer.text(7, "42[\"a\"]");
    peer.expect(&["send 7 3probe", "close link 7 1002"]);
    peer.get(4);
    assert!(peer.session.writable());
    peer.send("42[1]");
    peer.expect(&["reply 4 200 42[1]"]);
}

#[test]
fn a_dropped_link_is_no_loss_and_another_may_come() {
    let mut peer = Peer::joined_polling();
    peer.get(4);
    peer.upgrade(7);
    peer.text(7, "2probe");
    peer.input(Input::LinkClosed { link: LinkId(7) });
    peer.expect(&["send 7 3probe", "reply 4 200 6"]);
    peer.get(5);
    peer.expect(&[]);
    peer.upgrade(8);
    peer.text(8, "2probe");
    peer.text(8, "5");
    peer.expect(&["send 8 3probe", "reply 5 200 6"]);
}

#[test]
fn a_second_link_is_closed_while_the_first_goes_on() {
    let mut peer = Peer::joined_polling();
    peer.upgrade(7);
    peer.upgrade(8);
    peer.expect(&["close link 8 1000"]);
    peer.input(Input::LinkClosed { link: LinkId(8) });
    peer.text(7, "2probe");
    peer.text(7, "5");
    peer.expect(&["send 7 3probe"]);
}

#[test]
fn an_upgrade_that_is_not_completed_times_out_and_polling_goes_on() {
    for probe in [false, true] {
        let mut peer = Peer::joined_polling();
        peer.upgrade(7);
        if probe {
            peer.text(7, "2probe");
        }
        peer.take();
        peer.pass(Duration::from_secs(10));
        peer.expect(&["close link 7 1000"]);
        peer.get(4);
        peer.send("42[1]");
        peer.expect(&["reply 4 200 42[1]"]);
    }
}

#[test]
fn a_session_that_ends_takes_its_upgrade_along() {
    let mut peer = Peer::joined_polling();
    peer.upgrade(7);
    peer.get(4);
    peer.session.close(peer.now, CloseReason::Shutdown);
    peer.drain();
    peer.expect(&["reply 4 200 1", "close link 7 1001", "closed shutdown"]);
}

#[test]
fn the_heartbeat_runs_on_across_the_upgrade() {
    let mut peer = Peer::joined_polling();
    peer.pass(Duration::from_secs(24));
    peer.upgrade(7);
    peer.text(7, "2probe");
    peer.pass(Duration::from_secs(1));
    peer.expect(&["send 7 3probe"]);
    peer.text(7, "5");
    peer.expect(&["send 7 2"]);
    peer.pass(Duration::from_secs(19));
    peer.text(7, "3");
    peer.pass(Duration::from_secs(24));
    peer.expect(&[]);
    peer.pass(Duration::from_secs(21));
    peer.expect(&["send 7 2", "close link 7 1000", "closed ping_timeout"]);
}
