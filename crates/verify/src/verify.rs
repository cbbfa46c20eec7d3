//! Rounds of schedules against a running server, for some time.

use chat_client::{Endpoint, clock};

use crate::{
    accounts::Account,
    driver::{self, now},
    findings::Findings,
    rng::Rng,
    run::{Plan, Run},
};

/// What is asked of a verification.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Where all randomness comes from.
    pub seed: u64,
    /// New rounds begin for this long.
    pub seconds: u64,
}

/// What a verification found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Schedules that were played to their end.
    pub rounds: u64,
    /// Messages that were written.
    pub sent: u64,
    /// What is wrong.
    pub findings: Findings,
}

/// Steps of one round.
const STEPS: usize = 60;
/// How long everything may take at the end of a round, in milliseconds.
const PATIENCE: u64 = 5_000;

/// Plays rounds with these people until the time is over or something is wrong, on the current thread's `LocalSet`. `tag` is
/// new to the server.
pub async fn verify(server: &Endpoint, accounts: &[Account], options: Options, tag: &str) -> Outcome {
    let end = clock::nanos().saturating_add(options.seconds.saturating_mul(1_000_000_000));
    let (mut outcome, mut rng) = (Outcome::default(), Rng::new(options.seed));
    while outcome.findings.is_empty() && (outcome.rounds == 0 || clock::nanos() < end) {
        let people = accounts.iter().map(|account| account.id.clone()).collect();
        let plan = Plan { seed: rng.next(), steps: STEPS, kills: false, patience: PATIENCE };
        let tag = format!("{tag}-{}", outcome.rounds);
        let mut run = Run::new(plan, &tag, people, now());
        driver::play(&mut run, server, accounts, || {}).await;
        outcome.rounds += 1;
        outcome.sent += run.sent();
        outcome.findings.merge(run.into_findings());
    }
    outcome
}
