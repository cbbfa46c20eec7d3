//! bcrypt behind the password port.

use std::{fmt, io, ops::RangeInclusive};

use async_trait::async_trait;
use chat_ports::{
    PasswordError, PasswordHasher,
    model::{Password, PasswordHash},
};
use tokio::sync::oneshot;

use crate::{
    pool::{Full, Pool},
    rounds::{self, MAX_BYTES},
};

/// The costs that new hashes may have: under 4 the algorithm is not defined, over 15 a login takes seconds.
const COSTS: RangeInclusive<u32> = 4..=15;

/// The highest cost of a stored hash that is still computed: a damaged one must not hold a thread for days.
const MAX_STORED_COST: u32 = 18;

/// Why a hasher could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The cost is out of range.
    #[error("bcrypt cost {0} is outside {min} to {max}", min = COSTS.start(), max = COSTS.end())]
    Cost(u32),
    /// The system gave no thread.
    #[error("no thread for hashing passwords: {0}")]
    Thread(#[from] io::Error),
}

/// Hashes passwords with bcrypt, on a few threads of low priority of its own.
///
/// Its queue is bounded; what comes when it is full is answered [`PasswordError::Busy`]. Work whose
/// caller has gone is skipped. Dropping the hasher ends its threads after what each has at hand.
pub struct BcryptHasher {
    pool: Pool,
    cost: u32,
}

impl BcryptHasher {
    /// Starts `threads` threads (at least one) with a queue of `queue` passwords (at least one), which
    /// make hashes of `cost` (4 to 15: 2^cost rounds).
    ///
    /// # Errors
    /// A cost out of range, or the system gave no thread.
    pub fn new(cost: u32, threads: usize, queue: usize) -> Result<Self, StartError> {
        if !COSTS.contains(&cost) {
            return Err(StartError::Cost(cost));
        }
        Ok(Self { pool: Pool::start("bcrypt", threads.max(1), queue.max(1))?, cost })
    }

    /// Runs `work` on the pool and waits for what it makes.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let (reply, answer) = oneshot::channel();
        let job = move || {
            if !reply.is_closed() {
                // An error says that the caller has gone meanwhile: nobody to tell.
                let _gone = reply.send(work());
            }
        };
        self.pool.run(Box::new(job)).map_err(|Full| PasswordError::Busy)?;
        answer.await.map_err(|_dropped| PasswordError::Failed("the hashing threads have ended".into()))
    }
}

impl fmt::Debug for BcryptHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BcryptHasher").field("cost", &self.cost).finish_non_exhaustive()
    }
}

#[async_trait]
impl PasswordHasher for BcryptHasher {
    async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError> {
        if password.expose().len() > MAX_BYTES {
            return Err(PasswordError::Failed(format!("a password of more than {MAX_BYTES} bytes")));
        }
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| PasswordError::Failed(error.to_string()))?;
        let cost = self.cost;
        self.run(move || PasswordHash::new(rounds::hash(password.expose().as_bytes(), cost, salt))).await
    }

    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, PasswordError> {
        let cost = self.cost;
        self.run(move || matches(&password, hash.as_ref(), cost)).await
    }
}

/// Whether a password belongs to a hash. Where there is none, or one that can't be read, the work is done
/// on a dummy of the same cost, so that the time tells nothing.
fn matches(password: &Password, hash: Option<&PasswordHash>, cost: u32) -> bool {
    let password = password.expose().as_bytes();
    let answer = hash.and_then(|hash| rounds::verify(password, hash.expose(), MAX_STORED_COST));
    answer.unwrap_or_else(|| {
        let _always_false = rounds::verify(password, &dummy(cost), cost);
        false
    })
}

/// A well-formed hash that no password has: salt and hash of zeros.
fn dummy(cost: u32) -> String {
    format!("$2b${cost:02}${:.<53}", "")
}

#[cfg(test)]
mod tests;
