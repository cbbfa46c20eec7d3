//! Decodes a client's Socket.IO packet: `<type>[<attachments>-][<namespace>,][<ack id>][<JSON>]`.

use bytes::Bytes;

use super::{AckId, Arguments, Namespace};
use crate::Config;
use crate::json;

/// Names that mean something to a socket's own life and therefore can't be sent, as in Node's decoder.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// A packet that a client may send.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet {
    /// `0`: asks to join a namespace.
    Connect {
        /// The namespace.
        nsp: Namespace,
        /// A JSON object's text.
        auth: Option<Bytes>,
    },
    /// `1`: leaves a namespace.
    Disconnect {
        /// The namespace.
        nsp: Namespace,
    },
    /// `2`, or `5` with attachments to come.
    Event {
        /// The namespace.
        nsp: Namespace,
        /// The number under which the client awaits an acknowledgement.
        ack: Option<AckId>,
        /// The name and what comes with it.
        args: Arguments,
        /// How many binary messages belong to it.
        attachments: usize,
    },
    /// `3`, or `6` with attachments to come.
    Ack {
        /// The namespace.
        nsp: Namespace,
        /// The number that the server's event carried. One without is an answer to nothing.
        id: Option<AckId>,
        /// What comes with it.
        args: Arguments,
        /// How many binary messages belong to it.
        attachments: usize,
    },
    /// `4`: known, but never a client's to send.
    ConnectError {
        /// The namespace.
        nsp: Namespace,
    },
}

impl std::fmt::Debug for Packet {
    /// Leaves `auth` out: it holds tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect { nsp, auth } => write!(f, "Connect({nsp:?}, auth: {})", auth.is_some()),
            Self::Disconnect { nsp } => write!(f, "Disconnect({nsp:?})"),
            Self::Event { nsp, ack, args, attachments } => {
                write!(f, "Event({nsp:?}, {ack:?}, {args:?}, {attachments})")
            }
            Self::Ack { nsp, id, args, attachments } => {
                write!(f, "Ack({nsp:?}, {id:?}, {args:?}, {attachments})")
            }
            Self::ConnectError { nsp } => write!(f, "ConnectError({nsp:?})"),
        }
    }
}

/// Why a packet is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Not `0` to `6`.
    #[error("unknown packet type")]
    Type,
    /// No number of attachments, none, or more than `max_attachments`.
    #[error("illegal number of attachments")]
    Attachments,
    /// Longer than `max_namespace_bytes`.
    #[error("namespace too long")]
    Namespace,
    /// Past 64 bits.
    #[error("illegal acknowledgement id")]
    AckId,
    /// Not UTF-8, not JSON, or nested deeper than `max_depth`.
    #[error("illegal JSON")]
    Json,
    /// Not what this type of packet carries: an object, an array with a name, an array, or nothing.
    #[error("illegal payload")]
    Payload,
    /// An event by a reserved name.
    #[error("reserved event name")]
    Reserved,
    /// More than `max_args`.
    #[error("too many arguments")]
    Arguments,
    /// A placeholder for an attachment that does not come.
    #[error("illegal placeholder")]
    Placeholder,
}

impl From<json::Invalid> for Malformed {
    fn from(invalid: json::Invalid) -> Self {
        match invalid {
            json::Invalid::Syntax => Self::Json,
            json::Invalid::TooMany => Self::Arguments,
            json::Invalid::Placeholder => Self::Placeholder,
        }
    }
}

/// Decodes a packet from a message's text (the Engine.IO type `4` taken off).
///
/// # Errors
/// What is malformed; the connection is to be closed.
pub fn decode(text: Bytes, config: &Config) -> Result<Packet, Malformed> {
    let str = std::str::from_utf8(&text).or(Err(Malformed::Json))?;
    let header = Header::parse(str, config)?;
    let nsp = Namespace::new(header.nsp);
    let (kind, ack, attachments, at) = (header.kind, header.ack, header.attachments, header.payload_at);
    match kind {
        b'0' => Ok(Packet::Connect { nsp, auth: auth(&text, at, config)? }),
        b'1' if at == text.len() => Ok(Packet::Disconnect { nsp }),
        b'2' | b'5' => {
            let args = arguments(text, at, attachments, true, config)?;
            Ok(Packet::Event { nsp, ack, args, attachments: attachments.unwrap_or(0) })
        }
        b'3' | b'6' => {
            let args = arguments(text, at, attachments, false, config)?;
            Ok(Packet::Ack { nsp, id: ack, args, attachments: attachments.unwrap_or(0) })
        }
        b'4' => Ok(Packet::ConnectError { nsp }),
        _ => Err(Malformed::Payload),
    }
}

/// What stands before the JSON.
struct Header<'a> {
    kind: u8,
    attachments: Option<usize>,
    nsp: &'a str,
    ack: Option<AckId>,
    payload_at: usize,
}

impl<'a> Header<'a> {
    fn parse(text: &'a str, config: &Config) -> Result<Self, Malformed> {
        let kind = text.bytes().next().filter(|kind| (b'0'..=b'6').contains(kind)).ok_or(Malformed::Type)?;
        let mut rest = text.get(1..).unwrap_or_default();
        let mut attachments = None;
        if matches!(kind, b'5' | b'6') {
            let (count, after) = rest.split_once('-').ok_or(Malformed::Attachments)?;
            attachments = Some(parse_attachments(count, config.max_attachments)?);
            rest = after;
        }
        let (nsp, rest) = split_namespace(rest);
        if nsp.len() > config.max_namespace_bytes {
            return Err(Malformed::Namespace);
        }
        let (ack, rest) = split_ack(rest)?;
        Ok(Self { kind, attachments, nsp, ack, payload_at: text.len() - rest.len() })
    }
}

fn parse_attachments(digits: &str, max: usize) -> Result<usize, Malformed> {
    let count = parse_digits(digits).and_then(|count| usize::try_from(count).ok());
    count.filter(|&count| (1..=max).contains(&count)).ok_or(Malformed::Attachments)
}

/// A namespace other than `/` begins with a slash and ends at a comma or with the text.
fn split_namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return ("/", text);
    }
    text.split_once(',').unwrap_or((text, ""))
}

fn split_ack(text: &str) -> Result<(Option<AckId>, &str), Malformed> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 {
        return Ok((None, text));
    }
    let (digits, rest) = text.split_at(end);
    let id = parse_digits(digits).ok_or(Malformed::AckId)?;
    Ok((Some(AckId(id)), rest))
}

/// Digits only, where `str::parse` would take a sign too.
fn parse_digits(digits: &str) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.bytes().try_fold(0_u64, |number, byte| {
        let digit = char::from(byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

fn auth(text: &Bytes, at: usize, config: &Config) -> Result<Option<Bytes>, Malformed> {
    let payload = text.slice(at.min(text.len())..);
    if payload.is_empty() {
        return Ok(None);
    }
    if json::first_byte(&payload) != Some(b'{') {
        return Err(Malformed::Payload);
    }
    json::validate(&payload, config.max_depth)?;
    Ok(Some(payload))
}

fn arguments(
    text: Bytes,
    at: usize,
    attachments: Option<usize>,
    named: bool,
    config: &Config,
) -> Result<Arguments, Malformed> {
    let payload = text.get(at..).unwrap_or_default();
    if json::first_byte(payload) != Some(b'[') {
        return Err(Malformed::Payload);
    }
    let spans =
        json::elements(&text, at, config.max_depth, config.max_args.saturating_add(usize::from(named)))?;
    if let Some(count) = attachments {
        json::check_placeholders(payload, config.max_depth, count)?;
    }
    let args = Arguments::new(text, spans, named);
    if named {
        check_name(&args)?;
    }
    Ok(args)
}

/// An event's name is a number, or a string that is not reserved.
fn check_name(args: &Arguments) -> Result<(), Malformed> {
    match args.raw_name().bytes().next() {
        Some(b'"') => {
            let reserved = RESERVED.contains(&&*args.name());
            if reserved { Err(Malformed::Reserved) } else { Ok(()) }
        }
        Some(b'-' | b'0'..=b'9') => Ok(()),
        _ => Err(Malformed::Payload),
    }
}
