//! The commands besides `serve`: each asks, prints, and ends.

use std::{
    fmt::Display,
    future::Future,
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use chat_auth::Hs256;
use chat_domain::{
    model::UserId,
    ports::{Clock, Tokens},
};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::{task::spawn_blocking, time::timeout};
use zeroize::Zeroizing;

use crate::{
    cli::TokenFor,
    compose,
    control::{self, Answer, Request},
    failure::Failure,
    folder,
    settings::{self, Settings},
    storage,
    system::SystemClock,
};

/// How long a command waits for a store on another machine.
pub(crate) const STORE_PATIENCE: Duration = Duration::from_secs(15);

/// Prints a new secret.
pub(crate) fn gen_secret() -> Result<(), Failure> {
    print(settings::generate_secret()?.as_str())
}

/// Prints the table of all settings.
pub(crate) fn manual() -> Result<(), Failure> {
    print(settings::markdown().trim_end())
}

/// Prints every setting in effect, with what an operator should know.
pub(crate) fn check_config(settings: &Settings) -> Result<(), Failure> {
    for setting in &settings.effective {
        print(format_args!("{} = {}  # {}", setting.name, setting.value, setting.origin))?;
    }
    for notice in &settings.notices {
        print(format_args!("# {notice}"))?;
    }
    print("# the settings are valid")
}

/// Prints a token for a user.
pub(crate) fn gen_token(settings: &Settings, whose: TokenFor) -> Result<(), Failure> {
    let (id, username) = match (whose.id, whose.username) {
        (Some(id), username) => (id, username.unwrap_or_default()),
        (None, username) => {
            let request = Request::FindUser { username: username.unwrap_or_default() };
            block_on(ask(settings, request))??.user()?
        }
    };
    print(sign(settings, whose.ttl.unwrap_or(settings.token_ttl_seconds), id, &username)?)
}

/// A token that is good for so many seconds, signed with the secret that the server has of these settings.
///
/// # Errors
/// The secret can't be read.
pub(crate) fn sign(
    settings: &Settings,
    ttl_seconds: u64,
    id: UserId,
    username: &str,
) -> Result<String, Failure> {
    let secret = folder::secret(settings)?;
    let issued = Hs256::new(secret.expose(), ttl_seconds).issue(id, username, SystemClock.now());
    Ok(issued.map_err(|error| Failure::run("the token is not signed", error))?.token)
}

/// Adds an account, through the running server or without one.
pub(crate) fn add_user(settings: &Settings, username: String, email: String) -> Result<(), Failure> {
    let password = read_password().map_err(|error| Failure::run("the password can't be read", error))?;
    let request = Request::AddUser { username, email, password: password.to_string() };
    let (id, username) = block_on(ask(settings, request))??.user()?;
    print(format_args!("added {username} ({id})"))
}

/// Backs the store up, through the running server or without one.
pub(crate) fn backup(settings: &Settings, file: PathBuf) -> Result<(), Failure> {
    // The server may have another working folder.
    let file = std::path::absolute(&file).map_err(|error| Failure::run(file.display(), error))?;
    block_on(ask(settings, Request::Backup { file: file.clone() }))??.done()?;
    print(format_args!("backed up to {}", file.display()))
}

/// Restores a backup into the data folder.
pub(crate) fn restore(settings: &Settings, file: &Path) -> Result<(), Failure> {
    compose::restore(settings, file)?;
    print(format_args!("restored {} into {}", file.display(), settings.data_dir.display()))
}

/// Has a request served: by the server that runs on the data folder, else here, with the store opened. MongoDB
/// takes any number of writers, so there the work is always done here.
///
/// # Errors
/// The server or the store can't be reached.
pub(crate) async fn ask(settings: &Settings, request: Request) -> Result<Answer, Failure> {
    if settings.mongodb.is_none()
        && let Some(answer) = control::ask(Path::new(&settings.data_dir), &request).await?
    {
        return Ok(answer);
    }
    match request {
        Request::AddUser { .. } => {}
        Request::FindUser { .. } | Request::Backup { .. } => storage::must_exist(settings)?,
    }
    let built = compose::chat(settings)?;
    let answer = match timeout(STORE_PATIENCE, built.store.ready()).await {
        Ok(Ok(())) => Ok(built.desk().serve(request).await),
        Ok(Err(failure)) => Err(failure),
        Err(_elapsed) => Err(Failure::run("MONGODB_URI", "the server does not answer")),
    };
    let store = built.store.clone();
    let closed = spawn_blocking(move || store.close()).await;
    closed.map_err(|error| Failure::run("the store was not closed in order", error)).and(answer)
}

/// Runs something to its end.
///
/// # Errors
/// The system gives no runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(|error| Failure::run("no runtime", error))?.block_on(work))
}

/// Reads a line from standard input; from a terminal with a prompt and without an echo.
fn read_password() -> io::Result<Zeroizing<String>> {
    let stdin = io::stdin();
    let _silent = if stdin.is_terminal() {
        io::stderr().write_all(b"Password: ")?;
        Some(Silence::begin()?)
    } else {
        None
    };
    let mut line = Zeroizing::new(String::new());
    stdin.lock().read_line(&mut line)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A terminal without an echo, for as long as it lives.
struct Silence(Termios);

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // The terminal may be gone; then there is nothing to put back.
        let _gone = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        let _newline = io::stderr().write_all(b"\n");
    }
}

/// Prints a line.
///
/// # Errors
/// Standard output is gone.
pub(crate) fn print(line: impl Display) -> Result<(), Failure> {
    writeln!(io::stdout(), "{line}").map_err(|error| Failure::run("standard output", error))
}
