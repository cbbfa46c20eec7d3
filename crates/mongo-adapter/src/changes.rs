//! What a user missed: a walk through two streams of messages, those sent to the user and those sent by the user, by
//! `changedAt`, then `seq`, then `_id`.
//!
//! `changedAt` is the primary's clock as a node knows it, noted before the write: a message may become visible some time
//! after its `changedAt`. So a walk begins that long before its position; inside a walk the place is exact.
//!
//! A walk ends at the time at which it began. What was there by then and changes meanwhile moves on past that end, met or not; so the end
//! is moved after it, as often as a message can be received, read and deleted: of that others are told by its id alone.

mod place;

use std::{cmp::Ordering, collections::BinaryHeap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bson::{Document, doc};
use chat_ports::{
    Changes, ChangesError, ChangesPage, ChangesQuery, StoreError, SyncPosition,
    model::{Message, Timestamp, UserId},
};

use self::place::{Place, Spot, Walk};
pub(crate) use self::place::{life, renew_life};
use crate::{
    Store,
    clock::earlier,
    connection::Collections,
    documents::{date, object_id, read_message},
    error::Fault,
};

/// How often the end of a walk is moved.
const MOVES: u8 = 3;

/// How far the clocks of two nodes, each as its heartbeats measured it, may stand apart.
pub(crate) const CLOCKS: Duration = Duration::from_secs(2);

#[async_trait]
impl Changes for Store {
    async fn position(&self) -> Result<SyncPosition, StoreError> {
        let now = self.inner.primary_clock.now(&*self.inner.clock);
        let work = move |collections: Arc<Collections>| async move { life(&collections).await };
        let life = self.inner.run(work).await?;
        Ok(Place { life, after: now, walk: None }.write())
    }

    async fn changes(&self, query: ChangesQuery) -> Result<ChangesPage, ChangesError> {
        let place = Place::read(&query.since).ok_or(ChangesError::Foreign)?;
        let now = self.inner.primary_clock.now(&*self.inner.clock);
        let options = &self.inner.options;
        // Longer than any write is on its way: it may be tried again until its deadline and a while past it.
        let bound = CLOCKS + options.operation_timeout * 3;
        if place.after.millis() > now.millis() + millis_of(options.max_clock_offset) {
            return Err(ChangesError::Foreign);
        }
        let begin = earlier(place.after, bound);
        let walk = place.walk.unwrap_or(Walk::from(Spot::before(begin), now));
        // By the clock of the node that took it.
        let sent_by = match walk.moved {
            ..MOVES => walk.begun.millis() + millis_of(options.max_clock_offset),
            MOVES.. => i64::MIN,
        };
        let sent_by = Timestamp::from_millis(sent_by);
        let inner = Arc::clone(&self.inner);
        let work = move |collections: Arc<Collections>| async move {
            if life(&collections).await? != place.life {
                return Ok(None);
            }
            let mut met = BinaryHeap::new();
            for side in ["receiver", "sender"] {
                let filter = filter(side, query.user, &walk, sent_by);
                stream(&collections, filter, query.limit.saturating_add(1), &mut met).await?;
            }
            Ok(Some(page(met, &query, place, walk, inner.primary_clock.now(&*inner.clock))))
        };
        self.inner.run::<_, Fault, _>(work).await?.ok_or(ChangesError::Foreign)
    }
}

fn millis_of(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A message of one of the streams, by its place.
struct Met {
    spot: Spot,
    message: Message,
}

/// Fills a page with what was met from where a walk stands, up to now.
fn page(
    mut met: BinaryHeap<Met>,
    query: &ChangesQuery,
    place: Place,
    mut walk: Walk,
    now: Timestamp,
) -> ChangesPage {
    let now = met.iter().map(|met| met.spot.changed_at).fold(now, Timestamp::max);
    let (mut messages, mut bytes): (Vec<Arc<Message>>, usize) = (Vec::new(), 0);
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    while let Some(Met { spot, message }) = met.pop() {
        // One who wrote to themselves, as an older application let them, has the message in both streams.
        if spot == walk.at {
            continue;
        }
        bytes = bytes.saturating_add(message.text.len());
        if messages.len() >= limit || (!messages.is_empty() && bytes > query.max_bytes) {
            let position = Place { walk: Some(walk), ..place }.write();
            return ChangesPage { messages, position, complete: false };
        }
        if spot.changed_at > walk.end {
            (walk.end, walk.moved) = (now, walk.moved + 1);
        }
        walk.at = spot;
        messages.push(Arc::new(message));
    }
    let position = Place { after: walk.begun, walk: None, ..place }.write();
    ChangesPage { messages, position, complete: true }
}

fn filter(side: &str, user: UserId, walk: &Walk, sent_by: Timestamp) -> Document {
    let Spot { changed_at, seq, id } = walk.at;
    let (since, seq) = (date(changed_at), i64::try_from(seq).unwrap_or(i64::MAX));
    let from = doc! { "$or": [
        { "changedAt": { "$gt": since } },
        { "changedAt": since, "seq": { "$gt": seq } },
        { "changedAt": since, "seq": seq, "_id": { "$gt": object_id(id.0) } },
    ] };
    let upto = doc! { "$or": [
        { "changedAt": { "$lte": date(walk.end) } },
        { "timestamp": { "$lte": date(sent_by) } },
    ] };
    doc! { side: object_id(user.0), "changedAt": { "$gte": since }, "$and": [from, upto] }
}

async fn stream(
    collections: &Collections,
    filter: Document,
    most: u32,
    met: &mut BinaryHeap<Met>,
) -> Result<(), Fault> {
    let mut cursor = collections
        .messages
        .find(filter)
        .sort(doc! { "changedAt": 1, "seq": 1, "_id": 1 })
        .limit(i64::from(most))
        .max_time(collections.operation_timeout)
        .await?;
    while cursor.advance().await? {
        let stored = read_message(cursor.current())?;
        let Some(changed_at) = stored.changed_at.filter(|_| stored.message.seq > 0) else { continue };
        let spot = Spot { changed_at, seq: stored.message.seq, id: stored.message.id };
        met.push(Met { spot, message: stored.message });
    }
    Ok(())
}

impl Ord for Met {
    /// The earliest is the greatest: it leaves the heap first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.spot.cmp(&self.spot)
    }
}

impl PartialOrd for Met {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Met {
    fn eq(&self, other: &Self) -> bool {
        self.spot == other.spot
    }
}

impl Eq for Met {}
