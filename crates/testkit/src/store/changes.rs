//! What changed since when, from memory.

use std::{ops::Bound, sync::Arc};

use async_trait::async_trait;
use chat_ports::{
    Changes, ChangesError, ChangesPage, ChangesQuery, StoreError, SyncPosition, model::MessageId,
};

use super::{MemoryStore, State};

/// The store's life, the change after which a page begins, and the one with which the walk ends: 0 where none is
/// under way.
struct Place {
    life: u64,
    after: u64,
    end: u64,
}

impl Place {
    fn write(&self) -> SyncPosition {
        let numbers = [self.life, self.after, self.end];
        SyncPosition::new(numbers.into_iter().flat_map(u64::to_be_bytes).collect::<Vec<u8>>())
    }

    fn read(position: &SyncPosition) -> Option<Self> {
        let (numbers, rest) = position.bytes().as_chunks::<8>();
        match numbers {
            [life, after, end] if rest.is_empty() => {
                let [life, after, end] = [life, after, end].map(|number| u64::from_be_bytes(*number));
                Some(Self { life, after, end })
            }
            _ => None,
        }
    }
}

#[async_trait]
impl Changes for MemoryStore {
    async fn position(&self) -> Result<SyncPosition, StoreError> {
        let state = self.state()?;
        Ok(Place { life: state.life, after: state.change, end: 0 }.write())
    }

    async fn changes(&self, query: ChangesQuery) -> Result<ChangesPage, ChangesError> {
        let state = self.state()?;
        let place = Place::read(&query.since).ok_or(ChangesError::Foreign)?;
        if place.life != state.life || place.after.max(place.end) > state.change {
            return Err(ChangesError::Foreign);
        }
        Ok(state.page(&query, &place))
    }
}

impl State {
    fn page(&self, query: &ChangesQuery, place: &Place) -> ChangesPage {
        let end = if place.end == 0 { self.change } else { place.end };
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let (mut messages, mut bytes) = (Vec::new(), 0_usize);
        for (change, id) in
            self.changes.range((Bound::Excluded(place.after), Bound::Included(end.max(place.after))))
        {
            let Some(message) = self.message(*id).filter(|found| found.conversation().includes(query.user))
            else {
                continue;
            };
            if self.last_change(*id, end) != Some(*change) {
                continue;
            }
            bytes = bytes.saturating_add(message.text.len());
            if messages.len() == limit || (bytes > query.max_bytes && !messages.is_empty()) {
                let position = Place { life: self.life, after: change - 1, end }.write();
                return ChangesPage { messages, position, complete: false };
            }
            messages.push(Arc::clone(message));
        }
        let position = Place { life: self.life, after: end, end: 0 }.write();
        ChangesPage { messages, position, complete: true }
    }
    /// The last change of a message in a walk up to `end`: there it is met.
    fn last_change(&self, id: MessageId, end: u64) -> Option<u64> {
        let changes = self.changed.get(&id)?;
        changes.get(changes.partition_point(|change| *change <= end).checked_sub(1)?).copied()
    }
}
