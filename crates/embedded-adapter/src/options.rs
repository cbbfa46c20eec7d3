//! Where the store is, and its bounds.

use std::{path::PathBuf, time::Duration};

/// Where the store is, and its bounds. Every bound has a default that serves a machine of 2 cores
/// and up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The folder; made if it is missing. One process at a time.
    pub dir: PathBuf,
    /// Most changes that wait for the writer. Past it they are answered `Unavailable`. Default 16,384.
    pub queue_entries: usize,
    /// Most bytes of text that wait for the writer. Past it sends are answered `Unavailable`.
    /// Default 32 MiB.
    pub queue_bytes: usize,
    /// Threads that read, each with connections of its own. Default 2.
    pub readers: usize,
    /// Most reads that wait for a reader. Past it they are answered `Unavailable`. Default 4,096.
    pub read_queue: usize,
    /// Entries that one sweep moves from the log to the tables. Default 32,768.
    pub sweep_entries: usize,
    /// How old an entry becomes before a sweep takes it, however few there are. Default 5 s.
    pub sweep_age: Duration,
    /// Most entries that stand in memory because they are not swept yet. Full means that sends
    /// wait, until their deadline. Default 98,304: three sweeps.
    pub overlay_entries: usize,
    /// Most bytes that these entries take, by a generous estimate. Default 64 MiB.
    pub overlay_bytes: usize,
    /// Conversations whose last number the writer remembers; others are read. Default 65,536.
    pub cached_conversations: usize,
    /// Up to this size a file is checked completely at every start; a larger one only after damage
    /// was met in it, because that takes about a second per 200 MiB. Default 64 MiB.
    pub check_bytes: u64,
    /// Quota of `log.db`, bytes: past it changes are refused, as on a full disk. Default none.
    pub max_log_bytes: Option<u64>,
    /// Quota of `tables.db`, bytes: past it sweeps stop, and then sends wait. Default none.
    pub max_tables_bytes: Option<u64>,
}

impl Options {
    /// The defaults for a folder.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            queue_entries: 16_384,
            queue_bytes: 32 << 20,
            readers: 2,
            read_queue: 4_096,
            sweep_entries: 32_768,
            sweep_age: Duration::from_secs(5),
            overlay_entries: 98_304,
            overlay_bytes: 64 << 20,
            cached_conversations: 65_536,
            check_bytes: 64 << 20,
            max_log_bytes: None,
            max_tables_bytes: None,
        }
    }
}
