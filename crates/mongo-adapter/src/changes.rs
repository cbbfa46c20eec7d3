//! What a user missed: a walk through two streams of messages, those sent to the user and those sent by the user, by
//! `changedAt`, then `seq`, then `_id`.
//!
//! `changedAt` is the primary's clock as a node knows it, noted before the write: a message may become visible some time
//! after its `changedAt`. So a walk begins that long before its position; inside a walk the place is exact.

mod place;

use std::{cmp::Ordering, collections::BinaryHeap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bson::{Document, doc};
use chat_ports::{
    Changes, ChangesError, ChangesPage, ChangesQuery, StoreError, SyncPosition,
    model::{Message, Timestamp, UserId},
};

pub(crate) use self::place::renew_life;
use self::place::{Place, Spot, life};
use crate::{
    Store,
    connection::Collections,
    documents::{date, object_id, read_message},
    error::Fault,
};

/// How far the clocks of two nodes, each as its heartbeats measured it, may stand apart.
const CLOCKS: Duration = Duration::from_secs(2);

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
        let work = move |collections: Arc<Collections>| async move {
            if life(&collections).await? != place.life {
                return Ok(None);
            }
            let begin = Timestamp::from_millis(place.after.millis() - millis_of(bound));
            let (at, end) = place.walk.unwrap_or((Spot::before(begin), now));
            page(&collections, &query, &place, at, end).await.map(Some)
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

/// Fills a page from where a walk stands.
async fn page(
    collections: &Collections,
    query: &ChangesQuery,
    place: &Place,
    at: Spot,
    end: Timestamp,
) -> Result<ChangesPage, Fault> {
    let most = query.limit.saturating_add(1);
    let mut met = BinaryHeap::new();
    for side in ["receiver", "sender"] {
        stream(collections, filter(side, query.user, at, end), most, &mut met).await?;
    }
    let (mut messages, mut bytes, mut reached): (Vec<Arc<Message>>, usize, Spot) = (Vec::new(), 0, at);
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    while let Some(Met { spot, message }) = met.pop() {
        // One who wrote to themselves, as an older application let them, has the message in both streams.
        if spot == reached {
            continue;
        }
        bytes = bytes.saturating_add(message.text.len());
        if messages.len() >= limit || (!messages.is_empty() && bytes > query.max_bytes) {
            let position = Place { walk: Some((reached, end)), ..*place }.write();
            return Ok(ChangesPage { messages, position, complete: false });
        }
        reached = spot;
        messages.push(Arc::new(message));
    }
    Ok(ChangesPage { messages, position: Place { after: end, walk: None, ..*place }.write(), complete: true })
}

fn filter(side: &str, user: UserId, at: Spot, end: Timestamp) -> Document {
    let Spot { changed_at, seq, id } = at;
    let (since, seq) = (date(changed_at), i64::try_from(seq).unwrap_or(i64::MAX));
    doc! {
        side: object_id(user.0),
        "changedAt": { "$gte": since, "$lte": date(end) },
        "$or": [
            { "changedAt": { "$gt": since } },
            { "changedAt": since, "seq": { "$gt": seq } },
            { "changedAt": since, "seq": seq, "_id": { "$gt": object_id(id.0) } },
        ],
    }
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
