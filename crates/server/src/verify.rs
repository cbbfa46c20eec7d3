//! The command `verify`: plays devices against a running server, and says what became of their messages.

mod people;

use std::path::PathBuf;

use chat_verify::{Options, Outcome};
use clap::Args;
use tokio::task::LocalSet;

use self::people::Whom;
use crate::{
    commands::{block_on, print},
    failure::Failure,
    settings::Settings,
};

/// Which server, how long, and as whom.
#[derive(Args)]
pub(crate) struct Verify {
    /// The server, `http://host:port` or `https://host`.
    #[arg(long, default_value = "http://127.0.0.1:5000")]
    url: String,
    /// Trusts the certificate authorities in this PEM file as well, for `https`.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// How long new rounds begin, in seconds. The last one is played to its end.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Plays the schedule of this seed again.
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    whom: Whom,
}

/// Verifies a server. `settings` are asked for only where tokens are to be signed.
///
/// # Errors
/// It can't be reached, refuses the accounts, or broke a promise.
pub(crate) fn run(
    asked: &Verify,
    settings: impl FnOnce() -> Result<Settings, Failure>,
) -> Result<(), Failure> {
    let seed = asked.seed.map_or_else(random, Ok)?;
    let nonce = format!("{:08x}", random()? & 0xffff_ffff);
    let read = |file: &PathBuf| std::fs::read(file).map_err(|error| Failure::run(file.display(), error));
    let ca = asked.ca.as_ref().map(read).transpose()?;
    let outcome = block_on(LocalSet::new().run_until(async {
        let server = chat_verify::endpoint(&asked.url, ca.as_deref()).await.map_err(failed)?;
        let accounts = asked.whom.find(&server, asked.seconds, &nonce, settings).await?;
        print(format_args!("verifying {} with seed {seed}, {} users", asked.url, accounts.len()))?;
        let options = Options { seed, seconds: asked.seconds };
        Ok::<_, Failure>(chat_verify::verify(&server, &accounts, options, &format!("v{nonce}")).await)
    }))??;
    tell(&outcome, seed)
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
