//! WebSocket frames (RFC 6455), server side, sans-IO.
//!
//! A frame is refused on its header, before its payload is waited for; see [`Decoder`].

mod decoder;
mod encode;
mod header;
mod mask;
mod utf8;
mod violation;

pub use decoder::{Decoder, Message};
pub use encode::{Opcode, encode, encode_close, encode_header};
pub use violation::Violation;
