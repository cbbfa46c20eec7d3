//! The real binary on a folder or a database, and a port, of its own, to be killed and started again.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use chat_mongo_testkit::TestDatabase;
use tempfile::TempDir;

/// Ports below those that systems give to clients: while the server is away, a client's own end must not take its port.
const PORTS: std::ops::Range<u32> = 20_000..32_000;

/// A server that is started again on the same store and port when it is killed.
pub(crate) struct Server {
    folder: TempDir,
    /// Dropped with the server.
    _database: Option<TestDatabase>,
    settings: Vec<(&'static str, String)>,
    port: u32,
    child: Child,
    kills: u32,
}

impl Server {
    /// A server on the embedded store.
    pub(crate) fn start() -> Self {
        Self::start_with(Vec::new())
    }

    /// One with more settings.
    pub(crate) fn start_with(settings: Vec<(&'static str, String)>) -> Self {
        Self::on(None, settings)
    }

    /// A server that stores in a MongoDB database.
    pub(crate) fn on_mongodb() -> Self {
        let database = TestDatabase::new();
        let uri = database.uri().to_owned();
        Self::on(Some(database), vec![("MONGODB_URI", uri)])
    }

    /// A server that listens. A port that was free a moment ago may be another test's by now, so only the server's own word counts.
    fn on(database: Option<TestDatabase>, settings: Vec<(&'static str, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, child) =
            PORTS.into_iter().find_map(|_attempt| try_start(folder.path(), &settings)).unwrap();
        Self { folder, _database: database, settings, port, child, kills: 0 }
    }

    /// Where it runs; its data folder lies in there.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) const fn port(&self) -> u32 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// SIGKILL, and a new process at once: clients come back when it listens.
    pub(crate) fn kill(&mut self) {
        end(&mut self.child);
        self.child = spawn(self.folder.path(), &self.settings, self.port, Stdio::null());
        self.kills += 1;
    }

    pub(crate) const fn kills(&self) -> u32 {
        self.kills
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    let _ended = child.kill().and_then(|()| child.wait());
}

/// On the next port of this process.
fn try_start(folder: &Path, settings: &[(&str, String)]) -> Option<(u32, Child)> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let next = std::process::id().wrapping_mul(37).wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
    let port = PORTS.start + next % (PORTS.end - PORTS.start);
    let mut child = spawn(folder, settings, port, Stdio::piped());
    if listens(&mut child) {
        return Some((port, child));
    }
    end(&mut child);
    None
}

/// Waits for the line that names its address, or for its end.
fn listens(child: &mut Child) -> bool {
    let Some(out) = child.stdout.take() else { return false };
    let mut lines = BufReader::new(out).lines().map_while(Result::ok);
    let listens = lines.any(|line| line.contains("http://127.0.0.1:") || line.contains("https://127.0.0.1:"));
    // Its further lines are read away, so that it never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    listens
}

fn spawn(folder: &Path, settings: &[(&str, String)], port: u32, stdout: Stdio) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.current_dir(folder).env_clear().stdin(Stdio::null()).stdout(stdout).stderr(Stdio::null());
    command.envs([("HOST", "127.0.0.1"), ("BCRYPT_COST", "4"), ("RATE_LIMITS", "off")]);
    command.envs(settings.iter().map(|(name, value)| (*name, value)));
    command.env("PORT", port.to_string()).spawn().unwrap()
}
