//! Brings the store up, and notices when MongoDB goes away and is back.

use std::{sync::Arc, time::Duration};

use bson::{Document, doc};
use tokio::time::Instant;

use crate::{
    StartError, changes, commits, connection::Collections, conversations, documents::millis, error::Fault,
    late, migrate, store::Inner,
};

/// Between two attempts while MongoDB is away.
const RETRY: Duration = Duration::from_millis(500);
/// MongoDB 4.4.
const MIN_WIRE_VERSION: i32 = 9;

/// What keeps a start from going on.
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
    let mut supervisor = Supervisor { inner, outage: None, primary: None };
    let collections = match supervisor.start().await {
        Ok(collections) => collections,
        Err(error) => return supervisor.inner.gate.fail(error),
    };
    let inner = &supervisor.inner;
    inner.gate.connected(collections.clone());
    inner.gate.open();
    inner.handle.spawn(conversations::keep_up(inner.clone()));
    supervisor.watch(&collections).await;
}

struct Supervisor {
    inner: Arc<Inner>,
    /// Since when MongoDB has been away.
    outage: Option<Instant>,
    /// Which primary was met last.
    primary: Option<Document>,
}

impl Supervisor {
    /// Tries until the store works, or never will.
    async fn start(&mut self) -> Result<Arc<Collections>, StartError> {
        let mut connected = None;
        loop {
            match self.bring_up(&mut connected).await {
                Ok(collections) => {
                    self.back();
                    return Ok(collections);
                }
                Err(Obstacle::Final(error)) => return Err(error),
                Err(Obstacle::Passing(fault)) => match fault.permanent(&self.inner.options.uri) {
                    Some(error) => return Err(error),
                    None => self.away(&fault),
                },
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn bring_up(
        &mut self,
        connected: &mut Option<Arc<Collections>>,
    ) -> Result<Arc<Collections>, Obstacle> {
        let inner = self.inner.clone();
        let options = &inner.options;
        let collections = match connected {
            Some(collections) => collections.clone(),
            None => connected.insert(Arc::new(Collections::connect(options).await?)).clone(),
        };
        let hello = self.beat(&collections).await?;
        if hello.get_i32("maxWireVersion").is_ok_and(|version| version < MIN_WIRE_VERSION) {
            return Err(Obstacle::Final(StartError::TooOld));
        }
        let names = collections.limit(collections.database.list_collection_names()).await?;
        if names.is_empty() {
            tracing::info!("the database {} is new", options.uri);
        }
        migrate::at_start(&collections, options).await?;
        if conversations::derive(&inner, &collections).await? {
            late::watch(&inner, &collections).await?;
        }
        let life = changes::life(&collections).await?;
        inner.commits.begin(life, commits::reserve(&collections).await?);
        Ok(collections)
    }

    /// Looks after MongoDB, regularly and when somebody met a fault.
    async fn watch(&mut self, collections: &Collections) {
        loop {
            let pause = if self.outage.is_some() { RETRY } else { self.inner.options.heartbeat_interval };
            // A fault asks for a look at once, but not for one look after the other.
            drop(tokio::time::timeout(pause, self.inner.gate.suspected.notified()).await);
            match self.beat(collections).await {
                Ok(_hello) => {
                    self.back();
                    self.keep_numbers(collections).await;
                }
                Err(fault) => self.away(&fault),
            }
            tokio::time::sleep(RETRY.min(self.inner.options.heartbeat_interval) / 5).await;
        }
    }

    /// Reserves more numbers before they are short.
    async fn keep_numbers(&self, collections: &Collections) {
        if !self.inner.commits.is_short() {
            return;
        }
        match commits::reserve(collections).await {
            Ok(reserved) => self.inner.commits.extend(reserved),
            Err(fault) => tracing::debug!("numbers for commits were not reserved: {fault}"),
        }
    }

    /// Asks the primary who it is and what time it has.
    async fn beat(&mut self, collections: &Collections) -> Result<Document, Fault> {
        let clock = &self.inner.clock;
        let asked = clock.now();
        let hello = collections.limit(collections.database.run_command(doc! { "hello": 1 })).await?;
        if let Ok(told) = hello.get_datetime("localTime") {
            self.inner.primary_clock.measure(asked, millis(*told), clock.now());
        }
        let primary = identity(&hello);
        if self.primary.as_ref() != Some(&primary) {
            self.primary = Some(primary);
            self.inner.gate.begin_term();
        }
        Ok(hello)
    }

    /// One line for an outage.
    fn away(&mut self, fault: &Fault) {
        if self.outage.is_none() {
            self.outage = Some(Instant::now());
            tracing::warn!("MongoDB is away: {fault}");
            self.inner.gate.lose();
        }
    }

    /// One line for its end.
    fn back(&mut self) {
        if let Some(since) = self.outage.take() {
            tracing::info!("MongoDB is back after {} s", since.elapsed().as_secs());
            self.inner.gate.regain();
        }
    }
}

/// What names a primary's term, as far as the server tells.
fn identity(hello: &Document) -> Document {
    let names = ["me", "setName", "electionId", "setVersion"];
    names.iter().filter_map(|name| Some(((*name).to_owned(), hello.get(name)?.clone()))).collect()
}
