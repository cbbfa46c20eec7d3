//! Positions, as clients carry them, and the life of a database in which they are good.

use bson::doc;
use chat_ports::{
    SyncPosition,
    model::{MessageId, Timestamp},
};

use crate::{connection::Collections, error::Fault};

/// The document in `meta` that says which life it is.
const LIFE: &str = "life";

/// A place among a user's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) changed_at: Timestamp,
    pub(super) seq: u64,
    pub(super) id: MessageId,
}

impl Spot {
    /// Before everything that changed at this time.
    pub(super) const fn before(changed_at: Timestamp) -> Self {
        Self { changed_at, seq: 0, id: MessageId::from_bytes([0; 12]) }
    }
}

/// A walk that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walk {
    /// Up to where it has come.
    pub(super) at: Spot,
    /// Where it ends, but for what was there when it began and has changed since.
    pub(super) end: Timestamp,
    /// When it began: where it was to end first.
    pub(super) begun: Timestamp,
    /// How often its end was moved.
    pub(super) moved: u8,
}

impl Walk {
    /// A walk that begins now.
    pub(super) const fn from(at: Spot, now: Timestamp) -> Self {
        Self { at, end: now, begun: now, moved: 0 }
    }
}

/// A position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) life: i64,
    /// What changed a while before this is known.
    pub(super) after: Timestamp,
    /// `None` where no walk is under way.
    pub(super) walk: Option<Walk>,
}

impl Place {
    pub(super) fn write(&self) -> SyncPosition {
        let mut bytes = Vec::with_capacity(61);
        bytes.extend_from_slice(&self.life.to_be_bytes());
        bytes.extend_from_slice(&self.after.millis().to_be_bytes());
        if let Some(Walk { at, end, begun, moved }) = self.walk {
            bytes.extend_from_slice(&at.changed_at.millis().to_be_bytes());
            bytes.extend_from_slice(&at.seq.to_be_bytes());
            bytes.extend_from_slice(&at.id.bytes());
            bytes.extend_from_slice(&end.millis().to_be_bytes());
            // Left out as long as they say nothing: so positions were written before there were such walks.
            if moved > 0 {
                bytes.extend_from_slice(&begun.millis().to_be_bytes());
                bytes.push(moved);
            }
        }
        SyncPosition::new(bytes)
    }

    pub(super) fn read(position: &SyncPosition) -> Option<Self> {
        let mut rest = position.bytes();
        let life = i64::from_be_bytes(take(&mut rest)?);
        let after = time(&mut rest)?;
        let walk = if rest.is_empty() {
            None
        } else {
            let changed_at = time(&mut rest)?;
            let seq = u64::from_be_bytes(take(&mut rest)?);
            let id = MessageId::from_bytes(take(&mut rest)?);
            let walk = Walk::from(Spot { changed_at, seq, id }, time(&mut rest)?);
            if rest.is_empty() {
                Some(walk)
            } else {
                let begun = time(&mut rest)?;
                let [moved] = take(&mut rest)?;
                Some(Walk { begun, moved: (moved > 0).then_some(moved)?, ..walk })
            }
        };
        rest.is_empty().then_some(Self { life, after, walk })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*bytes)
}

/// A time that is not so far away that reckoning with it would overflow.
fn time(rest: &mut &[u8]) -> Option<Timestamp> {
    const FAR: i64 = 1 << 60;
    let millis = i64::from_be_bytes(take(rest)?);
    (-FAR..FAR).contains(&millis).then(|| Timestamp::from_millis(millis))
}

/// The life of the database; the first who asks begins it.
pub(crate) async fn life(collections: &Collections) -> Result<i64, Fault> {
    if let Some(life) = find(collections).await? {
        return Ok(life);
    }
    let begun = collections.meta.insert_one(bson::rawdoc! { "_id": LIFE, "value": random() }).await;
    match begun.map_err(Fault::from) {
        Ok(_) => {}
        // Somebody else was faster.
        Err(fault) if fault.is_duplicate() => {}
        Err(fault) => return Err(fault),
    }
    find(collections).await?.ok_or(Fault::Answer("life"))
}

/// Begins another one: after messages were moved in, an older position says nothing.
pub(crate) async fn renew_life(collections: &Collections) -> Result<(), Fault> {
    let set = doc! { "$set": { "value": random() } };
    collections.meta.update_one(doc! { "_id": LIFE }, set).upsert(true).await?;
    Ok(())
}

async fn find(collections: &Collections) -> Result<Option<i64>, Fault> {
    let found = collections.meta.find_one(doc! { "_id": LIFE }).await?;
    Ok(found.and_then(|life| life.get_i64("value").ok()))
}

/// A number that no other life has had: of what an ObjectId has of time and of chance.
fn random() -> i64 {
    let [a, b, c, d, chance @ ..] = bson::oid::ObjectId::new().bytes();
    i64::from_be_bytes(chance) ^ i64::from(i32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timestamp() -> impl Strategy<Value = Timestamp> {
        (-(1_i64 << 59)..1 << 59).prop_map(Timestamp::from_millis)
    }

    fn walk() -> impl Strategy<Value = Walk> {
        let spot = (timestamp(), any::<u64>(), any::<[u8; 12]>());
        (spot, timestamp(), timestamp(), any::<u8>()).prop_map(
            |((changed_at, seq, id), end, begun, moved)| {
                let at = Spot { changed_at, seq, id: MessageId::from_bytes(id) };
                if moved > 0 { Walk { at, end, begun, moved } } else { Walk::from(at, end) }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(life: i64, after in timestamp(), walk in proptest::option::of(walk())) {
            let place = Place { life, after, walk };
            prop_assert!(place.write().bytes().len() <= SyncPosition::MAX_BYTES);
            prop_assert_eq!(Place::read(&place.write()), Some(place));
        }

        #[test]
        fn other_bytes_are_none_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(place) = Place::read(&SyncPosition::new(bytes.clone())) {
                let written = place.write();
                prop_assert_eq!(written.bytes(), &bytes[..]);
            }
        }
    }
}
