//! A small client of the server's contract, for programs that measure or verify.
//!
//! **What it is.** [`Session`] is one Socket.IO connection over WebSocket: opened, authenticated, then driven by a task that
//! reads and writes in batches; [`Link`] is its writing side. [`http`] makes REST calls, a connection each. It
//! speaks `http://` and `https://`, on one thread, and knows nothing of the chat's events.
//!
//! **Where to begin.** [`Session::open`], then [`Session::run`].

pub mod clock;
pub mod http;
pub mod packets;

mod endpoint;
mod error;
mod frames;
mod session;
mod tls;
mod wire;

pub use endpoint::Endpoint;
pub use error::ClientError;
pub use frames::FrameError;
pub use session::{Link, Session};
