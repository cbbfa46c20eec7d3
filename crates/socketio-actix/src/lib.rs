//! A Socket.IO server on actix-web, for any application.
//!
//! **What it is.** [`SocketIo`] serves Engine.IO 4 and Socket.IO 5 at one path: the requests of long-polling,
//! WebSocket, the upgrade between them, and the life of every session. An [`Application`] makes a [`Client`] of each
//! session, is told what it does ([`protocol::Event`]) and answers through an [`Io`]. What comes from elsewhere goes into
//! the session's [`Outbox`], which never waits. [`SocketIo::configure`] mounts it into any actix-web app; [`serve()`]
//! is a server of our own, which takes WebSockets over from HTTP: they then cost a third of the memory.
//!
//! **What it may touch.** The protocol (`chat-socketio`, re-exported as [`protocol`]) and actix. It knows nothing of
//! what the messages are about.
//!
//! **Where to begin.** `examples/echo` is a whole application. `engine` has the requests, `connection` a session
//! and whoever drives it, `connection::websocket` the way of a WebSocket's bytes.

mod application;
mod body;
mod budget;
mod compression;
mod connection;
pub mod cors;
mod engine;
mod error;
mod options;
mod outbox;
mod random;
mod serve;
mod server;
mod sessions;

pub use application::{Application, Client, Io};
pub use body::read_body;
pub use budget::{Budget, Share};
pub use chat_socketio as protocol;
pub use error::HttpError;
pub use options::{Options, Origins};
pub use outbox::{Item, Outbox};
pub use random::random_id;
pub use serve::{ServeOptions, serve};
pub use server::SocketIo;
