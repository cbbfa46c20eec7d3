//! Engine.IO and Socket.IO text packets: telling apart what comes in, writing what goes out.

use std::io::Write as _;

use serde::Deserialize;

/// One packet of the server, as far as a client has to look into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// Engine.IO OPEN.
    Open,
    /// Engine.IO PING; to be answered with [`PONG`].
    Ping,
    /// Engine.IO CLOSE or Socket.IO DISCONNECT.
    Bye,
    /// The namespace `/` is connected.
    Connected,
    /// The namespace was refused; the JSON says why.
    Refused(&'a str),
    /// What the application said.
    Packet(Packet<'a>),
    /// Anything else.
    Other(&'a str),
}

/// What the application behind the protocol said. Arguments are JSON, from the first one up to and with the
/// closing bracket; [`first`] reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// An event.
    Event {
        /// Its name.
        name: &'a str,
        /// What came with it.
        arguments: &'a str,
    },
    /// An acknowledgement.
    Ack {
        /// The id the request gave.
        id: u64,
        /// What came with it.
        arguments: &'a str,
    },
}

/// The answer to an Engine.IO ping.
pub const PONG: &[u8] = b"3";

/// Tells what `text` is; what is not understood is [`Incoming::Other`].
pub fn parse(text: &str) -> Incoming<'_> {
    known(text).unwrap_or(Incoming::Other(text))
}

fn known(text: &str) -> Option<Incoming<'_>> {
    let (&[kind], rest) = text.as_bytes().split_first_chunk::<1>()?;
    match kind {
        b'0' => Some(Incoming::Open),
        b'1' => Some(Incoming::Bye),
        b'2' if rest.is_empty() => Some(Incoming::Ping),
        b'4' => message(text.get(1..)?),
        _ => None,
    }
}

fn message(text: &str) -> Option<Incoming<'_>> {
    let rest = text.get(1..)?;
    match text.as_bytes().first()? {
        b'0' => Some(Incoming::Connected),
        b'1' => Some(Incoming::Bye),
        b'2' => event(rest).map(Incoming::Packet),
        b'3' => ack(rest).map(Incoming::Packet),
        b'4' => Some(Incoming::Refused(rest)),
        _ => None,
    }
}

fn event(text: &str) -> Option<Packet<'_>> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let (name, arguments) = text.strip_prefix("[\"")?.split_once('"')?;
    Some(Packet::Event { name, arguments: arguments.strip_prefix(',').unwrap_or(arguments) })
}

fn ack(text: &str) -> Option<Packet<'_>> {
    let (id, arguments) = text.split_once('[')?;
    Some(Packet::Ack { id: id.parse().ok()?, arguments })
}

/// Reads the first of an event's or an acknowledgement's arguments.
///
/// # Errors
/// The JSON error when there is none or it has another shape.
pub fn first<'a, T: Deserialize<'a>>(arguments: &'a str) -> Result<T, serde_json::Error> {
    // Not `from_str`: what follows the first argument is none of the caller's business.
    T::deserialize(&mut serde_json::Deserializer::from_str(arguments))
}

/// Writes the namespace's CONNECT with a token.
pub fn connect(token: &str) -> Vec<u8> {
    format!("40{}", serde_json::json!({ "token": token })).into_bytes()
}

/// Writes the head of an event that asks for the acknowledgement `ack`; the caller adds the argument and `]`.
pub fn begin_event(ack: u64, name: &str, out: &mut Vec<u8>) {
    // Writing into a Vec has no error.
    let _ = write!(out, "42{ack}[\"{name}\",");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_of_the_server_is_told_apart() {
        assert_eq!(parse("0{\"sid\":\"a\"}"), Incoming::Open);
        assert_eq!(parse("2"), Incoming::Ping);
        assert_eq!(parse("40{\"sid\":\"b\"}"), Incoming::Connected);
        assert_eq!(parse("44{\"message\":\"no\"}"), Incoming::Refused("{\"message\":\"no\"}"));
        assert_eq!(parse("41"), Incoming::Bye);
        let event = |arguments| Incoming::Packet(Packet::Event { name: "a", arguments });
        assert_eq!(parse("42[\"a\",1]"), event("1]"));
        assert_eq!(parse("427[\"a\"]"), event("]"));
        let ack = Packet::Ack { id: 12, arguments: "{\"ok\":true}]" };
        assert_eq!(parse("4312[{\"ok\":true}]"), Incoming::Packet(ack));
        assert_eq!(parse("2probe"), Incoming::Other("2probe"));
        assert_eq!(parse(""), Incoming::Other(""));
    }

    #[test]
    fn the_first_argument_is_read_without_what_follows() {
        assert_eq!(first::<Vec<u8>>("[1,2],3]").unwrap(), [1, 2]);
        assert!(first::<Vec<u8>>("]").is_err());
    }
}
