//! Fakes, builders, a manual clock and the conformance suite that every adapter runs.
//!
//! **What it is.** For tests only. [`MemoryStore`] is every repository port in memory, and keeps the same
//! promises as the real ones: it runs the same suite. [`FakeHasher`], [`FakeTokens`], [`FakeSeals`], [`RecordingBus`] and
//! [`RecordingListener`] stand in for the rest; [`ManualClock`] and [`SequentialIds`] make time and ids
//! predictable.
//!
//! **What it may touch.** `chat-ports`, and an executor that needs no runtime.
//!
//! **Where to begin.** To test a store, write a function that makes a [`Fixture`] and hand it to
//! [`conformance!`].

pub mod build;
pub mod conformance;

mod bus;
mod clock;
mod commits;
mod fixture;
mod ids;
mod passwords;
mod seals;
mod store;
mod tokens;

pub use bus::RecordingBus;
pub use clock::ManualClock;
pub use commits::RecordingListener;
pub use fixture::{Fixture, Reopen, StorePorts};
pub use ids::SequentialIds;
pub use passwords::FakeHasher;
pub use seals::FakeSeals;
pub use store::MemoryStore;
pub use tokens::FakeTokens;
