//! The server as a child process of a suite: started in a folder of its own, stopped or killed.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::scenario::Target;
use crate::system;
use chat_client::ClientError as LoadError;
use chat_client::{clock, http};

/// A start on a million messages should take less than a second; a repair may take longer.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
/// Only ever signs tokens of a bench.
const SECRET: &str = "a secret that only benchmarks use, 32 bytes and more";

/// How the suite's servers are started.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// The `chat-server` to start.
    pub(crate) binary: PathBuf,
    /// Processors of the server and of the load tool; `None` leaves both to the system.
    pub(crate) cores: Option<(usize, usize)>,
    /// The MongoDB database in which it stores; `None` is its folder.
    pub(crate) mongodb_uri: Option<String>,
}

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    ready_after: Duration,
}

impl Server {
    /// Starts a server on the data in `dir` (made if missing) and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started, ends, or is not ready in time; the message names its log.
    pub(crate) async fn start(launch: &Launch, dir: &Path, bcrypt_cost: u32) -> Result<Server, LoadError> {
        fs::create_dir_all(dir).map_err(LoadError::io(format!("create {}", dir.display())))?;
        let address = free_address()?;
        let log = dir.join("server.log");
        let mut command = command(launch, dir, address, bcrypt_cost, &log)?;
        let begun = clock::nanos();
        let child = on_core(launch, || command.spawn())?;
        let mut server = Server { child, address, ready_after: Duration::ZERO };
        server.wait_ready(begun, &log).await?;
        server.ready_after = Duration::from_nanos(clock::nanos() - begun);
        Ok(server)
    }

    /// What scenarios have to know of it.
    pub(crate) fn target(&self) -> Target {
        Target { server: self.address, server_pid: Some(self.child.id()) }
    }

    /// From its start until `/ready` was answered with 200.
    pub(crate) fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Ends it without warning, as a crash would.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn kill(mut self) -> Result<(), LoadError> {
        self.child.kill().and_then(|()| self.child.wait()).map_err(LoadError::io("kill the server"))?;
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time, or not well.
    pub(crate) async fn stop(mut self) -> Result<(), LoadError> {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)
                .map_err(|errno| LoadError::io("stop the server")(errno.into()))?;
        }
        let begun = clock::nanos();
        loop {
            match self.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(LoadError::Protocol(format!("the server ended with {status}"))),
                None if late(begun, STOP_TIMEOUT) => {
                    return Err(LoadError::Timeout("the server did not end after SIGTERM".into()));
                }
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    async fn wait_ready(&mut self, begun: u64, log: &Path) -> Result<(), LoadError> {
        loop {
            // Nobody listens at first: any failure here means "not yet".
            if matches!(http::status(self.address, "/ready").await, Ok(200)) {
                return Ok(());
            }
            if let Some(status) = self.ended()? {
                let why = format!("the server ended with {status}, see {}", log.display());
                return Err(LoadError::Protocol(why));
            }
            if late(begun, START_TIMEOUT) {
                return Err(LoadError::Timeout(format!("the server is not ready, see {}", log.display())));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, LoadError> {
        self.child.try_wait().map_err(LoadError::io("look after the server"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn late(begun: u64, limit: Duration) -> bool {
    u128::from(clock::nanos() - begun) > limit.as_nanos()
}

/// A port that was free a moment ago: the server binds it right after.
fn free_address() -> Result<SocketAddr, LoadError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(LoadError::io("find a free port"))
}

fn command(
    launch: &Launch,
    dir: &Path,
    address: SocketAddr,
    bcrypt_cost: u32,
    log: &Path,
) -> Result<Command, LoadError> {
    let failed = |path: &Path| LoadError::io(format!("open {}", path.display()));
    let binary = launch.binary.canonicalize().map_err(failed(&launch.binary))?;
    let log = File::options().create(true).append(true).open(log).map_err(failed(log))?;
    let errors = log.try_clone().map_err(LoadError::io("share the server's log"))?;
    let mut command = Command::new(binary);
    // Neither the caller's settings nor a `.env` of the place the suite was started from may take part.
    command
        .arg("serve")
        .current_dir(dir)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
    command.env("HOST", address.ip().to_string()).env("PORT", address.port().to_string());
    command.env("DATA_DIR", "data").env("JWT_SECRET", SECRET).env("BCRYPT_COST", bcrypt_cost.to_string());
    command.envs(launch.mongodb_uri.iter().map(|uri| ("MONGODB_URI", uri)));
    command.env("RATE_LIMITS", "off").env("MAX_SOCKETS_PER_USER", "1000").env("RUST_LOG", "warn");
    command.stdin(Stdio::null()).stdout(log).stderr(errors);
    Ok(command)
}

/// Runs `spawn` bound to the server's core, which the child inherits, and comes back to the load tool's.
fn on_core(launch: &Launch, spawn: impl FnOnce() -> std::io::Result<Child>) -> Result<Child, LoadError> {
    if let Some((server, _)) = launch.cores {
        system::pin_to(server)?;
    }
    let child = spawn().map_err(LoadError::io(format!("start {}", launch.binary.display())));
    if let Some((_, load)) = launch.cores {
        system::pin_to(load)?;
    }
    child
}
