//! Waiting for a condition, with an end.

use std::{thread, time::Duration};

const STEP: Duration = Duration::from_millis(5);

/// Waits until a condition holds: whether it did within this time. It is asked every 5 ms.
#[must_use]
pub fn until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let mut left = limit;
    loop {
        if holds() {
            return true;
        }
        if left.is_zero() {
            return false;
        }
        thread::sleep(STEP);
        left = left.saturating_sub(STEP);
    }
}
