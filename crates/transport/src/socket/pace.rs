//! How fast one socket may go, and when it is cut off.
//!
//! An event past the rate is refused and answered. Refusals are answers too: they are counted against the same
//! rate, and when that is passed as well, the client does not heed them and its transport is closed. So a socket
//! gets at most twice what the rate allows, whatever it sends.

use std::time::Duration;

use chat_domain::ports::{RateLimiter, RateMeter};

/// Whether an event may be done.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Pass {
    /// It may.
    Go,
    /// Not now, but after this time.
    Wait(Duration),
    /// Never: the client floods.
    Cut,
}

/// What one socket has done, where that is counted.
#[derive(Default)]
pub(super) struct Pace {
    events: Option<Box<dyn RateMeter>>,
    /// Made for the first refusal: most sockets never see one.
    refusals: Option<Box<dyn RateMeter>>,
}

impl Pace {
    pub(super) fn new(limiter: Option<&dyn RateLimiter>) -> Self {
        Self { events: limiter.map(RateLimiter::meter), refusals: None }
    }

    /// Counts an event.
    pub(super) fn step(&mut self, limiter: Option<&dyn RateLimiter>) -> Pass {
        let Some(Err(wait)) = self.events.as_ref().map(|events| events.take()) else { return Pass::Go };
        if self.refusals.is_none() {
            self.refusals = limiter.map(RateLimiter::meter);
        }
        match self.refusals.as_ref().map(|refusals| refusals.take()) {
            Some(Err(_)) => Pass::Cut,
            Some(Ok(())) | None => Pass::Wait(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use chat_domain::ports::RateSubject;

    use super::*;

    const WAIT: Duration = Duration::from_millis(10);

    /// Lets this many of everything pass.
    struct Few(usize);

    struct Left(AtomicUsize);

    impl RateLimiter for Few {
        fn take(&self, _subject: &RateSubject) -> Result<(), Duration> {
            Ok(())
        }

        fn meter(&self) -> Box<dyn RateMeter> {
            Box::new(Left(AtomicUsize::new(self.0)))
        }
    }

    impl RateMeter for Left {
        fn take(&self) -> Result<(), Duration> {
            let less = |left: usize| left.checked_sub(1);
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).map(drop).map_err(|_none| WAIT)
        }
    }

    #[test]
    fn as_many_are_refused_as_were_done_and_then_it_is_cut_off() {
        let few: &dyn RateLimiter = &Few(2);
        let mut pace = Pace::new(Some(few));
        let steps: Vec<_> = (0..6).map(|_| pace.step(Some(few))).collect();
        let wait = || Pass::Wait(WAIT);
        assert_eq!(steps, [Pass::Go, Pass::Go, wait(), wait(), Pass::Cut, Pass::Cut]);
    }

    #[test]
    fn without_a_limiter_everything_goes() {
        let mut pace = Pace::new(None);
        assert!((0..10_000).all(|_| pace.step(None) == Pass::Go));
    }
}
