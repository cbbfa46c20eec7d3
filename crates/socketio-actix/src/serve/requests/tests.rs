//! Requests by tables, and by properties: however they come in.

use std::task::Waker;

use proptest::prelude::*;

use super::*;
use crate::Budget;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn requests(budget: &std::sync::Arc<Budget>) -> Requests {
    Requests::new(budget.share())
}

fn begin(requests: &mut Requests, count: u64) {
    requests.begun(count).unwrap();
}

#[test]
fn a_request_is_counted_until_it_is_answered() {
    const HEAD: usize = 20_000 + 49;
    let budget = Budget::new(100_000);
    let mut requests = requests(&budget);
    requests.read(b"\r\nPOST / HTTP/1.1\r\nContent-Length: 50000\r\nX: ");
    assert_eq!(requests.awaited(), Some(Awaited::Head(1)));
    requests.read(&[b'a'; 20_000]);
    requests.read(b"\r\n");
    assert!(!requests.has_head(0));
    requests.read(b"\r\nbody");
    assert!(requests.has_head(0));
    assert_eq!(budget.used(), HEAD + 4);
    begin(&mut requests, 1);
    assert_eq!(budget.used(), HEAD, "a body is counted by who reads it");
    requests.read(&[b'b'; 40_000]);
    assert_eq!((budget.used(), requests.awaited()), (HEAD, None));
    requests.answered();
    assert_eq!((budget.used(), requests.awaited()), (0, Some(Awaited::AnsweredBody(1))));
    requests.read(&[b'b'; 9_996]);
    assert_eq!((budget.used(), requests.awaited()), (0, None));
    requests.read(&[b'c'; 30_000]);
    assert_eq!((budget.used(), requests.awaited()), (30_000, Some(Awaited::Head(2))), "the next head");
}

#[test]
fn a_first_head_counts_as_much_as_it_is_held_in_until_it_is_whole() {
    let budget = Budget::new(100_000);
    let mut requests = requests(&budget);
    requests.read(b"GET / HTTP/1.1\r\n");
    assert!(!requests.has_head(16_384));
    assert_eq!(budget.used(), 16_384);
    requests.read(b"\r\n");
    assert!(requests.has_head(16_384));
    assert_eq!(budget.used(), 0);
}

#[test]
fn whoever_sent_most_is_closed_when_all_sent_too_much() {
    let budget = Budget::new(50_000);
    let [mut small, mut large] = [requests(&budget), requests(&budget)];
    let mut cx = Context::from_waker(Waker::noop());
    large.read(&[b'a'; 40_000]);
    assert!(large.check(&mut cx).is_ok());
    small.read(&[b'a'; 20_000]);
    assert!(large.check(&mut cx).is_err() && small.check(&mut cx).is_ok());
}

#[test]
fn little_is_read_behind_a_request_that_waits_for_its_answer_or_whose_answer_is_not_taken() {
    let budget = Budget::new(1 << 30);
    let mut requests = requests(&budget);
    let read = |requests: &mut Requests| {
        let mut bytes = 0;
        while requests.has_room() && bytes < 1 << 20 {
            requests.read(&GET.repeat(300));
            bytes += 300 * GET.len();
        }
        bytes
    };
    requests.read(GET);
    begin(&mut requests, 1);
    assert!((BEHIND..BEHIND + 8_192).contains(&read(&mut requests)));
    requests.answered();
    let more = read(&mut requests);
    assert!((WAITING - BEHIND - 8_192..WAITING).contains(&more), "{more}");
    requests.blocked();
    assert!(!requests.has_room());
    for count in 2..1_000 {
        begin(&mut requests, count);
        requests.answered();
    }
    assert!(requests.has_room());
}

#[test]
fn one_head_may_be_as_long_as_the_parser_takes_it() {
    let budget = Budget::new(1 << 30);
    let mut requests = requests(&budget);
    requests.read(&[b'a'; 2 * WAITING]);
    assert!(requests.has_room());
}

#[test]
fn empty_lines_for_ever_are_a_head_that_does_not_come() {
    let budget = Budget::new(1 << 30);
    let mut requests = requests(&budget);
    requests.read(GET);
    begin(&mut requests, 1);
    requests.answered();
    requests.read(&b"\r\n".repeat(10_000));
    assert_eq!((requests.awaited(), budget.used()), (Some(Awaited::Head(2)), 20_000));
}

#[test]
fn a_request_that_is_begun_before_its_head_has_come_ends_the_connection() {
    let budget = Budget::new(1 << 30);
    let mut requests = requests(&budget);
    requests.read(b"GET / HT");
    assert!(requests.begun(1).is_err());
    assert!(self::requests(&budget).begun(1).is_err());
}

/// A request, and how it is written.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![Just("\r\n"), Just("\n")];
    let body = prop_oneof![
        Just(None),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|body| Some((body, Vec::new()))),
        (prop::collection::vec(any::<u8>(), 1..300), prop::collection::vec(1..100_usize, 1..4))
            .prop_map(Some),
    ];
    (line, body, prop::collection::vec("[a-z]{1,80}: [ -~]{0,80}", 0..4), 0..2_usize).prop_map(
        |(line, body, headers, empty)| {
            let mut bytes = line.repeat(empty).into_bytes();
            bytes.extend(format!("POST /x HTTP/1.1{line}").bytes());
            headers.iter().for_each(|header| bytes.extend(format!("x{header}{line}").bytes()));
            match body {
                None => bytes.extend(line.bytes()),
                Some((body, sizes)) if sizes.is_empty() => {
                    bytes.extend(format!("content-LENGTH:{}{line}{line}", body.len()).bytes());
                    bytes.extend(body);
                }
                Some((body, sizes)) => {
                    bytes.extend(format!("Transfer-Encoding: chunked{line}{line}").bytes());
                    let (mut rest, mut sizes) = (&*body, sizes.into_iter().cycle());
                    while !rest.is_empty() {
                        let (chunk, left) = rest.split_at(sizes.next().unwrap().min(rest.len()));
                        bytes.extend(format!("{:x};x=y\r\n", chunk.len()).bytes());
                        bytes.extend(chunk);
                        bytes.extend(b"\r\n");
                        rest = left;
                    }
                    bytes.extend(b"0\r\nTrailer: x\r\n\r\n");
                }
            }
            bytes
        },
    )
}

proptest! {
    #[test]
    fn requests_are_told_apart_however_they_come_in(
        all in prop::collection::vec(request(), 1..6),
        piece in 1..200_usize,
    ) {
        let budget = Budget::new(1 << 30);
        let mut requests = requests(&budget);
        for piece in all.concat().chunks(piece) {
            requests.read(piece);
        }
        let sizes: Vec<usize> = requests.waiting.iter().map(|waiting| waiting.bytes).collect();
        prop_assert_eq!(sizes, all.iter().map(Vec::len).collect::<Vec<_>>());
        prop_assert!(requests.awaited().is_none());
    }
}
