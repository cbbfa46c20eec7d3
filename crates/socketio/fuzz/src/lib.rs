//! What the fuzz targets check, a file each. A test of `chat-socketio` replays the seeds through the same functions.

mod attachments;
mod packet;
mod payload;
mod session;
mod websocket;

pub use attachments::attachments;
pub use packet::packet;
pub use payload::payload;
pub use session::session;
pub use websocket::websocket;
