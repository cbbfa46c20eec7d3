//! What time the primary has: the clock that `changedAt` goes by.

use std::{
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::Duration,
};

use chat_ports::{Clock, StoreError, model::Timestamp};

use crate::error::unavailable;

/// The primary's clock, by the offset that heartbeats measure. What it tells never goes backwards.
#[derive(Debug)]
pub(crate) struct PrimaryClock {
    /// The primary's time less this node's, milliseconds.
    offset: AtomicI64,
    measured: AtomicBool,
    /// The latest time told.
    last: AtomicI64,
    max_offset: i64,
}

impl PrimaryClock {
    /// A clock that has measured nothing yet.
    pub(crate) fn new(max_offset: Duration) -> Self {
        Self {
            offset: AtomicI64::new(0),
            measured: AtomicBool::new(false),
            last: AtomicI64::new(i64::MIN),
            max_offset: i64::try_from(max_offset.as_millis()).unwrap_or(i64::MAX),
        }
    }

    /// Takes what the primary said at some moment between these two.
    pub(crate) fn measure(&self, asked: Timestamp, told: Timestamp, answered: Timestamp) {
        let here = asked.millis() + (answered.millis() - asked.millis()) / 2;
        self.offset.store(told.millis() - here, Ordering::Relaxed);
        self.measured.store(true, Ordering::Relaxed);
    }

    /// The time on the primary, at least what was told before.
    pub(crate) fn now(&self, clock: &dyn Clock) -> Timestamp {
        let now = clock.now().millis() + self.offset.load(Ordering::Relaxed);
        Timestamp::from_millis(self.last.fetch_max(now, Ordering::Relaxed).max(now))
    }

    /// Whether the two clocks stand close enough.
    ///
    /// # Errors
    /// They don't: what others read as "changed since" could miss what this node writes.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let offset = self.offset.load(Ordering::Relaxed);
        if self.measured.load(Ordering::Relaxed) && offset.abs() > self.max_offset {
            return Err(unavailable("this node's clock is too far from the MongoDB primary's"));
        }
        Ok(())
    }
}

/// The time so long before.
pub(crate) fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_millis(time.millis().saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use chat_testkit::ManualClock;

    use super::*;

    fn measured(offset: i64) -> (PrimaryClock, ManualClock) {
        let (primary, clock) = (PrimaryClock::new(Duration::from_secs(10)), ManualClock::new());
        let here = clock.now().millis();
        let at = |millis| Timestamp::from_millis(here + millis);
        primary.measure(at(-20), at(offset), at(20));
        (primary, clock)
    }

    #[test]
    fn the_primary_decides_what_time_it_is() {
        for offset in [-7_000, 0, 7_000] {
            let (primary, clock) = measured(offset);
            assert_eq!(primary.now(&clock).millis(), clock.now().millis() + offset);
            primary.check().unwrap();
        }
    }

    #[test]
    fn a_clock_that_is_set_back_stands_still() {
        let (primary, clock) = measured(5_000);
        let before = primary.now(&clock);
        let here = clock.now();
        primary.measure(here, here, here);
        assert_eq!(primary.now(&clock), before);
        clock.advance(Duration::from_secs(6));
        assert_eq!(primary.now(&clock).millis(), before.millis() + 1_000);
    }

    #[test]
    fn an_offset_over_the_bound_is_an_error_in_either_direction() {
        for offset in [-10_001, 10_001] {
            measured(offset).0.check().unwrap_err();
        }
        PrimaryClock::new(Duration::ZERO).check().unwrap();
    }
}
