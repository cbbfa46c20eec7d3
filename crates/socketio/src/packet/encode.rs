//! Encodes what a server sends: whole Engine.IO messages, the leading `4` included, so that one text
//! serves every socket and both transports.

use bytes::Bytes;

use super::AckId;
use crate::json::push_string;

/// Encodes an EVENT: `42[/nsp,][ack]["name",args…]`. Each of `args` is JSON text; `ack` asks the client
/// for an acknowledgement under this number.
#[must_use]
pub fn encode_event(nsp: &str, name: &str, args: &[&[u8]], ack: Option<u64>) -> Bytes {
    event(nsp, name, args, ack, None)
}

/// Encodes the header of a BINARY_EVENT: `45n-…`. Where an attachment belongs, `args` holds
/// `{"_placeholder":true,"num":i}`.
#[must_use]
pub fn encode_binary_event(
    nsp: &str,
    name: &str,
    args: &[&[u8]],
    ack: Option<u64>,
    attachments: usize,
) -> Bytes {
    event(nsp, name, args, ack, Some(attachments))
}

/// Encodes an ACK: `43[/nsp,]id[args…]`. Each of `args` is JSON text.
#[must_use]
pub fn encode_ack(nsp: &str, id: AckId, args: &[&[u8]]) -> Bytes {
    ack(b'3', nsp, id, args, None)
}

/// Encodes the header of a BINARY_ACK: `46n-…`; placeholders as in [`encode_binary_event`].
#[must_use]
pub fn encode_binary_ack(nsp: &str, id: AckId, args: &[&[u8]], attachments: usize) -> Bytes {
    ack(b'6', nsp, id, args, Some(attachments))
}

/// Encodes the answer to an accepted CONNECT; `pid` is there where the client may recover.
pub(crate) fn connect(nsp: &str, socket_id: &str, pid: Option<&str>) -> Bytes {
    let room = socket_id.len() + pid.map_or(0, str::len) + 32;
    let mut text = header(b'0', nsp, None, None, room);
    text.push_str("{\"sid\":");
    push_string(&mut text, socket_id);
    if let Some(pid) = pid {
        text.push_str(",\"pid\":");
        push_string(&mut text, pid);
    }
    text.push('}');
    Bytes::from(text)
}

/// Encodes a CONNECT_ERROR; `data` is JSON text.
pub(crate) fn connect_error(nsp: &str, message: &str, data: Option<&[u8]>) -> Bytes {
    let data = data.unwrap_or_default();
    let mut text = header(b'4', nsp, None, None, message.len() + data.len() + 32);
    text.push_str("{\"message\":");
    push_string(&mut text, message);
    let mut text = text.into_bytes();
    if !data.is_empty() {
        text.extend_from_slice(b",\"data\":");
        text.extend_from_slice(data);
    }
    text.push(b'}');
    Bytes::from(text)
}

/// Encodes a DISCONNECT.
pub(crate) fn disconnect(nsp: &str) -> Bytes {
    Bytes::from(header(b'1', nsp, None, None, 0))
}

fn event(nsp: &str, name: &str, args: &[&[u8]], ack: Option<u64>, attachments: Option<usize>) -> Bytes {
    let kind = if attachments.is_some() { b'5' } else { b'2' };
    let mut text = header(kind, nsp, attachments, ack, name.len() + 4 + joined_len(args));
    text.push('[');
    push_string(&mut text, name);
    let mut text = text.into_bytes();
    for arg in args {
        text.push(b',');
        text.extend_from_slice(arg);
    }
    text.push(b']');
    Bytes::from(text)
}

fn ack(kind: u8, nsp: &str, id: AckId, args: &[&[u8]], attachments: Option<usize>) -> Bytes {
    let mut text = header(kind, nsp, attachments, Some(id.0), 2 + joined_len(args)).into_bytes();
    text.push(b'[');
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(arg);
    }
    text.push(b']');
    Bytes::from(text)
}

fn joined_len(args: &[&[u8]]) -> usize {
    args.iter().map(|arg| arg.len() + 1).sum()
}

/// Begins a message in a buffer with room for `payload` more bytes.
fn header(kind: u8, nsp: &str, attachments: Option<usize>, ack: Option<u64>, payload: usize) -> String {
    const NUMBERS: usize = 44;
    let mut text = String::with_capacity(NUMBERS + nsp.len() + payload);
    text.push('4');
    text.push(char::from(kind));
    if let Some(attachments) = attachments {
        push_number(&mut text, attachments as u64);
        text.push('-');
    }
    if nsp != "/" {
        text.push_str(nsp);
        text.push(',');
    }
    if let Some(ack) = ack {
        push_number(&mut text, ack);
    }
    text
}

fn push_number(text: &mut String, number: u64) {
    use std::fmt::Write as _;
    // Writing into a String cannot fail.
    let written = write!(text, "{number}");
    debug_assert!(written.is_ok());
}
