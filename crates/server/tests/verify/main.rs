//! Schedules of devices against the real binary, which is killed with SIGKILL meanwhile; and the command that plays them.
#![expect(clippy::unwrap_used, reason = "the helpers of these tests may panic as tests do")]

mod command;
mod planted;
mod server;

use std::{
    cell::RefCell,
    env,
    ops::Range,
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use chat_verify::{Account, Findings, Plan, Rng, Run, endpoint, now, play, register};
use tokio::{
    task::{JoinSet, LocalSet},
    time::{Instant, sleep},
};

use crate::server::Server;

/// Schedules that share a server at the same time.
const AT_ONCE: usize = 6;
/// The same where it stores in MongoDB, and how many share a database: the server of the tests reads by scan.
const AT_ONCE_ON_MONGODB: usize = 1;
const SHARE_A_DATABASE: usize = 5;
/// How long a server that was started, or killed, may take to make accounts.
const COMES_BACK: Duration = Duration::from_secs(60);

async fn people(server: &str, count: usize, prefix: &str) -> Vec<Account> {
    /// Names taken in a round that did not end are not used again.
    static ROUNDS: AtomicU64 = AtomicU64::new(0);
    let server = endpoint(server, None).await.unwrap();
    let until = Instant::now() + COMES_BACK;
    loop {
        // The server may be starting, or be killed by another schedule.
        let name = format!("{prefix}{:x}", ROUNDS.fetch_add(1, Ordering::Relaxed));
        match register(&server, count, &name, "long enough").await {
            Ok(accounts) => return accounts,
            Err(error) => assert!(Instant::now() < until, "no accounts: {error}"),
        }
        sleep(Duration::from_millis(5)).await;
    }
}

async fn schedule(seed: u64, server: Rc<RefCell<Server>>) -> (u64, u64, Findings) {
    let address = server.borrow().url();
    let count = 2 + Rng::new(seed).below(4);
    let accounts = people(&address, count, &format!("s{seed:x}-")).await;
    let ids = accounts.iter().map(|account| account.id.clone()).collect();
    let plan = Plan { seed, steps: 60, kills: true, patience: 60_000 };
    let mut run = Run::new(plan, &format!("t{seed:x}"), ids, now());
    let endpoint = endpoint(&address, None).await.unwrap();
    play(&mut run, &endpoint, &accounts, || server.borrow_mut().kill()).await;
    (seed, run.sent(), run.into_findings())
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |given| given.parse().unwrap())
}

/// Plays the schedules of these seeds. Tells how many messages were written, and how often the server was killed.
fn play_all(server: Server, at_once: usize, seeds: Range<u64>, test: &str) -> (u64, u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let server = Rc::new(RefCell::new(server));
        let (mut next, mut sent, mut running) = (seeds.start, 0, JoinSet::new());
        loop {
            while running.len() < at_once && next < seeds.end {
                running.spawn_local(schedule(next, Rc::clone(&server)));
                next += 1;
            }
            let Some(done) = running.join_next().await else { break };
            let (seed, messages, findings) = done.unwrap();
            sent += messages;
            assert!(
                findings.is_empty(),
                "seed {seed}: {:#?}\nagain: VERIFY_SEED={seed} VERIFY_ROUNDS=1 cargo test -p chat-server --test verify {test}",
                findings.first()
            );
        }
        let kills = server.borrow().kills();
        (sent, kills)
    })
}

#[test]
fn nothing_is_lost_doubled_or_reordered_while_devices_come_and_go_and_the_server_is_killed() {
    let (first, rounds) = (number("VERIFY_SEED", 1), number("VERIFY_ROUNDS", 100));
    let (sent, kills) = play_all(Server::start(), AT_ONCE, first..first + rounds, "nothing_is_lost");
    assert!(sent > rounds * 10 && (rounds < 50 || kills > 5), "{sent} messages, {kills} kills");
}

#[test]
fn on_mongodb_nothing_is_lost_doubled_or_reordered_while_the_server_is_killed() {
    let (first, rounds) = (number("VERIFY_SEED", 1), number("VERIFY_ROUNDS", 10));
    let (mut sent, mut kills, end) = (0, 0, first + rounds);
    for some in (first..end).step_by(SHARE_A_DATABASE) {
        let some = some..end.min(some + SHARE_A_DATABASE as u64);
        let (messages, ends) = play_all(Server::on_mongodb(), AT_ONCE_ON_MONGODB, some, "on_mongodb");
        (sent, kills) = (sent + messages, kills + ends);
    }
    assert!(sent > rounds * 10 && (rounds < 10 || kills > 0), "{sent} messages, {kills} kills");
}
