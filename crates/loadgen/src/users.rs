//! The people of a run: registered over REST, each with its token.

use std::net::SocketAddr;
use std::rc::Rc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use chat_client::ClientError as LoadError;
use chat_client::http;

/// Registrations at once: the server hashes passwords in a small bounded pool.
const AT_ONCE: usize = 4;
const PASSWORD: &str = "correct horse battery";

/// One registered user.
#[derive(Debug, Clone)]
pub(crate) struct User {
    /// The server's id of the user.
    pub(crate) id: Rc<str>,
    /// A token that is good for the whole run.
    pub(crate) token: Rc<str>,
    /// The name, which also logs in.
    pub(crate) username: String,
}

#[derive(Serialize)]
struct Registration<'a> {
    username: &'a str,
    email: String,
    password: &'a str,
}

#[derive(Serialize)]
struct Login<'a> {
    username: &'a str,
    password: &'a str,
}

#[derive(Deserialize)]
struct Grant {
    token: String,
    user: Profile,
}

#[derive(Deserialize)]
struct Profile {
    id: String,
}

/// Registers `count` users whose names no earlier run has used.
///
/// # Errors
/// The first registration that was refused.
pub(crate) async fn register(server: SocketAddr, count: usize) -> Result<Vec<User>, LoadError> {
    let run = run_id();
    stream::iter(0..count)
        .map(|index| register_one(server, format!("lg{run}_{index}")))
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn register_one(server: SocketAddr, username: String) -> Result<User, LoadError> {
    let email = format!("{username}@example.com");
    let body = Registration { username: &username, email, password: PASSWORD };
    let grant: Grant = http::post(server, "/api/auth/register", &body, 201).await?;
    Ok(User { id: grant.user.id.into(), token: grant.token.into(), username })
}

/// Logs `user` in by password.
///
/// # Errors
/// When the login was refused.
pub(crate) async fn login(server: SocketAddr, user: &User) -> Result<(), LoadError> {
    let body = Login { username: &user.username, password: PASSWORD };
    http::post::<Grant>(server, "/api/auth/login", &body, 200).await.map(drop)
}

/// Differs from run to run: milliseconds of the wall clock in base 36 and the process's id.
fn run_id() -> String {
    let mut millis = jiff::Timestamp::now().as_millisecond().unsigned_abs();
    let mut id = String::new();
    while millis > 0 {
        id.extend(char::from_digit((millis % 36) as u32, 36));
        millis /= 36;
    }
    format!("{id}{}", std::process::id())
}
