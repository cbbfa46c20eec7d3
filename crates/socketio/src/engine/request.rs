//! What an HTTP request asks of the engine, and the refusals with their codes.

use std::borrow::Cow;

/// What a request to the engine's path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// A new session over polling.
    Open,
    /// The client waits for packets of its polling session.
    Get {
        /// The session's id, as the client sent it.
        sid: Box<str>,
    },
    /// The client sends packets to its polling session.
    Post {
        /// The session's id, as the client sent it.
        sid: Box<str>,
    },
    /// A WebSocket: a new session, or with `sid` the upgrade of a polling one. When the request is no
    /// WebSocket handshake the embedder answers it with [`Refusal::BadRequest`] (with an unknown `sid`:
    /// [`Refusal::UnknownSid`]).
    WebSocket {
        /// The session to be upgraded.
        sid: Option<Box<str>>,
    },
    /// A CORS preflight, whatever its query.
    Options,
}

impl Request {
    /// Reads a request from its method and its raw query string (without `?`).
    ///
    /// # Errors
    /// The refusal to answer with; checks run in the order of Node's server: transport, method, version.
    ///
    /// ```
    /// use chat_socketio::engine::{Refusal, Request};
    /// assert_eq!(Request::parse("GET", "EIO=4&transport=polling"), Ok(Request::Open));
    /// assert_eq!(Request::parse("GET", "EIO=3&transport=polling"), Err(Refusal::UnsupportedVersion));
    /// ```
    pub fn parse(method: &str, query: &str) -> Result<Self, Refusal> {
        if method == "OPTIONS" {
            return Ok(Self::Options);
        }
        let query = Query::parse(query);
        let websocket = match query.transport.as_deref() {
            Some("polling") => false,
            Some("websocket") => true,
            _ => return Err(Refusal::UnknownTransport),
        };
        match query.sid.filter(|sid| !sid.is_empty()) {
            Some(sid) => Self::existing(method, websocket, sid.into()),
            None => Self::handshake(method, websocket, query.eio.as_deref()),
        }
    }

    fn existing(method: &str, websocket: bool, sid: Box<str>) -> Result<Self, Refusal> {
        match (method, websocket) {
            ("GET", true) => Ok(Self::WebSocket { sid: Some(sid) }),
            ("GET", false) => Ok(Self::Get { sid }),
            ("POST", false) => Ok(Self::Post { sid }),
            _ => Err(Refusal::BadRequest),
        }
    }

    fn handshake(method: &str, websocket: bool, eio: Option<&str>) -> Result<Self, Refusal> {
        if method != "GET" {
            return Err(Refusal::BadHandshakeMethod);
        }
        if eio != Some("4") {
            return Err(Refusal::UnsupportedVersion);
        }
        Ok(if websocket { Self::WebSocket { sid: None } } else { Self::Open })
    }
}

/// Why a request is refused: the engine's numbers, texts and statuses, as Node's server gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub enum Refusal {
    /// 0: neither `polling` nor `websocket`.
    UnknownTransport,
    /// 1: no such session, or no longer.
    UnknownSid,
    /// 2: a handshake that is not a GET.
    BadHandshakeMethod,
    /// 3: a request that does not fit the session's state or the protocol.
    BadRequest,
    /// 4: refused by the embedder (403).
    Forbidden,
    /// 5: not revision 4 of Engine.IO.
    UnsupportedVersion,
}

impl Refusal {
    /// The protocol's number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::UnknownTransport => 0,
            Self::UnknownSid => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden => 4,
            Self::UnsupportedVersion => 5,
        }
    }

    /// The protocol's text.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::UnknownTransport => "Transport unknown",
            Self::UnknownSid => "Session ID unknown",
            Self::BadHandshakeMethod => "Bad handshake method",
            Self::BadRequest => "Bad request",
            Self::Forbidden => "Forbidden",
            Self::UnsupportedVersion => "Unsupported protocol version",
        }
    }

    /// The HTTP status: 403 for [`Refusal::Forbidden`], 400 for all others.
    #[must_use]
    pub fn status(self) -> u16 {
        if self == Self::Forbidden { 403 } else { 400 }
    }

    /// The answer's body: JSON with `code` (a number) and `message`.
    #[must_use]
    pub fn body(self) -> &'static str {
        match self {
            Self::UnknownTransport => r#"{"code":0,"message":"Transport unknown"}"#,
            Self::UnknownSid => r#"{"code":1,"message":"Session ID unknown"}"#,
            Self::BadHandshakeMethod => r#"{"code":2,"message":"Bad handshake method"}"#,
            Self::BadRequest => r#"{"code":3,"message":"Bad request"}"#,
            Self::Forbidden => r#"{"code":4,"message":"Forbidden"}"#,
            Self::UnsupportedVersion => r#"{"code":5,"message":"Unsupported protocol version"}"#,
        }
    }
}

/// The three parameters that matter; of a repeated one the last counts, as in Node.
#[derive(Default)]
struct Query<'a> {
    eio: Option<Cow<'a, str>>,
    transport: Option<Cow<'a, str>>,
    sid: Option<Cow<'a, str>>,
}

impl<'a> Query<'a> {
    fn parse(query: &'a str) -> Self {
        let mut parsed = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match &*percent_decode(name) {
                "EIO" => parsed.eio = Some(percent_decode(value)),
                "transport" => parsed.transport = Some(percent_decode(value)),
                "sid" => parsed.sid = Some(percent_decode(value)),
                _ => {}
            }
        }
        parsed
    }
}

/// Decodes a form-urlencoded value; what is no valid escape stays as it is.
fn percent_decode(value: &str) -> Cow<'_, str> {
    if !value.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Cow::Borrowed(value);
    }
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first, escaped_byte(tail)) {
            (b'%', Some((byte, after))) => {
                decoded.push(byte);
                rest = after;
            }
            (b'+', _) => decoded.push(b' '),
            _ => decoded.push(first),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

fn escaped_byte(tail: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, after) = tail.split_at_checked(2)?;
    let [high, low] = digits else { return None };
    let high = char::from(*high).to_digit(16)?;
    let low = char::from(*low).to_digit(16)?;
    Some((u8::try_from(high * 16 + low).ok()?, after))
}
