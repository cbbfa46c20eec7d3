//! Decodes a client's frames into messages.

use bytes::{Buf, Bytes, BytesMut};

use super::Violation;
use super::header::{Header, Kind};
use super::mask::unmask;
use super::utf8::Utf8;

/// Fewer fragments than this are never too many.
const FREE_FRAGMENTS: usize = 1024;
/// A message may come in fragments that hold this many bytes on average.
const BYTES_PER_FRAGMENT: usize = 64;

/// What a client sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// A text message, valid UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping, to be answered with a pong of the same payload.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// The closing handshake, with its code; the last message.
    Close(Option<u16>),
}

impl std::fmt::Debug for Message {
    /// Prints lengths only: what people write stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(data) => write!(f, "Text({} bytes)", data.len()),
            Self::Binary(data) => write!(f, "Binary({} bytes)", data.len()),
            Self::Ping(data) => write!(f, "Ping({} bytes)", data.len()),
            Self::Pong(data) => write!(f, "Pong({} bytes)", data.len()),
            Self::Close(code) => write!(f, "Close({code:?})"),
        }
    }
}

/// Decodes the bytes of one connection.
///
/// It holds no payload but the fragments of an unfinished message: bytes of an unfinished frame stay in
/// the caller's buffer. Both together stay within the largest message, plus one control frame. A whole
/// message is split off the buffer without a copy.
#[derive(Debug)]
pub struct Decoder {
    max_message: usize,
    state: State,
    /// The fragments so far, while a message is unfinished.
    partial: Option<Box<Partial>>,
}

#[derive(Debug)]
enum State {
    Header,
    Payload(Frame),
    /// After a close frame or a violation nothing is read any more.
    Done,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    fin: bool,
    kind: Kind,
    key: [u8; 4],
    /// Bytes of the payload.
    len: usize,
    /// Bytes at the buffer's beginning that are unmasked and checked.
    seen: usize,
    /// Whether it belongs to a text message.
    text: bool,
    utf8: Utf8,
}

#[derive(Debug)]
struct Partial {
    text: bool,
    data: Vec<u8>,
    fragments: usize,
    utf8: Utf8,
}

impl Decoder {
    /// A decoder that takes messages of up to `max_message` bytes.
    #[must_use]
    pub fn new(max_message: usize) -> Self {
        Self { max_message, state: State::Header, partial: None }
    }

    /// Takes the next message off `buffer`, or `None` when more bytes are needed. To be called until it
    /// gives `None`; afterwards new bytes go behind those that are left in `buffer`.
    ///
    /// # Errors
    /// The first violation. The connection is to be closed with its code.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Message>, Violation> {
        let result = self.advance(buffer);
        if matches!(result, Err(_) | Ok(Some(Message::Close(_)))) {
            self.state = State::Done;
            self.partial = None;
            buffer.clear();
        }
        result
    }

    /// Bytes of an unfinished message's fragments, as they stand in memory.
    #[must_use]
    pub fn partial_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.data.capacity())
    }

    fn advance(&mut self, buffer: &mut BytesMut) -> Result<Option<Message>, Violation> {
        loop {
            match &mut self.state {
                State::Header => {
                    let Some(header) = Header::read(buffer)? else { return Ok(None) };
                    let frame = self.begin(&header)?;
                    buffer.advance(header.len);
                    self.state = State::Payload(frame);
                }
                State::Payload(frame) => {
                    frame.take(buffer)?;
                    if frame.seen < frame.len {
                        return Ok(None);
                    }
                    let frame = *frame;
                    self.state = State::Header;
                    if let Some(message) = self.finish(frame, buffer.split_to(frame.len))? {
                        return Ok(Some(message));
                    }
                }
                State::Done => {
                    buffer.clear();
                    return Ok(None);
                }
            }
        }
    }

    /// Checks a header against what came before it, and the message's size with it.
    fn begin(&self, header: &Header) -> Result<Frame, Violation> {
        let partial = self.partial.as_deref();
        let fits_order = match header.kind {
            Kind::Continuation => partial.is_some(),
            Kind::Text | Kind::Binary => partial.is_none(),
            Kind::Close | Kind::Ping | Kind::Pong => true,
        };
        if !fits_order {
            return Err(Violation::Fragments);
        }
        let len = usize::try_from(header.payload).or(Err(Violation::TooLarge))?;
        let before = partial.map_or(0, |partial| partial.data.len());
        if !header.kind.is_control() && len > self.max_message.saturating_sub(before) {
            return Err(Violation::TooLarge);
        }
        if header.kind == Kind::Continuation && partial.is_some_and(|p| p.fragments >= self.max_fragments()) {
            return Err(Violation::TooManyFragments);
        }
        let inherited = partial.filter(|_| header.kind == Kind::Continuation);
        Ok(Frame {
            fin: header.fin,
            kind: header.kind,
            key: header.key,
            len,
            seen: 0,
            text: inherited.map_or(header.kind == Kind::Text, |partial| partial.text),
            utf8: inherited.map_or_else(Utf8::default, |partial| partial.utf8),
        })
    }

    fn max_fragments(&self) -> usize {
        FREE_FRAGMENTS.max(self.max_message / BYTES_PER_FRAGMENT + 1)
    }

    /// Turns a whole frame into a message, or into a part of one.
    fn finish(&mut self, frame: Frame, payload: BytesMut) -> Result<Option<Message>, Violation> {
        match frame.kind {
            Kind::Close => close(&payload).map(Some),
            Kind::Ping => Ok(Some(Message::Ping(payload.freeze()))),
            Kind::Pong => Ok(Some(Message::Pong(payload.freeze()))),
            Kind::Text | Kind::Binary | Kind::Continuation => self.data(frame, payload),
        }
    }

    fn data(&mut self, frame: Frame, payload: BytesMut) -> Result<Option<Message>, Violation> {
        if frame.fin && frame.text && !frame.utf8.is_complete() {
            return Err(Violation::Utf8);
        }
        let whole = match (self.partial.take(), frame.fin) {
            (None, true) => payload.freeze(),
            (partial, fin) => {
                let mut partial = partial.unwrap_or_else(|| Box::new(Partial::new(frame.text)));
                partial.add(&payload, frame.utf8);
                if !fin {
                    self.partial = Some(partial);
                    return Ok(None);
                }
                Bytes::from(partial.data)
            }
        };
        Ok(Some(if frame.text { Message::Text(whole) } else { Message::Binary(whole) }))
    }
}

impl Frame {
    /// Unmasks and checks what has come of the payload.
    fn take(&mut self, buffer: &mut BytesMut) -> Result<(), Violation> {
        let end = self.len.min(buffer.len());
        let fresh = buffer.get_mut(self.seen..end).unwrap_or_default();
        unmask(fresh, self.key, self.seen);
        self.seen = end;
        if self.text && !self.utf8.feed(fresh) { Err(Violation::Utf8) } else { Ok(()) }
    }
}

impl Partial {
    fn new(text: bool) -> Self {
        Self { text, data: Vec::new(), fragments: 0, utf8: Utf8::default() }
    }

    fn add(&mut self, payload: &[u8], utf8: Utf8) {
        self.data.extend_from_slice(payload);
        self.fragments += 1;
        self.utf8 = utf8;
    }
}

/// Reads a close frame's payload (RFC 6455, 5.5.1 and 7.4).
fn close(payload: &[u8]) -> Result<Message, Violation> {
    if payload.is_empty() {
        return Ok(Message::Close(None));
    }
    let (&code, reason) = payload.split_first_chunk().ok_or(Violation::Close)?;
    let code = u16::from_be_bytes(code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Close);
    }
    if std::str::from_utf8(reason).is_err() {
        return Err(Violation::Utf8);
    }
    Ok(Message::Close(Some(code)))
}
