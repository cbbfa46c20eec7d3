//! The client's clock: nanoseconds on one monotonic scale since the first look at it.

use std::sync::OnceLock;
use std::time::Instant;

static START: OnceLock<Instant> = OnceLock::new();

/// Nanoseconds since the clock was first read; never goes back.
pub fn nanos() -> u64 {
    let now = read();
    let elapsed = now.saturating_duration_since(*START.get_or_init(|| now));
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock of programs that measure and wait in real time"
)]
fn read() -> Instant {
    Instant::now()
}
