//! Migrations: on an empty database, on one that an older application has filled, twice, interrupted, by two at
//! once. The documents are what mongoose writes.

#![expect(clippy::unwrap_used, reason = "what a test can't do fails it")]

#[path = "migrations/collisions.rs"]
mod collisions;
#[path = "migrations/odd.rs"]
mod odd;
#[path = "migrations/old.rs"]
mod old;
#[path = "migrations/order.rs"]
mod order;
#[path = "migrations/record.rs"]
mod record;
#[path = "migrations/running.rs"]
mod running;
