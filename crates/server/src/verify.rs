//! The command `verify`: plays devices against a running server, and says what became of their messages.

use std::path::{Path, PathBuf};

use chat_verify::{Options, Outcome};
use clap::Args;
use tokio::task::LocalSet;

use crate::{
    commands::{block_on, print},
    failure::Failure,
    settings,
};

/// Which server, how long, and as whom.
#[derive(Args)]
pub(crate) struct Verify {
    /// The server, `http://host:port`. TLS is not spoken; verify behind the proxy that ends it.
    #[arg(long, default_value = "http://127.0.0.1:5000")]
    url: String,
    /// How long new rounds begin, in seconds. The last one is played to its end.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Plays the schedule of this seed again.
    #[arg(long)]
    seed: Option<u64>,
    /// How many people take part, with up to three devices each.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..=5))]
    users: u8,
    /// Takes the accounts of these access tokens, one a line, at least two, that nobody else uses meanwhile; their blocks of each
    /// other are lifted. Without it accounts are
    /// registered, with names that begin with `verify`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Verifies a server.
///
/// # Errors
/// It can't be reached, refuses the accounts, or broke a promise.
pub(crate) fn run(asked: &Verify) -> Result<(), Failure> {
    let seed = asked.seed.map_or_else(random, Ok)?;
    let nonce = format!("{:08x}", random()? & 0xffff_ffff);
    let outcome = block_on(LocalSet::new().run_until(async {
        let server = chat_verify::endpoint(&asked.url, None).await.map_err(failed)?;
        let accounts = match &asked.token_file {
            Some(file) => chat_verify::with_tokens(&server, &tokens(file)?).await.map_err(failed)?,
            None => {
                let password = settings::generate_secret()?;
                let password = password.get(..32).unwrap_or_default();
                let prefix = format!("verify-{nonce}-");
                let count = usize::from(asked.users);
                chat_verify::register(&server, count, &prefix, password).await.map_err(failed)?
            }
        };
        print(format_args!("verifying {} with seed {seed}, {} users", asked.url, accounts.len()))?;
        let options = Options { seed, seconds: asked.seconds };
        Ok::<_, Failure>(chat_verify::verify(&server, &accounts, options, &format!("v{nonce}")).await)
    }))??;
    tell(&outcome, seed)
}

fn tokens(file: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::run(file.display(), error))?;
    let tokens: Vec<_> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if !(2..=5).contains(&tokens.len()) {
        return Err(Failure::run(file.display(), "two to five tokens are needed, one a line"));
    }
    Ok(tokens)
}

fn tell(outcome: &Outcome, seed: u64) -> Result<(), Failure> {
    let count = |kind| outcome.findings.count(kind);
    for finding in outcome.findings.first() {
        print(format_args!("  {finding}"))?;
    }
    let (lost, doubled, reordered) = (
        count(chat_verify::Kind::Lost),
        count(chat_verify::Kind::Doubled),
        count(chat_verify::Kind::Reordered),
    );
    print(format_args!("{} rounds, {} messages (seed {seed})", outcome.rounds, outcome.sent))?;
    print(format_args!("lost {lost}, doubled {doubled}, reordered {reordered}"))?;
    if outcome.findings.is_empty() {
        return print("every promise was kept");
    }
    let kinds: Vec<_> =
        outcome.findings.kinds().map(|(kind, count)| format!("{} {count}", kind.word())).collect();
    Err(Failure::run("verify", format_args!("{}; again with --seed {seed}", kinds.join(", "))))
}

fn random() -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| Failure::run("no random bytes", error))?;
    Ok(u64::from_le_bytes(bytes))
}

fn failed(error: chat_verify::TokenError) -> Failure {
    Failure::run("verify", error)
}
