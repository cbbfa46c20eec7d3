//! Plays seeded schedules of devices against a chat server and judges what became of the messages.
//!
//! **What it is.** [`Run`] is one schedule without I/O: people with up to three devices each send, edit, delete, read and block, go
//! offline, crash and come back. Every device is a client that keeps its duties; a ledger notes what was asked and answered; at the end
//! the judge compares devices, histories and ledger. [`play`] drives a run over real sockets, [`verify`] rounds of
//! them for some seconds. `tests/fakes` plays thousands of runs in virtual time, on the real use cases over the fake store: every
//! interleaving comes from the seed.
//!
//! **What it may touch.** `chat-client`; the core itself knows no I/O, no clock and no randomness but the seed's.
//!
//! **Where to begin.** `run.rs`, then `device.rs` and `judge.rs`.

mod accounts;
mod device;
mod driver;
mod findings;
mod judge;
mod ledger;
mod list;
mod rng;
mod run;
mod schedule;
mod verify;
mod wire;

pub use accounts::{Account, TokenError, endpoint, register, with_tokens};
pub use chat_client::Endpoint;
pub use device::Order;
pub use driver::{Hearsay, now, play, play_through};
pub use findings::{Finding, Findings, Kind};
pub use rng::Rng;
pub use run::{Pace, Plan, Run};
pub use verify::{Options, Outcome, verify};
pub use wire::{Answer, Message, Notice, Refusal, Request};
