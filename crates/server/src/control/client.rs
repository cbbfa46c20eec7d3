//! A command's end of the control socket.

use std::{io, path::Path, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::timeout,
};

use super::{Answer, Request, path, protocol::MAX_LINE};
use crate::failure::Failure;

/// How long an answer may take: a backup copies the whole store.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3_600);

/// Asks the server that runs on a data folder; `None` when none does.
///
/// # Errors
/// One runs, but it can't be reached, or breaks off.
pub(crate) async fn ask(folder: &Path, request: &Request) -> Result<Option<Answer>, Failure> {
    let path = path(folder);
    let failed = |error: io::Error| Failure::run(path.display(), error);
    let stream = match UnixStream::connect(&path).await {
        Ok(stream) => stream,
        Err(error) if nobody_listens(&error) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let line = timeout(ANSWER_TIMEOUT, exchange(stream, request))
        .await
        .map_err(|_elapsed| Failure::run(path.display(), "the server does not answer"))?
        .map_err(failed)?;
    serde_json::from_str(&line)
        .map(Some)
        .map_err(|_cut_short| Failure::run(path.display(), "the server broke off, or is of another version"))
}

/// Whether an error of connecting means that no server runs: no file, a dead one's file, or a path too
/// long for a socket, under which none can have been made.
fn nobody_listens(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
    matches!(error.kind(), ConnectionRefused | InvalidInput | NotFound)
}

async fn exchange(stream: UnixStream, request: &Request) -> io::Result<String> {
    let (read, mut write) = stream.into_split();
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    write.write_all(&text).await?;
    let mut line = String::new();
    BufReader::new(read.take(MAX_LINE)).read_line(&mut line).await?;
    Ok(line)
}
