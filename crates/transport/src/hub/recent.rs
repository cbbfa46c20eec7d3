//! What is known of a user with sockets that can recover: where the last event that it was told is kept, and which sockets may
//! come back.

use std::time::{Duration, Instant};

use chat_domain::model::SocketId;
use smallvec::SmallVec;

use super::kept::Place;

/// Most sockets of a user that are waited for.
const MOST_LOST: usize = 64;

/// A user with sockets that can recover.
pub(super) struct Recent {
    /// Where the last event of the user is kept.
    pub(super) last: Place,
    /// Every event of the user past this number was kept.
    floor: u64,
    /// Sockets whose link broke, and when, oldest first.
    lost: SmallVec<[(SocketId, Instant); 1]>,
    window: Duration,
}

impl Recent {
    /// Begins behind the event of this number.
    pub(super) fn new(floor: u64, window: Duration) -> Self {
        Self { last: 0, floor, lost: SmallVec::new(), window }
    }

    /// Every event of the user past this number was kept.
    pub(super) const fn floor(&self) -> u64 {
        self.floor
    }

    /// A socket's link broke.
    pub(super) fn lose(&mut self, socket: SocketId, now: Instant) {
        if self.lost.len() >= MOST_LOST {
            self.lost.remove(0);
        }
        self.lost.push((socket, now));
    }

    /// Whether a socket was lost not too long ago.
    pub(super) fn knows(&mut self, socket: &SocketId, now: Instant) -> bool {
        self.forget_late(now);
        self.lost.iter().any(|(lost, _)| lost == socket)
    }

    /// Takes a socket up that was lost not too long ago; false if there is none.
    pub(super) fn find(&mut self, socket: &SocketId, now: Instant) -> bool {
        self.forget_late(now);
        let before = self.lost.len();
        self.lost.retain(|(lost, _)| lost != socket);
        self.lost.len() < before
    }

    /// Whether a lost socket may still come back.
    pub(super) fn is_awaited(&mut self, now: Instant) -> bool {
        self.forget_late(now);
        !self.lost.is_empty()
    }

    fn forget_late(&mut self, now: Instant) {
        let window = self.window;
        self.lost.retain(|(_, since)| *since + window > now);
    }
}

#[cfg(test)]
mod tests {
    use chat_domain::ports::Clock;
    use chat_testkit::ManualClock;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(120);

    #[test]
    fn a_lost_socket_is_found_once_and_within_the_window() {
        let mut recent = Recent::new(10, WINDOW);
        let clock = ManualClock::new();
        let [a, b] = ["a", "b"].map(SocketId::new);
        recent.lose(a.clone(), clock.instant());
        clock.advance(WINDOW / 2);
        recent.lose(b.clone(), clock.instant());
        assert!(recent.find(&a, clock.instant()) && !recent.find(&a, clock.instant()));
        assert!(recent.is_awaited(clock.instant()));
        clock.advance(WINDOW);
        assert!(!recent.is_awaited(clock.instant()) && !recent.find(&b, clock.instant()));
        (0..=MOST_LOST).for_each(|n| recent.lose(SocketId::new(n.to_string()), clock.instant()));
        assert!(!recent.find(&SocketId::new("0"), clock.instant()));
        assert!(recent.find(&SocketId::new("1"), clock.instant()));
    }
}
