//! The cases of the Autobahn test suite over real sockets, on both drivers, one of them also in TLS: the table of `chat-socketio`'s tests against
//! a bare Engine.IO server that sends every message back.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking; clippy sees that in test functions only"
)]

#[path = "../../../socketio/tests/protocol/autobahn/cases.rs"]
mod cases;
mod client;
mod host;
mod tls;

use std::thread;

use cases::{Case, LONGEST, cases};
use client::Client;
use host::{Driver, Host};

/// Plays one case; the frames that came before the close frame, and its code.
fn play(host: &Host, case: &Case) -> (Vec<(u8, Vec<u8>)>, Option<u16>) {
    let mut client = Client::connect(host);
    let mut writer = client.writer();
    thread::scope(|scope| {
        // Beside the reading: the server stops reading while its answers are not taken. Past a failure it is gone.
        scope.spawn(move || case.writes.iter().all(|write| writer.write(write)));
        client.read_to_the_end()
    })
}

fn check(driver: Driver, groups: &[&str]) {
    let host = Host::start(driver, LONGEST);
    let table = cases("4");
    let chosen = table.iter().filter(|case| groups.iter().any(|group| case.id.starts_with(group)));
    for case in chosen {
        let (replies, close) = play(&host, case);
        let opcodes: Vec<u8> = replies.iter().map(|(opcode, _)| *opcode).collect();
        assert!(replies == case.replies, "{driver:?} {}: {opcodes:?} came", case.id);
        assert_eq!(close, Some(case.close), "{driver:?} {}", case.id);
    }
}

const SMALL: [&str; 8] = ["1.", "2.", "3.", "4.", "5.", "6.", "7.", "10."];

#[test]
fn a_mounted_server_passes_groups_1_to_7_and_10() {
    check(Driver::Mounted, &SMALL);
}

#[test]
fn an_own_server_passes_groups_1_to_7_and_10() {
    check(Driver::Owned, &SMALL);
}

#[test]
fn an_own_server_in_tls_passes_groups_1_to_7_and_10() {
    check(Driver::Tls, &SMALL);
}

#[test]
fn a_mounted_server_passes_group_9() {
    check(Driver::Mounted, &["9."]);
}

#[test]
fn an_own_server_passes_group_9() {
    check(Driver::Owned, &["9."]);
}

#[test]
fn an_own_server_in_tls_passes_group_9() {
    check(Driver::Tls, &["9."]);
}
