//! The rate limiter of a single node: counters in memory, bounded whatever comes.
//!
//! **What it is.** [`Limiter`] implements the port `RateLimiter` with governor's GCRA: each counter is one
//! number, the time at which it is fresh again. [`Rates`] is how often each thing may be done.
//!
//! **What it may touch.** `chat-ports` and governor. No thread, no runtime: nothing has to be done by and by,
//! time comes from the port `Clock`.
//!
//! **Where to begin.** `limiter` finds the counter of a subject, `counters` keeps them and says what happens
//! when there are more than fit.

mod clock;
mod counters;
mod limiter;
mod rates;

pub use limiter::Limiter;
pub use rates::{Rate, Rates};
