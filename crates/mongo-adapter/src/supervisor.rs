//! Brings the store up, and tells when MongoDB goes away and is back.

use std::{sync::Arc, time::Duration};

use bson::doc;

use crate::{
    StartError, connection::Collections, conversations, error::Fault, gate::Phase, migrate, store::Inner,
};

/// How long a start waits before it tries again.
const RETRY: Duration = Duration::from_millis(500);
/// MongoDB 4.4.
const MIN_WIRE_VERSION: i32 = 9;

/// What a step of the start came to.
pub(crate) enum Obstacle {
    /// Waiting may mend it.
    Passing(Fault),
    /// It never will work.
    Final(StartError),
}

impl<E> From<E> for Obstacle
where
    Fault: From<E>,
{
    fn from(error: E) -> Self {
        Self::Passing(error.into())
    }
}

/// Runs as long as the store is open.
pub(crate) async fn run(inner: Arc<Inner>) {
    loop {
        match start(&inner).await {
            Ok(collections) => {
                inner.gate.connected(collections);
                inner.gate.enter(Phase::Ready);
                return;
            }
            Err(Obstacle::Final(error)) => return inner.gate.enter(Phase::Failed(error)),
            Err(Obstacle::Passing(fault)) => {
                if let Some(error) = fault.permanent(&inner.options.uri) {
                    return inner.gate.enter(Phase::Failed(error));
                }
                tracing::warn!("MongoDB is away: {fault}");
            }
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn start(inner: &Arc<Inner>) -> Result<Arc<Collections>, Obstacle> {
    let collections = Arc::new(Collections::connect(&inner.options).await?);
    let hello = collections.limit(collections.database.run_command(doc! { "hello": 1 })).await?;
    let found = hello.get_i32("maxWireVersion").unwrap_or_default();
    if found < MIN_WIRE_VERSION {
        return Err(Obstacle::Final(StartError::TooOld { found }));
    }
    migrate::at_start(&collections, &inner.options).await?;
    conversations::derive(inner, &collections).await?;
    Ok(collections)
}
