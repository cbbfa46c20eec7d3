//! The chat on the wire: actix-web REST, Socket.IO, and the hub of connected sockets.
//!
//! **What it is.** [`Transport::configure`] mounts the whole wire into any actix-web app; [`Hub`] is where the
//! bus delivers events for connected sockets; [`Settings`] is what an operator can set. [`serve()`] is a server of our
//! own around the same app, which takes WebSockets over from HTTP: they then cost a third of the memory.
//!
//! **What it may touch.** The chat (`chat-domain`) and the Socket.IO server (`chat-socketio-actix`), whose application
//! the chat is. It never sees a store.
//!
//! **Where to begin.** A message comes from the server into `socket` (what it means), goes through `wire` (valid
//! requests) into `socket::pipeline` (order, deadlines, the use case), and out through `hub` (fan-out).

mod app;
mod bearer;
mod body;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod hub;
mod places;
mod proxies;
mod reply;
mod rest;
mod serve;
mod settings;
mod socket;
mod transport;
mod wire;

pub use chat_socketio_actix::{Origins, ServeOptions, protocol::Config as EngineConfig};
pub use hub::Hub;
pub use proxies::TrustedProxies;
pub use serve::serve;
pub use settings::Settings;
pub use transport::Transport;
