//! Finds the counter of a subject.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use chat_ports::{Clock, Login, RateLimiter, RateMeter, RateSubject, model::fold};
use governor::{
    NotUntil, Quota,
    clock::Clock as _,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};

use crate::{Rates, clock::PortClock, counters::Counters};

type Keyed = governor::RateLimiter<u64, Counters, PortClock, NoOpMiddleware<Nanos>>;
type Single = governor::RateLimiter<NotKeyed, InMemoryState, PortClock, NoOpMiddleware<Nanos>>;

/// Counters in the memory of one process.
///
/// At most 57,344 subjects of each kind have counters of their own, 6 MB together. Past that, new ones share
/// 4,096 counters until others are fresh again.
pub struct Limiter {
    registrations: Keyed,
    logins_to: Keyed,
    logins_from: Keyed,
    handshakes: Keyed,
    messages: Keyed,
    events: Quota,
    clock: PortClock,
    hasher: RandomState,
}

impl Limiter {
    /// A limiter that goes by this clock, with all counters fresh.
    #[must_use]
    pub fn new(rates: &Rates, clock: Arc<dyn Clock>) -> Self {
        let clock = PortClock::new(clock);
        let keyed = |quota| Keyed::new(quota, Counters::new(quota), clock.clone());
        Self {
            registrations: keyed(rates.registrations.quota()),
            logins_to: keyed(rates.logins_to.quota()),
            logins_from: keyed(rates.logins_from.quota()),
            handshakes: keyed(rates.handshakes.quota()),
            messages: keyed(rates.messages.quota()),
            events: rates.events.quota(),
            hasher: RandomState::new(),
            clock,
        }
    }

    /// The counters that a subject is counted in, and its key there.
    fn find(&self, subject: &RateSubject) -> (&Keyed, u64) {
        match subject {
            RateSubject::Registrations(address) => (&self.registrations, self.hasher.hash_one(address)),
            RateSubject::LoginsFrom(address) => (&self.logins_from, self.hasher.hash_one(address)),
            RateSubject::LoginsTo(login) => (&self.logins_to, self.account(login)),
            RateSubject::Handshakes(address) => (&self.handshakes, self.hasher.hash_one(address)),
            RateSubject::Messages(user) => (&self.messages, self.hasher.hash_one(user)),
        }
    }

    fn account(&self, login: &Login) -> u64 {
        match login {
            Login::Email(email) => self.hasher.hash_one(("email", fold(email))),
            Login::Username(username) => self.hasher.hash_one(("username", fold(username))),
        }
    }
}

impl RateLimiter for Limiter {
    fn take(&self, subject: &RateSubject) -> Result<(), Duration> {
        let (counters, key) = self.find(subject);
        counters.check_key(&key).map_err(|refused| wait(&refused, &self.clock))
    }

    fn meter(&self) -> Box<dyn RateMeter> {
        Box::new(Meter(Single::new(self.events, InMemoryState::default(), self.clock.clone())))
    }
}

struct Meter(Single);

impl RateMeter for Meter {
    fn take(&self) -> Result<(), Duration> {
        self.0.check().map_err(|refused| wait(&refused, self.0.clock()))
    }
}

/// The wait, in whole milliseconds: one after it there is room.
fn wait(refused: &NotUntil<Nanos>, clock: &PortClock) -> Duration {
    const MILLI: u128 = 1_000_000;
    let millis = refused.wait_time_from(clock.now()).as_nanos().div_ceil(MILLI);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
