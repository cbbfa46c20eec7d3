//! Socket.IO 5 on Engine.IO 4, server side, sans-IO.

pub mod engine;
pub mod packet;
pub mod session;
pub mod websocket;

mod config;
mod json;

pub use config::Config;
pub use engine::{Refusal, Request};
pub use packet::{AckId, Arguments, Namespace};
pub use session::{
    CloseReason, Event, Frame, Input, LinkId, Outgoing, Output, Reply, RequestId, Session, Transport,
};
