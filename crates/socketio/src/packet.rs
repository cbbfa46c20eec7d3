//! Socket.IO 5 packets: what a client's message means, and the text of what a server says.
//!
//! Source: the Socket.IO protocol, revision 5 ("Packet encoding").

mod arguments;
mod decode;
mod encode;
mod namespace;

pub use arguments::Arguments;
pub use decode::{Malformed, Packet, decode};
pub(crate) use encode::{connect, connect_error, disconnect};
pub use encode::{encode_ack, encode_binary_ack, encode_binary_event, encode_event};
pub use namespace::{AckId, Namespace};
