//! The people of a verification: registered for it, or given by their tokens.

use std::time::Duration;

use chat_client::{ClientError, Endpoint, clock, http};
use serde::Deserialize;
use serde_json::json;

/// Somebody who can connect.
#[derive(Clone)]
pub struct Account {
    /// The server's id of the user.
    pub id: String,
    /// The access token. Never shown.
    pub token: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why there are no people. One line; holds no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The URL is none that this client can use.
    #[error("{0}")]
    Url(String),
    /// The server refused, or can't be reached.
    #[error("{0}")]
    Server(String),
}

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a server that says "later" is asked again.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where a URL leads to: `http[s]://host[:port]`, nothing behind it. Over `https` the public certificate authorities are trusted,
/// and with `ca` those in that PEM text as well.
///
/// # Errors
/// It is no such URL, its host is not known, or `ca` holds no certificate.
pub async fn endpoint(url: &str, ca: Option<&[u8]>) -> Result<Endpoint, TokenError> {
    Endpoint::resolve(url, ca).await.map_err(|error| TokenError::Url(error.to_string()))
}

#[derive(Deserialize)]
struct Session {
    token: String,
    user: User,
}

#[derive(Deserialize)]
struct Profile {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    code: String,
    retry_after_ms: Option<u64>,
}

/// Registers `count` people whose names begin with `prefix`; waits where the server says so.
///
/// # Errors
/// The server refuses.
pub async fn register(
    server: &Endpoint,
    count: usize,
    prefix: &str,
    password: &str,
) -> Result<Vec<Account>, TokenError> {
    let mut accounts = Vec::new();
    for number in 0..count {
        let username = format!("{prefix}{number}");
        let body =
            json!({ "username": username, "email": format!("{username}@example.com"), "password": password });
        let session: Session =
            patiently(async || http::post(server.clone(), "/api/auth/register", &body, 201).await).await?;
        accounts.push(Account { id: session.user.id, token: session.token });
    }
    Ok(accounts)
}

/// The people of these tokens.
///
/// # Errors
/// A token is not accepted; which one is told by its line.
pub async fn with_tokens(server: &Endpoint, tokens: &[String]) -> Result<Vec<Account>, TokenError> {
    let mut accounts = Vec::new();
    for (line, token) in tokens.iter().enumerate() {
        let profile: Profile =
            patiently(async || http::get(server.clone(), "/api/auth/profile", token).await)
                .await
                .map_err(|error| TokenError::Server(format!("token {}: {error}", line + 1)))?;
        accounts.push(Account { id: profile.user.id, token: token.clone() });
    }
    Ok(accounts)
}

async fn patiently<T>(ask: impl AsyncFn() -> Result<T, ClientError>) -> Result<T, TokenError> {
    let end = clock::nanos().saturating_add(u64::try_from(PATIENCE.as_nanos()).unwrap_or(u64::MAX));
    loop {
        let error = match tokio::time::timeout(ANSWER, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error,
            Err(_elapsed) => return Err(TokenError::Server("the server does not answer".into())),
        };
        let refusal = if let ClientError::Status { body, .. } = &error {
            serde_json::from_str::<Refusal>(body).ok().filter(|refusal| refusal.code != "unauthorized")
        } else {
            None
        };
        let wait = refusal.and_then(|refusal| refusal.retry_after_ms);
        match wait {
            Some(wait) if clock::nanos() < end => {
                tokio::time::sleep(Duration::from_millis(wait.max(10))).await
            }
            _ => return Err(TokenError::Server(one_line(&error.to_string()))),
        }
    }
}

/// What a proxy answers by itself is a page.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}
