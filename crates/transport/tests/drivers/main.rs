//! All ways to carry a WebSocket keep the same promises: mounted in an actix-web app, and taken over by the
//! server of our own, plain and in TLS. The whole contract is tested on the real binary; here stands what a driver could break.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking; clippy sees that in test functions only"
)]

mod client;
mod host;
#[path = "../../../socketio-actix/tests/autobahn/tls.rs"]
mod tls;

use std::time::Duration;

use chat_transport::{Settings, TrustedProxies};
use client::Client;
use host::{Driver, Host};

/// Those that a socket is taken over by.
const OWNED: [Driver; 2] = [Driver::Owned, Driver::Tls];
const ALL: [Driver; 3] = [Driver::Mounted, Driver::Owned, Driver::Tls];

#[test]
fn two_users_chat() {
    for driver in ALL {
        let host = Host::start(driver);
        let mut ada = Client::connect(&host, 0);
        let mut bob = Client::connect(&host, 1);
        for number in 1..=50 {
            let text = format!("message {number}");
            ada.send(&format!(
                "42{number}[\"private_message\",{{\"receiverId\":\"{}\",\"message\":\"{text}\"}}]",
                host.user(1)
            ));
        }
        for number in 1..=50 {
            let ack = ada.expect(&format!("43{number}["));
            assert!(ack.contains(&format!("\"seq\":{number}")), "{driver:?} {ack}");
            let message = bob.expect("42[\"private_message\"");
            assert!(message.contains(&format!("\"message\":\"message {number}\"")), "{driver:?} {message}");
        }
    }
}

#[test]
fn a_message_in_many_small_pieces_arrives_whole() {
    for driver in ALL {
        let host = Host::start(driver);
        let mut ada = Client::connect(&host, 0);
        let text = "x".repeat(3_000);
        ada.send_in_pieces(
            &format!(
                "421[\"private_message\",{{\"receiverId\":\"{}\",\"message\":\"{text}\"}}]",
                host.user(1)
            ),
            7,
        );
        assert!(ada.expect("431[").contains("\"ok\":true"), "{driver:?}");
    }
}

#[test]
fn what_comes_right_behind_the_handshake_is_read() {
    for driver in ALL {
        let host = Host::start(driver);
        for (padding, in_head) in [(0, 0), (60_000, 0), (0, 3_800), (10_000, 15_000), (60_000, 30_000)] {
            Client::hasty(&host, 0, padding, in_head);
        }
        host.until_sockets(0);
    }
}

#[test]
fn requests_are_answered_however_their_bytes_come() {
    let long = format!("X: {}\r\n", "x".repeat(50_000));
    for driver in OWNED {
        let host = Host::start(driver);
        for (header, piece) in
            [("", 1), ("", 7), ("", usize::MAX), (long.as_str(), 999), (long.as_str(), usize::MAX)]
        {
            let head = format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{header}");
            // Empty lines in front of a request are no request.
            let both = format!("\r\n\r\n{head}\r\n{head}Connection: close\r\n\r\n");
            let answers = Client::answers(&host, both.as_bytes(), piece);
            assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{driver:?} {piece} {answers}");
        }
    }
}

#[test]
fn a_head_that_is_none_is_refused_before_it_is_whole() {
    let large = format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(128 * 1024));
    let many = format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{}", "a: b\r\n".repeat(97));
    let cases =
        [("\x16\x03\x01", 400), ("GET /health HTTP/1.1\r\nHost\r\n", 400), (&large, 431), (&many, 431)];
    for driver in OWNED {
        let host = Host::start(driver);
        for (bytes, status) in cases {
            let answer = Client::answers(&host, bytes.as_bytes(), usize::MAX);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{driver:?} {answer}");
        }
    }
}

#[test]
fn a_client_that_ends_its_side_is_gone() {
    for driver in ALL {
        let host = Host::start(driver);
        let mut ada = Client::connect(&host, 0);
        ada.finish();
        host.until_sockets(0);
        ada.closed();
    }
}

#[test]
fn a_broken_rule_is_answered_with_its_close_code() {
    let unmasked = b"\x81\x01x".to_vec();
    let bad_utf8 = b"\x81\x82\0\0\0\0\xc3\x28".to_vec();
    let huge = b"\x81\xff\0\0\0\x02\0\0\0\0\0\0\0\0".to_vec();
    for driver in ALL {
        let host = Host::start(driver);
        for (bytes, code) in [(&unmasked, 1002), (&bad_utf8, 1007), (&huge, 1009)] {
            let mut client = Client::connect(&host, 0);
            client.send_raw(bytes);
            assert_eq!(client.closed(), Some(code), "{driver:?}");
        }
        host.until_sockets(0);
    }
}

#[test]
fn a_message_sent_just_before_the_link_is_cut_counts() {
    for driver in ALL {
        let host = Host::start(driver);
        let mut bob = Client::connect(&host, 1);
        let mut ada = Client::connect(&host, 0);
        ada.send(&format!(
            "42[\"private_message\",{{\"receiverId\":\"{}\",\"message\":\"last words\"}}]",
            host.user(1)
        ));
        drop(ada);
        assert!(bob.expect("42[\"private_message\"").contains("last words"), "{driver:?}");
    }
}

#[test]
fn what_stands_behind_more_events_than_may_wait_is_read_at_once() {
    for driver in ALL {
        let host = Host::start(driver);
        let mut ada = Client::connect(&host, 0);
        let typing = format!("42[\"typing\",{{\"receiverId\":\"{}\",\"isTyping\":true}}]", host.user(1));
        let mut burst: Vec<u8> = (0..2_000).flat_map(|_| client::frame(&typing)).collect();
        burst.extend(client::frame("427[\"get_chat_history\",{}]"));
        ada.send_raw(&burst);
        ada.set_timeout(Duration::from_secs(5));
        assert!(ada.expect("437[").contains("otherUserId"), "{driver:?}");
    }
}

#[test]
fn a_long_answer_that_is_taken_late_arrives_whole() {
    for driver in ALL {
        let host = Host::start(driver);
        let mut ada = Client::connect(&host, 0);
        let (to, text) = (host.user(1), "x".repeat(2_400));
        for number in 1..=100 {
            ada.send(&format!(
                "42{number}[\"private_message\",{{\"receiverId\":\"{to}\",\"message\":\"{text}\"}}]"
            ));
            ada.expect(&format!("43{number}["));
        }
        let mut late = Client::connect(&host, 0);
        late.set_timeout(Duration::from_secs(10));
        // Of many lengths: some end just where TLS has taken what the connection has not.
        for limit in (61..=100).step_by(3) {
            late.send(&format!("421[\"get_chat_history\",{{\"otherUserId\":\"{to}\",\"limit\":{limit}}}]"));
            // While another has its turns, the answer fills whatever holds it on its way.
            for _turn in 0..5 {
                ada.send("42[\"get_chat_history\",{}]");
                ada.expect("42[\"error\"");
            }
            let answer = late.expect("431[");
            assert!(answer.len() > limit * 2_400 && answer.ends_with("}]"), "{driver:?}: {limit}");
        }
    }
}

#[test]
fn a_client_that_pings_and_never_reads_is_not_read_on() {
    for driver in ALL {
        let host = Host::start(driver);
        let mut ada = Client::connect(&host, 0);
        let pings = client::pings(8_000);
        ada.set_write_timeout(Duration::from_secs(2));
        let taken = (0..60).take_while(|_| ada.try_send_raw(&pings)).count();
        assert!(taken < 60, "{driver:?}: the server took {taken} MB whose answers nobody reads");
    }
}

#[test]
fn a_handshake_that_is_refused_says_why() {
    for driver in ALL {
        let host = Host::start(driver);
        let cases = [
            ("/socket.io/?EIO=3&transport=websocket", "", "{\"code\":5,"),
            ("/socket.io/?EIO=4&transport=websocket&sid=nobody", "", "{\"code\":1,"),
            ("/socket.io/?EIO=4&transport=websocket", "Origin: http://evil.example\r\n", "{\"code\":4,"),
        ];
        for (path, header, expected) in cases {
            let answer = Client::refused(&host, path, header);
            assert!(answer.contains(expected), "{driver:?} {path}: {answer}");
        }
    }
}

#[test]
fn an_address_has_so_many_sessions_and_a_place_is_free_again_when_one_ends() {
    const PATH: &str = "/socket.io/?EIO=4&transport=websocket";
    let from = |last: u8| format!("X-Forwarded-For: 203.0.113.7, 192.0.2.{last}\r\n");
    for driver in ALL {
        let settings = Settings {
            max_sockets_per_address: 1,
            trusted_proxies: TrustedProxies::parse("127.0.0.1").unwrap(),
            ..Settings::default()
        };
        let host = Host::with(driver, settings);
        let one = Client::connect_with(&host, 0, &from(1));
        let _two = Client::connect_with(&host, 0, &from(2));
        let answer = Client::refused(&host, PATH, &from(1));
        assert!(answer.starts_with("HTTP/1.1 429"), "{driver:?} {answer}");
        assert!(answer.to_lowercase().contains("retry-after: 5\r\n"), "{driver:?} {answer}");
        assert!(answer.contains("{\"code\":\"rate_limited\","), "{driver:?} {answer}");
        drop(one);
        host.until_sockets(1);
        Client::connect_with(&host, 0, &from(1));
    }
}

#[test]
fn a_drain_closes_every_session_and_ends() {
    for driver in ALL {
        let host = Host::start(driver);
        let mut clients: Vec<_> = (0..5).map(|_| Client::connect(&host, 0)).collect();
        host.drain();
        for client in &mut clients {
            assert!(client.closed().is_some(), "{driver:?}");
        }
    }
}

#[test]
fn a_client_that_does_not_read_is_closed_as_slow() {
    for driver in OWNED {
        let host = Host::start(driver);
        let mut ada = Client::connect(&host, 0);
        let _deaf = Client::connect(&host, 1);
        host.until_sockets(2);
        let text = "x".repeat(3_900);
        for number in 0..10_000 {
            ada.send(&format!(
                "42{number}[\"private_message\",{{\"receiverId\":\"{}\",\"message\":\"{text}\"}}]",
                host.user(1)
            ));
            ada.expect(&format!("43{number}["));
            if host.sockets() == 1 {
                break;
            }
        }
        host.until_sockets(1);
        ada.set_timeout(Duration::from_secs(5));
        ada.send("42[\"get_chat_history\",{}]");
        assert!(ada.expect("42[\"error\"").contains("otherUserId"), "the sender noticed nothing");
    }
}
