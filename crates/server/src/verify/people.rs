//! As whom a verification plays: accounts registered for it, given by their tokens, or signed for.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chat_domain::model::UserId;
use chat_verify::Account;
use clap::Args;
use zeroize::Zeroizing;

use super::failed;
use crate::{
    commands,
    control::{self, Answer, Request},
    failure::Failure,
    settings::{self, Settings},
};

/// How long a signed token is good for beyond the time that new rounds begin: the last round, and waiting.
const LAST_ROUND_SECONDS: u64 = 900;

/// Which accounts.
#[derive(Args)]
pub(super) struct Whom {
    /// How many people take part, with up to three devices each.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..=5))]
    users: u8,
    /// Takes the accounts of these access tokens, one a line, two to five, that nobody else uses meanwhile; their blocks of each
    /// other are lifted. Without it and `--secret-from-settings` accounts are registered, with names that begin with `verify`.
    #[arg(long, value_name = "FILE", conflicts_with = "users")]
    token_file: Option<PathBuf>,
    /// Signs tokens with the server's secret, read from the settings that `serve` reads, for the accounts `verify-1`,
    /// `verify-2` and so on, which are added to the server's store where they are not there yet.
    #[arg(long, conflicts_with = "token_file")]
    secret_from_settings: bool,
    /// Signs for the users with these ids instead, two to five, under the rules of `--token-file`. Needs the secret alone.
    #[arg(
        long,
        value_name = "ID,…",
        value_delimiter = ',',
        requires = "secret_from_settings",
        conflicts_with = "users"
    )]
    user_ids: Vec<UserId>,
}

impl Whom {
    /// The accounts, known to the server.
    ///
    /// # Errors
    /// The server refuses them, or there are no settings to sign by.
    pub(super) async fn find(
        &self,
        server: &chat_verify::Endpoint,
        seconds: u64,
        nonce: &str,
        settings: impl FnOnce() -> Result<Settings, Failure>,
    ) -> Result<Vec<Account>, Failure> {
        if !self.secret_from_settings && self.token_file.is_none() {
            let (count, prefix) = (usize::from(self.users), format!("verify-{nonce}-"));
            return chat_verify::register(server, count, &prefix, &password()?).await.map_err(failed);
        }
        let tokens = match &self.token_file {
            Some(file) => from_file(file)?,
            None => self.signed(&settings()?, seconds).await?,
        };
        chat_verify::with_tokens(server, &tokens).await.map_err(failed)
    }

    async fn signed(&self, settings: &Settings, seconds: u64) -> Result<Vec<String>, Failure> {
        if settings.secret.is_none() && !settings.data_dir.is_dir() {
            let why = format!("is not set, and there is no folder {}", settings.data_dir.display());
            return Err(Failure::run("JWT_SECRET", why));
        }
        let mut people: Vec<_> = self.user_ids.iter().map(|id| (*id, String::new())).collect();
        if people.is_empty() {
            for number in 1..=self.users {
                people.push(ours(settings, &format!("verify-{number}")).await?);
            }
        }
        enough(people.len()).map_err(|why| Failure::run("--user-ids", why))?;
        let ttl = seconds.saturating_add(LAST_ROUND_SECONDS);
        people.into_iter().map(|(id, username)| commands::sign(settings, ttl, id, &username)).collect()
    }
}

/// The account with this name, added where there is none.
async fn ours(settings: &Settings, username: &str) -> Result<(UserId, String), Failure> {
    let find = Request::FindUser { username: username.to_owned() };
    if let Answer::User { id, username } = ask(settings, find).await? {
        return Ok((id, username));
    }
    let (email, password) = (format!("{username}@example.com"), password()?.to_string());
    ask(settings, Request::AddUser { username: username.to_owned(), email, password }).await?.user()
}

/// Asks the server on the data folder, or MongoDB. A store that no server runs on is not the one that is verified.
async fn ask(settings: &Settings, request: Request) -> Result<Answer, Failure> {
    if settings.mongodb.is_some() {
        return commands::ask(settings, request).await;
    }
    control::ask(&settings.data_dir, &request).await?.ok_or_else(|| {
        Failure::run(
            format_args!("DATA_DIR {}", settings.data_dir.display()),
            "no server runs on it; verify on the server's machine, or name users with --user-ids",
        )
    })
}

fn password() -> Result<Zeroizing<String>, Failure> {
    let secret = settings::generate_secret()?;
    Ok(Zeroizing::new(secret.get(..32).unwrap_or_default().to_owned()))
}

fn from_file(file: &Path) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| Failure::run(file.display(), error))?;
    let tokens: Vec<_> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    enough(tokens.len()).map_err(|why| Failure::run(file.display(), why))?;
    Ok(tokens)
}

fn enough(people: usize) -> Result<(), &'static str> {
    if (2..=5).contains(&people) { Ok(()) } else { Err("two to five users are needed") }
}
