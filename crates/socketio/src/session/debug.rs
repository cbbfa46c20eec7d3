//! `Debug` of what holds bodies: lengths only, because people write them and tokens stand in them.

use std::fmt;

use super::{Event, Frame, Input, Outgoing, Reply};

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get { request } => write!(f, "Get({request:?})"),
            Self::PostBegun { request } => write!(f, "PostBegun({request:?})"),
            Self::Post { request, body } => write!(f, "Post({request:?}, {} bytes)", body.len()),
            Self::PostTooLarge { request } => write!(f, "PostTooLarge({request:?})"),
            Self::Aborted { request } => write!(f, "Aborted({request:?})"),
            Self::Upgrade { link } => write!(f, "Upgrade({link:?})"),
            Self::Text { link, data } => write!(f, "Text({link:?}, {} bytes)", data.len()),
            Self::Binary { link, data } => write!(f, "Binary({link:?}, {} bytes)", data.len()),
            Self::LinkClosed { link } => write!(f, "LinkClosed({link:?})"),
            Self::Timeout => f.write_str("Timeout"),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({}, {} bytes)", self.status, self.body.len())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(data) => write!(f, "Text({} bytes)", data.len()),
            Self::Binary(data) => write!(f, "Binary({} bytes)", data.len()),
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} bytes, {} attachments)", self.text.len(), self.attachments.len())
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { nsp, auth } => write!(f, "Connect({nsp:?}, auth: {})", auth.is_some()),
            Self::Message { nsp, ack, args, attachments } => {
                write!(f, "Message({nsp:?}, {ack:?}, {args:?}, {} attachments)", attachments.len())
            }
            Self::Ack { nsp, id, args, attachments } => {
                write!(f, "Ack({nsp:?}, {id}, {args:?}, {} attachments)", attachments.len())
            }
            Self::Disconnect { nsp } => write!(f, "Disconnect({nsp:?})"),
            Self::Text(data) => write!(f, "Text({} bytes)", data.len()),
            Self::Binary(data) => write!(f, "Binary({} bytes)", data.len()),
            Self::Closed { reason } => write!(f, "Closed({reason:?})"),
        }
    }
}
