//! The system's clock and randomness behind the ports.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use chat_domain::{
    model::{ObjectId, Timestamp},
    ports::{Clock, IdSource},
};

use crate::failure::Failure;

/// The system's clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// Ids in ObjectId layout: seconds, five bytes drawn for this process, a counter that starts anywhere.
///
/// Unique as long as a process makes fewer than 2^24 in a second, whatever the wall clock does.
pub(crate) struct RandomIds {
    clock: Arc<dyn Clock>,
    process: [u8; 5],
    counter: AtomicU32,
}

impl RandomIds {
    /// Draws the process's bytes.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let mut drawn = [0; 9];
        getrandom::fill(&mut drawn).map_err(|error| Failure::run("no random bytes", error))?;
        let [a, b, c, d, e, start @ ..] = drawn;
        Ok(Self { clock, process: [a, b, c, d, e], counter: AtomicU32::new(u32::from_be_bytes(start)) })
    }
}

impl IdSource for RandomIds {
    fn next_id(&self) -> ObjectId {
        // The layout has 32 bits for seconds, as MongoDB has: it wraps in 2106.
        let [_, _, _, _, s0, s1, s2, s3] = self.clock.now().seconds().to_be_bytes();
        let [p0, p1, p2, p3, p4] = self.process;
        let [_, c0, c1, c2] = self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        ObjectId::from_bytes([s0, s1, s2, s3, p0, p1, p2, p3, p4, c0, c1, c2])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_begin_with_the_second_and_never_repeat() {
        let ids = RandomIds::new(Arc::new(SystemClock)).unwrap();
        let before = SystemClock.now().seconds();
        let made: HashSet<_> = (0..10_000).map(|_| ids.next_id()).collect();
        assert_eq!(made.len(), 10_000);
        let [s0, s1, s2, s3, ..] = ids.next_id().bytes();
        let second = i64::from(u32::from_be_bytes([s0, s1, s2, s3]));
        assert!((before..=SystemClock.now().seconds()).contains(&second));
    }

    #[test]
    fn two_processes_make_different_ids() {
        let [one, other] = [(); 2].map(|()| RandomIds::new(Arc::new(SystemClock)).unwrap());
        assert_ne!(one.process, other.process);
    }
}
