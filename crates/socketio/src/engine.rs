//! Engine.IO 4: requests and their refusals, packets, payloads, the handshake.
//!
//! Source: the Engine.IO protocol, revision 4 ("Query parameters", "Packet encoding", "Handshake").

mod handshake;
mod packet;
mod payload;
mod request;

pub(crate) use handshake::open_packet;
pub use packet::{InvalidPacket, Packet};
pub(crate) use payload::encoded_len;
pub use payload::{Payload, decode_payload, encode_payload};
pub use request::{Refusal, Request};
