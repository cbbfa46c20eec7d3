//! actix-web REST, Engine.IO over HTTP and WebSocket, and the hub of connected sockets.
//!
//! **What it is.** [`Transport::configure`] mounts the whole wire into any actix-web app; [`Hub`] is where the
//! bus delivers events for connected sockets; [`Settings`] is what an operator can set. [`serve()`] is a server of our
//! own around the same app, which takes WebSockets over from HTTP: they then cost a third of the memory.
//!
//! **What it may touch.** The chat (`chat-domain`) and the protocol (`chat-socketio`). It never sees a store.
//!
//! **Where to begin.** A message comes in through `engine` (the handshake) and `connection::websocket` (bytes),
//! goes through `connection` (the state machine) and `connection::events` (what it means) into
//! `connection::pipeline` (order, deadlines, the use case), and out through `hub` (fan-out) and `hub::outbox`.

mod app;
mod bearer;
mod body;
mod connection;
mod cors;
mod engine;
mod hub;
mod reply;
mod rest;
mod serve;
mod settings;
mod transport;
mod wire;

pub use chat_socketio::Config as EngineConfig;
pub use hub::Hub;
pub use serve::{ServeOptions, serve};
pub use settings::{Origins, Settings};
pub use transport::Transport;
