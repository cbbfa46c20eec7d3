//! Schedules of devices against the real binary, which is killed with SIGKILL meanwhile; and the command that plays them.
#![expect(clippy::unwrap_used, reason = "the helpers of these tests may panic as tests do")]

mod command;
mod planted;
mod server;

use std::{
    cell::RefCell,
    env,
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
const AT_ONCE: u64 = 6;
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

#[test]
fn nothing_is_lost_doubled_or_reordered_while_devices_come_and_go_and_the_server_is_killed() {
    let (first, rounds) = (number("VERIFY_SEED", 1), number("VERIFY_ROUNDS", 100));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let server = Rc::new(RefCell::new(Server::start()));
        let (mut next, mut sent, mut running) = (first, 0, JoinSet::new());
        loop {
            while running.len() < AT_ONCE as usize && next < first + rounds {
                running.spawn_local(schedule(next, Rc::clone(&server)));
                next += 1;
            }
            let Some(done) = running.join_next().await else { break };
            let (seed, messages, findings) = done.unwrap();
            sent += messages;
            assert!(
                findings.is_empty(),
                "seed {seed}: {:#?}\nagain: VERIFY_SEED={seed} VERIFY_ROUNDS=1 cargo test -p chat-server --test verify",
                findings.first()
            );
        }
        let kills = server.borrow().kills();
        assert!(sent > rounds * 10 && (rounds < 50 || kills > 5), "{sent} messages, {kills} kills");
    });
}
