//! How fast one socket may go, and when it is cut off.
//!
//! An event past the rate is refused and answered. Refusals are answers too: but for the first of them they are counted
//! against the same rate, and when that is passed as well, the client does not heed them and its transport is closed. So a
//! socket gets little more than twice what the rate allows, whatever it sends, and one that means well is told even
//! where the rate is low.

use std::{mem, time::Duration};

use chat_domain::ports::{RateLimiter, RateMeter};

/// The refusals of a socket that are not counted.
const UNCOUNTED: u32 = 100;

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
    uncounted: u32,
    /// It asked to join before.
    asked: bool,
}

impl Pace {
    pub(super) fn new(limiter: Option<&dyn RateLimiter>) -> Self {
        Self { events: limiter.map(RateLimiter::meter), refusals: None, uncounted: 0, asked: false }
    }

    /// Counts that it asks to join, but for the first time: whoever was refused, or left, may try as often as any event.
    pub(super) fn join(&mut self, limiter: Option<&dyn RateLimiter>) -> Pass {
        if mem::replace(&mut self.asked, true) { self.step(limiter) } else { Pass::Go }
    }

    /// Counts an event.
    pub(super) fn step(&mut self, limiter: Option<&dyn RateLimiter>) -> Pass {
        let Some(Err(wait)) = self.events.as_ref().map(|events| events.take()) else { return Pass::Go };
        if self.uncounted < UNCOUNTED {
            self.uncounted += 1;
            return Pass::Wait(wait);
        }
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
    fn a_hundred_more_are_refused_than_were_done_and_then_it_is_cut_off() {
        let few: &dyn RateLimiter = &Few(2);
        let mut pace = Pace::new(Some(few));
        let mut step = || pace.step(Some(few));
        assert_eq!([step(), step()], [Pass::Go, Pass::Go]);
        assert!((0..102).all(|_| step() == Pass::Wait(WAIT)));
        assert_eq!([step(), step()], [Pass::Cut, Pass::Cut]);
    }

    #[test]
    fn joining_counts_from_the_second_time_on() {
        let few: &dyn RateLimiter = &Few(2);
        let mut pace = Pace::new(Some(few));
        let steps = [pace.join(Some(few)), pace.step(Some(few)), pace.join(Some(few)), pace.step(Some(few))];
        assert_eq!(steps, [Pass::Go, Pass::Go, Pass::Go, Pass::Wait(WAIT)]);
        assert_ne!(pace.join(Some(few)), Pass::Go);
    }

    #[test]
    fn without_a_limiter_everything_goes() {
        let mut pace = Pace::new(None);
        assert!((0..10_000).all(|_| pace.step(None) == Pass::Go));
    }
}
