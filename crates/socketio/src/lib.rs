//! Socket.IO 5 on Engine.IO 4, server side, sans-IO.
//!
//! **What it is.** [`Session`] is one client: polling, WebSocket and the upgrade between them, heartbeat,
//! namespaces, acknowledgements, attachments. [`websocket`] reads and writes frames, [`engine`] reads
//! requests and payloads, [`packet`] reads and writes Socket.IO packets.
//!
//! **What it may touch.** Bytes and time that it is handed: no socket, no runtime, no clock, nothing of
//! what the messages are about.
//!
//! **How it is driven.** One task per client owns its session: feed what came, act on what comes out,
//! sleep until the next input or [`Session::poll_timeout`].
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Instant;
//! use chat_socketio::packet::encode_event;
//! use chat_socketio::{Config, Event, Frame, Input, LinkId, Output, Session, Transport};
//!
//! /// Sends every event back under the name `echo`. `sent` is what goes out on the WebSocket.
//! fn drive(session: &mut Session, now: Instant, input: Input, sent: &mut Vec<String>) {
//!     session.handle(now, input);
//!     while let Some(output) = session.poll_output() {
//!         match output {
//!             Output::Send { frame: Frame::Text(text), .. } => {
//!                 sent.push(String::from_utf8_lossy(&text).into_owned());
//!             }
//!             Output::Event(Event::Connect { nsp, .. }) if &*nsp == "/" => {
//!                 session.accept(now, &nsp, "a-public-id");
//!             }
//!             Output::Event(Event::Connect { nsp, .. }) => {
//!                 session.refuse(now, &nsp, "Invalid namespace", None);
//!             }
//!             Output::Event(Event::Message { nsp, args, .. }) => {
//!                 let args: Vec<&[u8]> = args.iter().map(str::as_bytes).collect();
//!                 session.send(now, encode_event(&nsp, "echo", &args, None).into());
//!             }
//!             // A real embedder answers requests, closes links and forgets closed sessions here.
//!             _ => {}
//!         }
//!     }
//! }
//!
//! let (now, link) = (Instant::now(), LinkId(1));
//! let config = Arc::new(Config::default());
//! let mut session = Session::new(config, "an-unguessable-id", Transport::WebSocket(link), now);
//! let mut sent = Vec::new();
//! for text in ["40", r#"42["hello",1,{"a":[]}]"#, "40/other"] {
//!     drive(&mut session, now, Input::Text { link, data: text.into() }, &mut sent);
//! }
//! assert!(sent[0].starts_with(r#"0{"sid":"an-unguessable-id","upgrades":[]"#));
//! assert_eq!(sent[1], r#"40{"sid":"a-public-id"}"#);
//! assert_eq!(sent[2], r#"42["echo",1,{"a":[]}]"#);
//! assert_eq!(sent[3], r#"44/other,{"message":"Invalid namespace"}"#);
//! assert!(session.poll_timeout().is_some());
//! ```
//!
//! **Promises.** Input never panics a session and never recurses. A message is scanned once and handed up
//! as borrowed JSON ([`Arguments`]); an event on `/` with up to two arguments allocates nothing. What a
//! client can make a session hold is bounded by [`Config`]. What is sent keeps its order, over any
//! upgrade. What came before a malformed packet counts.

pub mod engine;
pub mod packet;
pub mod session;
pub mod websocket;

mod acks;
mod config;
mod json;

pub use acks::Acks;
pub use config::{Config, Protocol};
pub use engine::{Refusal, Request};
pub use packet::{AckId, Arguments, Namespace};
pub use session::{
    CloseReason, Event, Frame, Input, LinkId, Outgoing, Output, Reply, RequestId, Session, Transport,
};
