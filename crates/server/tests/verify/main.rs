//! Schedules of devices against the real binary, which is killed with SIGKILL meanwhile.
#![expect(clippy::unwrap_used, reason = "the helpers of these tests may panic as tests do")]

mod planted;

use std::{
    cell::RefCell,
    env,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    rc::Rc,
};

use chat_verify::{Account, Findings, Plan, Rng, Run, endpoint, now, play, register};
use tempfile::TempDir;
use tokio::task::{JoinSet, LocalSet};

/// Schedules that share a server at the same time.
const AT_ONCE: u64 = 6;

/// A server that is started again on the same folder and port when it is killed.
struct Server {
    folder: TempDir,
    address: SocketAddr,
    child: Child,
    kills: u32,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = stable_address();
        let child = spawn(folder.path(), address);
        Self { folder, address, child, kills: 0 }
    }

    /// SIGKILL, and a new process at once: clients come back when it listens.
    fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).unwrap();
        self.child = spawn(self.folder.path(), self.address);
        self.kills += 1;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A free port below those that systems give to clients: while the server is away, a client's own end must not take it.
fn stable_address() -> SocketAddr {
    let first = 20_000 + std::process::id() % 10_000;
    let mut free = (first..32_000).filter_map(|port| {
        TcpListener::bind(("127.0.0.1", u16::try_from(port).ok()?)).ok()?.local_addr().ok()
    });
    free.next().unwrap()
}

fn spawn(folder: &Path, address: SocketAddr) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.current_dir(folder).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.envs([
        ("HOST", "127.0.0.1"),
        ("BCRYPT_COST", "4"),
        ("RATE_LIMITS", "off"),
        ("RUST_LOG", "error"),
    ]);
    command.env("PORT", address.port().to_string()).spawn().unwrap()
}

async fn people(server: &str, count: usize, prefix: &str) -> Vec<Account> {
    let server = endpoint(server).await.unwrap();
    loop {
        // The server may be starting, or be killed by another schedule; names taken meanwhile are not used again.
        let name = format!("{prefix}{:x}", fresh());
        if let Ok(accounts) = register(&server, count, &name, "long enough").await {
            return accounts;
        }
        tokio::task::yield_now().await;
    }
}

/// Differs from call to call.
fn fresh() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

async fn schedule(seed: u64, server: Rc<RefCell<Server>>) -> (u64, u64, Findings) {
    let address = format!("http://{}", server.borrow().address);
    let count = 2 + Rng::new(seed).below(4);
    let accounts = people(&address, count, &format!("s{seed:x}-")).await;
    let ids = accounts.iter().map(|account| account.id.clone()).collect();
    let plan = Plan { seed, steps: 60, kills: true, patience: 60_000 };
    let mut run = Run::new(plan, &format!("t{seed:x}"), ids, now());
    let endpoint = endpoint(&address).await.unwrap();
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
        let kills = server.borrow().kills;
        assert!(sent > rounds * 10 && (rounds < 50 || kills > 5), "{sent} messages, {kills} kills");
    });
}
