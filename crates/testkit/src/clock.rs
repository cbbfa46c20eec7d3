//! A clock that moves only when it is told to.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chat_ports::{Clock, model::Timestamp};
use parking_lot::Mutex;

/// Both clocks of the [`Clock`] port, standing still until [`advance`](Self::advance).
///
/// It begins at 2026-11-22T10:00:00Z. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct ManualClock {
    start: Instant,
    passed: Arc<Mutex<Duration>>,
}

/// 2026-11-22T10:00:00Z.
const START: i64 = 1_795_341_600_000;

impl ManualClock {
    /// A clock at its beginning.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "std has no other way to an Instant to count from")]
    pub fn new() -> Self {
        // An hour on, so that tests can subtract from it on a machine that was just started.
        let start = Instant::now() + Duration::from_secs(3600);
        Self { start, passed: Arc::default() }
    }

    /// Moves both clocks forward.
    pub fn advance(&self, by: Duration) {
        *self.passed.lock() += by;
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.passed.lock().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(START.saturating_add(passed))
    }

    fn instant(&self) -> Instant {
        self.start + *self.passed.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_until_it_is_moved_and_clones_move_along() {
        let clock = ManualClock::new();
        let (now, instant) = (clock.now(), clock.instant());
        assert_eq!((clock.now(), clock.instant()), (now, instant));
        clock.clone().advance(Duration::from_millis(1500));
        assert_eq!(clock.now().millis() - now.millis(), 1500);
        assert_eq!(clock.instant() - instant, Duration::from_millis(1500));
    }
}
