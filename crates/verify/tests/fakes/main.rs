//! Thousands of schedules on the fakes: the real use cases, in virtual time, with every interleaving drawn from a seed.
//!
//! Nothing here does I/O, sleeps or looks at a clock. A seed is the same schedule on every machine: requests, the turns of the
//! futures behind them, broken links, a slow or absent store, and kills, which leave what was written and nothing else.
//! `VERIFY_SEED=7 VERIFY_ROUNDS=1 VERIFY_TRACE=1 cargo test -p chat-verify --test fakes -- nothing_is_lost --nocapture` plays one and
//! shows all that happens.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of these tests may panic as tests do"
)]

mod bugs;
mod disk;
mod net;
mod play;
mod server;
mod sim;
mod socket;
mod wire;

use std::{
    env,
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use bugs::BUGS;
use play::{Played, play};

/// Seeds that are played before a bug counts as not found.
const SEEDS: u64 = 40;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |given| given.parse().unwrap())
}

/// Plays schedules on all processors, and looks at each.
fn play_all(seeds: std::ops::Range<u64>, look: impl Fn(u64, Played) + Sync) {
    let next = AtomicU64::new(seeds.start);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    look(seed, play(seed, None));
                }
            });
        }
    });
}

#[test]
fn nothing_is_lost_doubled_or_reordered_in_thousands_of_schedules() {
    let (first, rounds) = (number("VERIFY_SEED", 1), number("VERIFY_ROUNDS", 2_000));
    let (sent, kills) = (AtomicU64::new(0), AtomicU64::new(0));
    play_all(first..first + rounds, |seed, played| {
        sent.fetch_add(played.sent, Ordering::Relaxed);
        kills.fetch_add(u64::from(played.kills), Ordering::Relaxed);
        assert!(
            played.findings.is_empty(),
            "seed {seed}: {:#?}\nagain: VERIFY_SEED={seed} VERIFY_ROUNDS=1 cargo test -p chat-verify --test fakes -- nothing_is_lost",
            played.findings.first()
        );
    });
    let (sent, kills) = (sent.into_inner(), kills.into_inner());
    assert!(sent > rounds * 10 && (rounds < 50 || kills > rounds / 10), "{sent} messages, {kills} kills");
}

#[test]
fn a_seed_is_the_same_schedule_every_time() {
    let traces = Mutex::new(Vec::new());
    play_all(1..41, |seed, played| traces.lock().unwrap().push((seed, played.trace, played.sent)));
    let mut traces = traces.into_inner().unwrap();
    traces.sort_unstable();
    for (seed, trace, sent) in &traces {
        let again = play(*seed, None);
        assert_eq!((again.trace, again.sent), (*trace, *sent), "seed {seed}");
    }
    traces.sort_unstable_by_key(|(_, trace, _)| *trace);
    traces.dedup_by_key(|(_, trace, _)| *trace);
    assert_eq!(traces.len(), 40, "two seeds are the same schedule");
}

#[test]
fn each_planted_bug_is_found() {
    for (bug, kinds) in BUGS {
        let found = (1..=SEEDS).find(|seed| {
            let findings = play(*seed, Some(bug)).findings;
            kinds.iter().any(|kind| findings.count(*kind) > 0)
        });
        assert!(found.is_some(), "{bug:?} is not found");
    }
}
