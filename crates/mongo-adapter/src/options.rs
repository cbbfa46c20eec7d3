//! Where the database is, and the store's bounds.

use std::time::Duration;

use crate::MongoUri;

/// Where the database is, and the store's bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The database.
    pub uri: MongoUri,
    /// How long one operation may take, on the server and here. Default 5 s.
    pub operation_timeout: Duration,
    /// How long an operation looks for a server that takes it, unless the URI says otherwise. Default 2 s.
    pub server_selection_timeout: Duration,
    /// How often the primary is asked whether it is there and what time it has. Default 2 s.
    pub heartbeat_interval: Duration,
    /// How far the primary's clock may stand from this node's before the store is not healthy.
    /// Default 10 s.
    pub max_clock_offset: Duration,
    /// Most sends that wait or are on their way. Past it they are answered `Unavailable`. Default 16,384.
    pub queue_entries: usize,
    /// Most bytes of text that wait or are on their way. Past it sends are answered `Unavailable`.
    /// Default 32 MiB.
    pub queue_bytes: usize,
    /// Most messages of one insert. Default 1,000.
    pub batch_entries: usize,
    /// Most bytes of one insert's documents, if it has more than one. Default 4 MiB.
    pub batch_bytes: usize,
    /// Most sends whose outcome is looked for because it is unknown. Past it they are given up, and
    /// found by whoever sends again. Default 16,384.
    pub doubtful_entries: usize,
    /// Conversations whose last number the writer remembers; others are read. Default 65,536.
    pub cached_conversations: usize,
    /// Lanes in which readings go beside each other; those of one conversation keep to one. Default 8.
    pub lanes: usize,
    /// Most readings that wait in one lane. Past it they are answered `Unavailable`. Default 1,024.
    pub lane_entries: usize,
    /// How often the list of conversations is written behind, at most. Default 50 ms.
    pub upkeep_interval: Duration,
    /// Threads of the runtime that the driver works on. Default 2.
    pub worker_threads: usize,
    /// Whether a start applies the migrations that are missing. Default yes.
    pub migrate: bool,
}

impl Options {
    /// The defaults for a database.
    pub fn new(uri: MongoUri) -> Self {
        Self {
            uri,
            operation_timeout: Duration::from_secs(5),
            server_selection_timeout: Duration::from_secs(2),
            heartbeat_interval: Duration::from_secs(2),
            max_clock_offset: Duration::from_secs(10),
            queue_entries: 16_384,
            queue_bytes: 32 << 20,
            batch_entries: 1_000,
            batch_bytes: 4 << 20,
            doubtful_entries: 16_384,
            cached_conversations: 65_536,
            lanes: 8,
            lane_entries: 1_024,
            upkeep_interval: Duration::from_millis(50),
            worker_threads: 2,
            migrate: true,
        }
    }
}
