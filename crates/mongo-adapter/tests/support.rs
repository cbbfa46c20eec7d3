//! What the tests of the store have in common.

use std::time::Instant;

use chat_mongo_adapter::{MongoUri, Options};
use chat_ports::{Clock, model::Timestamp};

/// The machine's clocks.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is a clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is a clock")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// The defaults for the database at this connection string.
pub(crate) fn options(uri: &str) -> Options {
    Options::new(MongoUri::parse(uri).unwrap())
}
