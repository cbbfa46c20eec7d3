//! How often each thing may be done.

use std::{num::NonZeroU32, time::Duration};

use governor::Quota;

/// So many in a time, and so many at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many in each [`per`](Self::per), in the long run.
    pub count: NonZeroU32,
    /// The time in which they may be done.
    pub per: Duration,
    /// How many at once by whom nothing was heard of for a while.
    pub burst: NonZeroU32,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

impl Rate {
    /// A rate of these numbers; zero counts as one.
    #[must_use]
    pub const fn new(count: u32, per: Duration, burst: u32) -> Self {
        Self { count: at_least_one(count), per, burst: at_least_one(burst) }
    }

    pub(crate) fn quota(self) -> Quota {
        let interval = (self.per / self.count.get()).max(Duration::from_nanos(1));
        // None for no interval at all, which the line before rules out.
        Quota::with_period(interval).unwrap_or(Quota::per_second(self.count)).allow_burst(self.burst)
    }
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

/// The rate of everything that is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Registrations of an address. Default 30 a minute.
    pub registrations: Rate,
    /// Attempts to log in to an account, whether or not it exists. Default 10 a minute.
    pub logins_to: Rate,
    /// Attempts to log in from an address. Default 100 a minute.
    pub logins_from: Rate,
    /// Handshakes of an address. Default 200 a second, 5,000 at once.
    pub handshakes: Rate,
    /// Messages of a user. Default 20 a second, 200 at once.
    pub messages: Rate,
    /// Events of a socket. Default 100 a second, 500 at once.
    pub events: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            registrations: Rate::new(30, MINUTE, 30),
            logins_to: Rate::new(10, MINUTE, 10),
            logins_from: Rate::new(100, MINUTE, 100),
            handshakes: Rate::new(200, SECOND, 5_000),
            messages: Rate::new(20, SECOND, 200),
            events: Rate::new(100, SECOND, 500),
        }
    }
}
