//! The driver's client and the collections, and how an operation is run.

use std::{sync::Arc, time::Duration};

use bson::RawDocumentBuf;
use mongodb::{
    Client, Collection, Database,
    options::{
        Acknowledgment, ClientOptions, DatabaseOptions, ReadConcern, ReadPreference, SelectionCriteria,
        WriteConcern,
    },
};

use crate::{Options, bulk::Bulks, error::Fault};

/// The database's collections: reads from the primary at read concern `majority`, writes
/// acknowledged by a majority's journals. Clones share one client.
#[derive(Debug, Clone)]
pub(crate) struct Collections {
    pub(crate) database: Database,
    pub(crate) users: Collection<RawDocumentBuf>,
    pub(crate) messages: Collection<RawDocumentBuf>,
    /// Derived from `messages`; never the truth.
    pub(crate) conversations: Collection<RawDocumentBuf>,
    /// Who blocks whom.
    pub(crate) blocks: Collection<RawDocumentBuf>,
    pub(crate) migrations: Collection<RawDocumentBuf>,
    /// Locks and marks.
    pub(crate) meta: Collection<RawDocumentBuf>,
    /// How long one operation may take.
    pub(crate) operation_timeout: Duration,
    /// How the server takes many updates at once.
    pub(crate) bulks: Arc<Bulks>,
}

impl Collections {
    /// Makes a client; it connects when it is first used. Must run on the store's runtime.
    ///
    /// # Errors
    /// The URI's host can't be looked up (`mongodb+srv`), or its options can't be used.
    pub(crate) async fn connect(options: &Options) -> Result<Self, Fault> {
        let client = Client::with_options(client_options(options).await?)?;
        let database = client.database_with_options(options.uri.database(), durable());
        Ok(Self {
            users: database.collection("users"),
            messages: database.collection("messages"),
            conversations: database.collection("conversations"),
            blocks: database.collection("blocks"),
            migrations: database.collection("migrations"),
            meta: database.collection("meta"),
            operation_timeout: options.operation_timeout,
            bulks: Arc::default(),
            database,
        })
    }

    /// Runs an operation within the time that one may take.
    pub(crate) async fn limit<T, E>(&self, work: impl IntoFuture<Output = Result<T, E>>) -> Result<T, Fault>
    where
        Fault: From<E>,
    {
        match tokio::time::timeout(self.operation_timeout, work.into_future()).await {
            Ok(done) => Ok(done?),
            Err(_elapsed) => Err(Fault::Late),
        }
    }
}

async fn client_options(options: &Options) -> Result<ClientOptions, Fault> {
    let mut client = ClientOptions::parse(options.uri.expose()).await?;
    client.app_name.get_or_insert_with(|| "chat".to_owned());
    client.server_selection_timeout.get_or_insert(options.server_selection_timeout);
    client.connect_timeout.get_or_insert(options.operation_timeout);
    client.heartbeat_freq.get_or_insert(options.heartbeat_interval);
    Ok(client)
}

/// What makes a write durable and a read true: the URI's own concerns are for other applications.
fn durable() -> DatabaseOptions {
    DatabaseOptions::builder()
        .read_concern(ReadConcern::majority())
        .write_concern(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build())
        .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
        .build()
}
