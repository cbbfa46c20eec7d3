//! The server's end of the control socket.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{fs::Mode, process::umask};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use super::{Answer, Desk, Request, path, protocol::MAX_LINE};

/// Commands served at once; further ones wait to be accepted.
const MAX_AT_ONCE: usize = 4;

/// How long a command may take to be written, and its answer to be read.
const LINE_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves the control socket of a data folder until it is dropped; then the socket's file is removed.
pub(crate) struct ControlServer {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl ControlServer {
    /// Starts serving. The caller holds the folder's store, so a socket that lies there is a dead one's.
    ///
    /// # Errors
    /// The socket can't be made; with `InvalidInput` its path is too long for the system.
    pub(crate) fn start(folder: &Path, desk: Desk) -> io::Result<Self> {
        let path = path(folder);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = bind_private(&path)?;
        Ok(Self { path, task: tokio::spawn(accept(listener, desk)) })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.task.abort();
        // Best effort: the next start removes it as well.
        let _removed = fs::remove_file(&self.path);
    }
}

/// Binds with the mask set, so that the socket is never open to others, not even for a moment.
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    let mask = umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path);
    umask(mask);
    listener
}

async fn accept(listener: UnixListener, desk: Desk) {
    let mut serving = JoinSet::new();
    loop {
        while serving.len() >= MAX_AT_ONCE || serving.try_join_next().is_some() {
            if serving.len() >= MAX_AT_ONCE {
                serving.join_next().await;
            }
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = desk.clone();
                serving.spawn(async move {
                    if let Err(error) = serve(stream, &desk).await {
                        tracing::debug!(%error, "a command broke off");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket accepts nothing just now");
                sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn serve(stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    timeout(LINE_TIMEOUT, BufReader::new(read.take(MAX_LINE)).read_line(&mut line)).await??;
    let answer = match serde_json::from_str::<Request>(&line) {
        Ok(request) => desk.serve(request).await,
        // The parser's text may repeat a value; its place is enough.
        Err(error) => {
            Answer::Failed { reason: format!("not a command of this version (column {})", error.column()) }
        }
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    timeout(LINE_TIMEOUT, write.write_all(&text)).await?
}
