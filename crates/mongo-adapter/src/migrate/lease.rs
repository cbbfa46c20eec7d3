//! One process at a time migrates: a lease in `meta`, taken by inserting a document of a fixed name.
//!
//! Its holder moves `beat` every few seconds. Whoever waits measures by its own monotonic clock how long it
//! has stood still, and deletes exactly what it saw stand still; so no clocks are compared and no update
//! has to be conditional. A holder that is only slow finds its lease gone and begins anew; that both work
//! for a moment does no harm, because every step is idempotent.

use std::time::Duration;

use bson::{Document, doc, oid::ObjectId};
use tokio::time::{Instant, sleep};

use crate::{connection::Collections, error::Fault};

const NAME: &str = "migrating";
const BEAT_EVERY: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a lease must stand still until its holder counts as dead.
pub(super) const DEAD_AFTER: Duration = Duration::from_secs(15);

/// The right to migrate.
pub(super) struct Lease<'a> {
    collections: &'a Collections,
    holder: ObjectId,
}

impl<'a> Lease<'a> {
    /// Waits for the lease and takes it: one that has stood still for `dead_after` is taken over. `waits` is called
    /// once if somebody else holds it.
    pub(super) async fn take(
        collections: &'a Collections,
        dead_after: Duration,
        mut waits: impl FnMut(),
    ) -> Result<Self, Fault> {
        let holder = ObjectId::new();
        let mut seen: Option<(Document, Instant)> = None;
        loop {
            if insert(collections, holder).await? {
                return Ok(Self { collections, holder });
            }
            if seen.is_none() {
                waits();
            }
            if let Some(lease) = read(collections).await? {
                let since = match &seen {
                    Some((last, since)) if *last == lease => *since,
                    _ => Instant::now(),
                };
                if since.elapsed() >= dead_after {
                    collections.limit(collections.meta.delete_one(lease.clone())).await?;
                }
                seen = Some((lease, since));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Does something while the lease beats, then gives it back. `None` if it was lost on the way.
    pub(super) async fn hold<T, E>(self, work: impl Future<Output = Result<T, E>>) -> Result<Option<T>, E> {
        let done = tokio::select! {
            done = work => done.map(Some),
            () = self.beat() => Ok(None),
        };
        // What can't be deleted now stands still, and is taken over.
        let filter = doc! { "_id": NAME, "holder": self.holder };
        drop(self.collections.limit(self.collections.meta.delete_one(filter)).await);
        done
    }

    /// Beats until the lease is lost. A beat that fails is no loss yet: the work meets the same fault.
    async fn beat(&self) {
        for beat in 1_i64.. {
            sleep(BEAT_EVERY).await;
            let filter = doc! { "_id": NAME, "holder": self.holder };
            let update = doc! { "$set": { "beat": beat } };
            let moved = self.collections.limit(self.collections.meta.update_one(filter, update)).await;
            if moved.is_ok_and(|moved| moved.matched_count == 0) {
                break;
            }
        }
    }
}

/// Whether the lease was free.
async fn insert(collections: &Collections, holder: ObjectId) -> Result<bool, Fault> {
    let mut lease = bson::RawDocumentBuf::new();
    lease.append(bson::cstr!("_id"), NAME);
    lease.append(bson::cstr!("holder"), holder);
    lease.append(bson::cstr!("beat"), 0_i64);
    match collections.limit(collections.meta.insert_one(lease)).await {
        Ok(_) => Ok(true),
        Err(fault) if fault.is_duplicate() => Ok(false),
        Err(fault) => Err(fault),
    }
}

async fn read(collections: &Collections) -> Result<Option<Document>, Fault> {
    let found = collections.limit(collections.meta.find_one(doc! { "_id": NAME })).await?;
    found.map(|lease| Document::try_from(&*lease).map_err(|_unreadable| Fault::Answer("lease"))).transpose()
}

#[cfg(test)]
mod tests {
    use chat_mongo_testkit::{TestDatabase, block_on};

    use super::*;
    use crate::{MongoUri, Options};

    /// A holder of which nothing is heard any more counts as dead after so long.
    const SOON: Duration = Duration::from_millis(100);

    async fn connect(uri: String) -> Collections {
        Collections::connect(&Options::new(MongoUri::parse(&uri).unwrap())).await.unwrap()
    }

    #[test]
    fn a_lease_that_stands_still_is_taken_over_and_its_holder_learns_of_it() {
        let database = TestDatabase::new();
        let uri = database.uri().to_owned();
        block_on(async move {
            let collections = connect(uri).await;
            let mut waited = 0;
            let first = Lease::take(&collections, SOON, || waited += 1).await.unwrap();
            let second = Lease::take(&collections, SOON, || waited += 1).await.unwrap();
            assert_eq!(waited, 1);
            assert_ne!(first.holder, second.holder);
            let never = std::future::pending::<Result<(), Fault>>();
            assert_eq!(first.hold(never).await.unwrap(), None);
            assert_eq!(second.hold(async { Ok::<_, Fault>(7) }).await.unwrap(), Some(7));
            assert_eq!(read(&collections).await.unwrap(), None, "given back");
        });
    }

    #[test]
    fn a_lease_that_beats_is_waited_for() {
        let database = TestDatabase::new();
        let uri = database.uri().to_owned();
        block_on(async move {
            let collections = connect(uri).await;
            let first = Lease::take(&collections, DEAD_AFTER, || {}).await.unwrap();
            let (begun, begins) = tokio::sync::oneshot::channel();
            let mut begun = Some(begun);
            let second = async {
                let tell = || begun.take().unwrap().send(()).unwrap();
                Lease::take(&collections, DEAD_AFTER, tell).await.unwrap()
            };
            let holding = first.hold(async {
                begins.await.unwrap();
                Ok::<_, Fault>(())
            });
            let (second, held) = tokio::join!(second, holding);
            assert_eq!(held.unwrap(), Some(()), "the first one was not disturbed");
            assert_eq!(second.hold(async { Ok::<_, Fault>(()) }).await.unwrap(), Some(()));
        });
    }
}
