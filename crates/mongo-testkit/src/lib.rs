//! A real MongoDB-wire server for tests, and faults on the way to it.
//!
//! **What it is.** For tests only. [`TestDatabase::new`] is a database of a test's own on the server that all tests of a
//! process share, dropped with it. [`OwnServer`] is a server of a test's own, that may be killed, stopped and started
//! again. A [`Proxy`] stands between a store and a server: it cuts, stalls, swallows answers or gives others.
//!
//! **Which server.** The one at `TEST_MONGODB_URI`; else a `mongod` from PATH; else FerretDB on SQLite
//! (`tests/mongo-server`): the binary in `MONGO_SERVER_BIN`, or `mongo-server` in the target folder, built there if need
//! be. Where none is to be had, the tests fail and say so. Servers end with the process that started them, however it
//! ends. Databases stay small: FerretDB reads by scan.
//!
//! **What it may touch.** The driver; none of our crates.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a part of a test that can't be made fails the test"
)]

mod database;
mod keeper;
mod own;
mod program;
mod proxy;
mod shared;
mod uri;
mod wait;

pub use database::TestDatabase;
pub use own::OwnServer;
pub use program::Kind;
pub use proxy::{Answer, Proxy};
pub use shared::{block_on, kind, server_address, server_uri};
pub use uri::with_database;
pub use wait::until;
