//! What sockets were told of late, for those whose link broke: each gets exactly what it missed, or nothing.
//!
//! The events of all users lie one behind the other in chunks, each linked to the one before it of each of its users. Bounded in
//! bytes and in time; the oldest chunk goes first, and whoever would need something of it is not recovered.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chat_domain::model::{SocketId, UserId};
use smallvec::SmallVec;

/// About the text of a chunk.
const CHUNK_BYTES: usize = 64 * 1024;
/// Most bytes of all chunks.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Where an event lies, counted from the first one that was ever kept; 0 is nowhere.
pub(super) type Place = u64;

/// Whom an event was for, of those for whom it is kept, and where the one before it of the same user lies.
pub(super) type Links = SmallVec<[(UserId, Place); 2]>;

/// An event, as recoverable sockets were told.
pub(super) struct Told<'a> {
    /// Rises with each event of the hub.
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) bytes: &'a [u8],
    /// Which socket was not told.
    pub(super) except: Option<&'a SocketId>,
}

struct Entry {
    number: u64,
    /// Where its text ends in the chunk.
    end: usize,
    except: Option<SocketId>,
    links: Links,
}

struct Chunk {
    first: Place,
    text: Vec<u8>,
    entries: Vec<Entry>,
    last_at: Instant,
}

impl Chunk {
    fn bytes(&self) -> usize {
        self.text.len() + self.entries.len() * size_of::<Entry>()
    }

    fn get(&self, place: Place) -> Option<(&Entry, &[u8])> {
        let index = usize::try_from(place.checked_sub(self.first)?).ok()?;
        let entry = self.entries.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.entries.get(before)).map_or(0, |it| it.end);
        Some((entry, self.text.get(start..entry.end)?))
    }
}

/// What is kept of all users.
#[derive(Default)]
pub(super) struct Kept {
    chunks: VecDeque<Chunk>,
    /// How many events were ever kept: the place of the last one.
    last: Place,
    bytes: usize,
    /// The number of the last event that is kept no longer.
    floor: u64,
}

impl Kept {
    /// The place of the event that is pushed next.
    pub(super) const fn next_place(&self) -> Place {
        self.last + 1
    }

    /// Every event past this number that was ever kept is here.
    pub(super) const fn floor(&self) -> u64 {
        self.floor
    }

    /// Keeps an event.
    pub(super) fn push(&mut self, told: &Told<'_>, links: Links) {
        self.last += 1;
        let is_full = |chunk: &Chunk| chunk.text.len() + told.bytes.len() > CHUNK_BYTES;
        if self.chunks.back().is_none_or(is_full) {
            let text = Vec::with_capacity(CHUNK_BYTES.max(told.bytes.len()));
            let chunk = Chunk { first: self.last, text, entries: Vec::new(), last_at: told.at };
            self.chunks.push_back(chunk);
        }
        let Some(chunk) = self.chunks.back_mut() else { return };
        let before = chunk.bytes();
        chunk.text.extend_from_slice(told.bytes);
        let (number, end, except) = (told.number, chunk.text.len(), told.except.cloned());
        chunk.entries.push(Entry { number, end, except, links });
        chunk.last_at = told.at;
        self.bytes += chunk.bytes() - before;
        while self.bytes > MOST_BYTES && self.chunks.len() > 1 {
            self.drop_oldest();
        }
    }

    /// Forgets what is older than that.
    pub(super) fn forget_older(&mut self, than: Duration, now: Instant) {
        while self.chunks.front().is_some_and(|oldest| oldest.last_at + than < now) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.chunks.pop_front() else { return };
        self.bytes -= oldest.bytes();
        if let Some(entry) = oldest.entries.last() {
            self.floor = entry.number;
        }
    }

    fn get(&self, place: Place) -> Option<(&Entry, &[u8])> {
        let chunk = self.chunks.partition_point(|chunk| chunk.first <= place).checked_sub(1)?;
        self.chunks.get(chunk)?.get(place)
    }

    /// What a user's socket missed after the event of this number, which is at or past the floor, going back from the user's last one;
    /// `None` where that is more than `most` bytes.
    pub(super) fn missed(
        &self,
        (user, last): (UserId, Place),
        socket: &SocketId,
        after: u64,
        most: usize,
    ) -> Option<Vec<Bytes>> {
        let (mut missed, mut place, mut room) = (Vec::new(), last, most);
        while let Some((entry, text)) = self.get(place)
            && entry.number > after
        {
            if entry.except.as_ref() != Some(socket) {
                room = room.checked_sub(text.len())?;
                missed.push(Bytes::copy_from_slice(text));
            }
            place = entry.links.iter().find(|(of, _)| *of == user).map_or(0, |(_, before)| *before);
        }
        missed.reverse();
        Some(missed)
    }
}

#[cfg(test)]
mod tests {
    use chat_domain::ports::Clock;
    use chat_testkit::ManualClock;
    use smallvec::smallvec;

    use super::*;

    const ADA: UserId = UserId::from_bytes([1; 12]);
    const BOB: UserId = UserId::from_bytes([2; 12]);

    /// Two users' events, as the hub links them.
    struct World {
        kept: Kept,
        last: [Place; 2],
        clock: ManualClock,
    }

    impl World {
        fn new() -> Self {
            Self { kept: Kept::default(), last: [0; 2], clock: ManualClock::new() }
        }

        fn push(&mut self, number: u64, bytes: usize, except: Option<&SocketId>) {
            let links = smallvec![(ADA, self.last[0]), (BOB, self.last[1])];
            self.last = [self.kept.next_place(); 2];
            self.told(number, bytes, except, links);
        }

        fn push_to_bob(&mut self, number: u64, bytes: usize) {
            let links = smallvec![(BOB, self.last[1])];
            self.last[1] = self.kept.next_place();
            self.told(number, bytes, None, links);
        }

        fn told(&mut self, number: u64, bytes: usize, except: Option<&SocketId>, links: Links) {
            let bytes = vec![b'x'; bytes];
            let told = Told { number, at: self.clock.instant(), bytes: &bytes, except };
            self.kept.push(&told, links);
        }

        /// The lengths of what was missed.
        fn missed(&self, user: UserId, socket: &SocketId, after: u64, most: usize) -> Option<Vec<usize>> {
            let last = if user == ADA { self.last[0] } else { self.last[1] };
            let missed = self.kept.missed((user, last), socket, after, most)?;
            Some(missed.iter().map(Bytes::len).collect())
        }
    }

    #[test]
    fn what_came_after_a_number_is_missed_but_for_what_the_socket_was_not_told() {
        let mut world = World::new();
        let [a, b] = ["a", "b"].map(SocketId::new);
        world.push(11, 1, None);
        world.push_to_bob(12, 2);
        world.push(15, 3, Some(&a));
        world.push(16, 4, None);
        assert_eq!(world.missed(ADA, &a, 10, 100), Some(vec![1, 4]));
        assert_eq!(world.missed(ADA, &a, 11, 100), Some(vec![4]));
        assert_eq!(world.missed(ADA, &a, 16, 100), Some(vec![]));
        assert_eq!(world.missed(BOB, &b, 10, 100), Some(vec![1, 2, 3, 4]));
        assert_eq!(world.missed(BOB, &b, 10, 9), None, "more than there is room for");
    }

    #[test]
    fn past_the_bound_of_all_the_oldest_goes_and_is_known_to_be_gone() {
        let mut world = World::new();
        let socket = SocketId::new("a");
        world.push(1, 10, None);
        (2..=1_200).for_each(|number| world.push_to_bob(number, CHUNK_BYTES));
        let floor = world.kept.floor();
        assert!(floor > 100 && world.kept.bytes <= MOST_BYTES, "{floor}");
        assert_eq!(world.missed(ADA, &socket, floor, 100), Some(vec![]));
        let all = usize::try_from(1_200 - floor).unwrap();
        assert_eq!(world.missed(BOB, &socket, floor, usize::MAX).unwrap().len(), all);
    }

    #[test]
    fn what_is_too_old_goes_and_is_known_to_be_gone() {
        let mut world = World::new();
        let (socket, window) = (SocketId::new("a"), Duration::from_secs(120));
        world.push(7, 10, None);
        world.clock.advance(window);
        world.push(8, CHUNK_BYTES, None);
        world.kept.forget_older(window, world.clock.instant());
        assert_eq!(world.kept.floor(), 0);
        world.clock.advance(Duration::from_millis(1));
        world.kept.forget_older(window, world.clock.instant());
        assert_eq!(world.kept.floor(), 7);
        assert_eq!(world.missed(ADA, &socket, 7, usize::MAX).unwrap(), [CHUNK_BYTES]);
        world.clock.advance(window);
        world.kept.forget_older(window, world.clock.instant());
        assert_eq!((world.kept.floor(), world.kept.bytes), (8, 0));
        world.push(9, 1, None);
        assert_eq!(world.missed(ADA, &socket, 8, 100), Some(vec![1]));
    }
}
