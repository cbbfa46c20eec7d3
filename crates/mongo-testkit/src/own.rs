//! A server of a test's own, for faults that would hurt others.

use std::path::PathBuf;

use parking_lot::Mutex;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    keeper::{Kept, free_port},
    uri::with_database,
};

/// A server on a port and a folder of its own, killed with this. `TEST_MONGODB_URI` is not asked: its server can't be killed.
#[derive(Debug)]
pub struct OwnServer {
    port: u16,
    // Before the folder: a server must be gone before its files go.
    running: Mutex<Option<Kept>>,
    folder: TempDir,
}

impl OwnServer {
    /// Starts one and waits until it listens.
    #[must_use]
    pub fn start() -> Self {
        let server = Self::absent();
        server.restart();
        server
    }

    /// One that does not run yet: nobody listens on its port before [`restart`](Self::restart).
    #[must_use]
    pub fn absent() -> Self {
        let folder = tempfile::Builder::new().prefix("chat-mongo-").tempdir().unwrap();
        Self { port: free_port(), running: Mutex::new(None), folder }
    }

    /// `127.0.0.1:port`, where it listens, after a restart as well.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its connection string with this database.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        with_database(&format!("mongodb://{}", self.address()), database)
    }

    /// Kills it (SIGKILL), whether it is stopped or not. Its files stay.
    pub fn kill(&self) {
        if let Some(running) = self.running.lock().take() {
            running.kill();
        }
    }

    /// Starts it again on the same port and folder, killing it first where it runs.
    pub fn restart(&self) {
        self.kill();
        *self.running.lock() = Some(Kept::start(self.port, &self.files(), false));
    }

    /// Stops it in its tracks (SIGSTOP): connections stand, answers don't come.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        self.running.lock().as_ref().expect("the server runs").signal(signal);
    }

    fn files(&self) -> PathBuf {
        let files = self.folder.path().join("files");
        std::fs::create_dir_all(&files).unwrap();
        files
    }
}
