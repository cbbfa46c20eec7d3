//! A database of a test's own.

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bson::oid::ObjectId;
use mongodb::{Client, Database, options::ClientOptions};

use crate::{
    shared::{block_on, server_uri},
    uri::with_database,
};

/// How long dropping may take before the database is left behind: its server may be stopped.
const DROP: Duration = Duration::from_secs(5);

/// A new, empty database on the shared server or on another one. It is dropped with this.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    uri: String,
    /// On the runtime of the harness: to be used in [`block_on`].
    database: Database,
}

impl TestDatabase {
    /// One on the server that all tests of the process share.
    #[must_use]
    pub fn new() -> Self {
        Self::on(server_uri())
    }

    /// One on the server at this connection string.
    #[must_use]
    pub fn on(server: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let random = ObjectId::new().to_hex();
        let name = format!("t{}_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed), &random[8..18]);
        let uri = with_database(server, &name);
        let (address, named) = (uri.clone(), name.clone());
        let database = block_on(async move {
            let mut options = ClientOptions::parse(&address).await.expect("the server's URI is valid");
            options.server_selection_timeout = Some(DROP);
            options.max_pool_size = Some(2);
            Client::with_options(options).expect("the server's URI is valid").database(&named)
        });
        Self { name, uri, database }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The connection string that names it, to the server itself.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// A driver's view of it, to lay documents down and to look at what was stored. Its operations need a Tokio runtime:
    /// `block_on` has one.
    #[must_use]
    pub fn driver(&self) -> Database {
        self.database.clone()
    }
}

impl Default for TestDatabase {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let database = self.database.clone();
        // A server that a test has killed has nothing to drop: whatever comes of it, the test is over.
        block_on(async move {
            let _ = tokio::time::timeout(DROP, database.drop()).await;
            database.client().clone().shutdown().immediate(true).await;
        });
    }
}
