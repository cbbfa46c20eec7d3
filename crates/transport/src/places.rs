//! How many sessions are open by address, and that there are not too many.

use std::{collections::HashMap, sync::Arc};

use chat_domain::ports::AddressBlock;
use parking_lot::Mutex;

/// The open sessions by address. An address without one is not in memory.
#[derive(Default)]
pub(crate) struct Places {
    // A short critical section, twice a session.
    taken: Mutex<HashMap<AddressBlock, usize>>,
}

impl Places {
    /// A place for one more session, unless the address has as many as is allowed.
    pub(crate) fn take(self: &Arc<Self>, address: AddressBlock, most: usize) -> Option<Place> {
        let mut taken = self.taken.lock();
        let count = taken.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { places: Arc::clone(self), address })
    }
}

/// A session's place; free again when it is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    address: AddressBlock,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_session_is_gone() {
        let places = Arc::new(Places::default());
        let [one, two] = [1, 2].map(|last| AddressBlock::from(IpAddr::from([192, 0, 2, last])));
        let first = places.take(one, 2);
        let second = places.take(one, 2);
        assert!(first.is_some() && second.is_some());
        assert!(places.take(one, 2).is_none(), "a third one of the same address");
        let other = places.take(two, 2);
        assert!(other.is_some(), "one of another address");
        drop(first);
        let third = places.take(one, 2);
        assert!(third.is_some());
        drop((second, third, other));
        assert!(places.taken.lock().is_empty(), "nothing is kept of who has gone");
    }
}
