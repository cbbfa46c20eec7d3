//! What a user's sockets were told of late, for one whose link broke: it gets exactly what it missed, or nothing.
//!
//! Bounded per user in events and bytes, and over all users in bytes; what is too much pushes the oldest out, and
//! whoever would need that is not recovered.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use chat_domain::model::SocketId;
use smallvec::SmallVec;

/// Most events of a user.
const MOST_EVENTS: usize = 256;
/// Most bytes of a user's events.
const MOST_BYTES: usize = 64 * 1024;
/// Most bytes of all users' events together.
pub(super) const MOST_BYTES_IN_ALL: usize = 64 * 1024 * 1024;
/// What an event costs beside its bytes.
const EVENT_BYTES: usize = 64;
/// Most sockets of a user that are waited for.
const MOST_LOST: usize = 16;

/// An event, as recoverable sockets were told.
pub(super) struct Told {
    /// Rises with each event of the hub.
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) bytes: Bytes,
    /// Which socket was not told.
    pub(super) except: Option<SocketId>,
}

/// What is kept of one user.
pub(super) struct Recent {
    events: VecDeque<Told>,
    bytes: usize,
    /// Every event of the user past this number is here.
    floor: u64,
    /// Sockets whose link broke, and when, oldest first.
    lost: SmallVec<[(SocketId, Instant); 1]>,
    window: Duration,
    /// Bytes of all users.
    total: Arc<AtomicUsize>,
}

impl Recent {
    /// Begins behind the event of this number.
    pub(super) fn new(floor: u64, window: Duration, total: &Arc<AtomicUsize>) -> Self {
        Self {
            events: VecDeque::new(),
            bytes: 0,
            floor,
            lost: SmallVec::new(),
            window,
            total: Arc::clone(total),
        }
    }

    /// Keeps an event.
    pub(super) fn push(&mut self, told: Told) {
        let bytes = EVENT_BYTES + told.bytes.len();
        while self.events.front().is_some_and(|oldest| {
            self.events.len() >= MOST_EVENTS
                || self.bytes + bytes > MOST_BYTES
                || oldest.at + self.window < told.at
        }) {
            self.drop_oldest();
        }
        if bytes > MOST_BYTES || self.total.load(Ordering::Relaxed) + bytes > MOST_BYTES_IN_ALL {
            while !self.events.is_empty() {
                self.drop_oldest();
            }
            self.floor = told.number;
            return;
        }
        self.total.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        self.events.push_back(told);
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.events.pop_front() else { return };
        let bytes = EVENT_BYTES + oldest.bytes.len();
        self.floor = oldest.number;
        self.bytes -= bytes;
        self.total.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// What a socket missed after the event of this number; `None` where not all of it is here, or it is more than `most` bytes.
    pub(super) fn missed(&self, after: u64, socket: &SocketId, most: usize) -> Option<Vec<Bytes>> {
        if after < self.floor {
            return None;
        }
        let first = self.events.partition_point(|told| told.number <= after);
        let told = self.events.iter().skip(first).filter(|told| told.except.as_ref() != Some(socket));
        let missed: Vec<Bytes> = told.map(|told| told.bytes.clone()).collect();
        (missed.iter().map(Bytes::len).sum::<usize>() <= most).then_some(missed)
    }

    /// A socket's link broke.
    pub(super) fn lose(&mut self, socket: SocketId, now: Instant) {
        if self.lost.len() >= MOST_LOST {
            self.lost.remove(0);
        }
        self.lost.push((socket, now));
    }

    /// Every event of the user past this number is here.
    pub(super) const fn floor(&self) -> u64 {
        self.floor
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

impl Drop for Recent {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use chat_domain::ports::Clock;
    use chat_testkit::ManualClock;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(120);

    fn recent() -> (Recent, Arc<AtomicUsize>) {
        let total = Arc::default();
        (Recent::new(10, WINDOW, &total), total)
    }

    fn told(number: u64, bytes: usize, at: Instant) -> Told {
        Told { number, at, bytes: Bytes::from(vec![b'x'; bytes]), except: None }
    }

    #[test]
    fn what_came_after_a_number_is_missed_but_for_what_the_socket_was_not_told() {
        let (mut recent, _) = recent();
        let (socket, now) = (SocketId::new("a"), ManualClock::new().instant());
        for number in [11, 15, 16] {
            let except = (number == 15).then(|| socket.clone());
            recent.push(Told { except, ..told(number, usize::try_from(number).unwrap(), now) });
        }
        let lengths = |after| {
            let missed = recent.missed(after, &socket, 1_000)?;
            Some(missed.iter().map(Bytes::len).collect::<Vec<_>>())
        };
        assert_eq!(lengths(9), None, "an event before the beginning may have been missed");
        assert_eq!(lengths(10), Some(vec![11, 16]));
        assert_eq!(lengths(11), Some(vec![16]));
        assert_eq!(lengths(16), Some(vec![]));
        assert_eq!(recent.missed(10, &SocketId::new("b"), 1_000).unwrap().len(), 3);
        assert_eq!(recent.missed(10, &socket, 26), None, "more than there is room for");
    }

    #[test]
    fn past_its_bounds_the_oldest_goes_and_is_known_to_be_gone() {
        let (mut recent, total) = recent();
        let clock = ManualClock::new();
        let socket = SocketId::new("a");
        (11..11 + 300).for_each(|number| recent.push(told(number, 1, clock.instant())));
        assert_eq!(recent.missed(54, &socket, 1_000_000).unwrap().len(), MOST_EVENTS);
        assert_eq!(recent.missed(53, &socket, 1_000_000), None);
        recent.push(told(400, MOST_BYTES - EVENT_BYTES, clock.instant()));
        assert_eq!(recent.missed(310, &socket, 1_000_000).unwrap().len(), 1);
        recent.push(told(401, MOST_BYTES, clock.instant()));
        assert_eq!((recent.missed(400, &socket, 1_000_000), recent.bytes), (None, 0));
        assert_eq!(recent.missed(401, &socket, 1_000_000), Some(vec![]));
        recent.push(told(402, 10, clock.instant()));
        clock.advance(WINDOW + Duration::from_millis(1));
        recent.push(told(403, 10, clock.instant()));
        assert_eq!(recent.missed(401, &socket, 1_000_000), None, "older than the window");
        assert_eq!(total.load(Ordering::Relaxed), EVENT_BYTES + 10);
        total.store(MOST_BYTES_IN_ALL, Ordering::Relaxed);
        recent.push(told(404, 10, clock.instant()));
        assert_eq!(recent.missed(403, &socket, 1_000_000), None, "others take all the room");
        drop(recent);
        assert_eq!(total.load(Ordering::Relaxed), MOST_BYTES_IN_ALL - EVENT_BYTES - 10);
    }

    #[test]
    fn a_lost_socket_is_found_once_and_within_the_window() {
        let (mut recent, _) = recent();
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
