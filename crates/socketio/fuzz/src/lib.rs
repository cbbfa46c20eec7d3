//! What the fuzz targets check. A test of `chat-socketio` replays the seeds through the same functions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chat_socketio::engine::{Packet as EnginePacket, decode_payload, encode_payload};
use chat_socketio::packet::{Packet, decode, encode_ack, encode_event};
use chat_socketio::session::{
    CloseReason, Event, Frame, Input, LinkId, Outgoing, Output, RequestId, Session, Transport,
};
use chat_socketio::websocket::{Decoder, Message, Violation};
use chat_socketio::{Config, Request};

/// A Socket.IO packet: what can be read can be written, and is then read the same.
pub fn packet(data: &[u8]) {
    let config = Config::default();
    match decode(Bytes::copy_from_slice(data), &config) {
        Ok(Packet::Event { nsp, ack, args, .. }) => {
            let raw: Vec<&[u8]> = args.iter().map(str::as_bytes).collect();
            let text = encode_event(&nsp, &args.name(), &raw, ack.map(|ack| ack.0));
            let again = decode(text.slice(1..), &config);
            let Ok(Packet::Event { nsp: nsp_again, ack: ack_again, args: args_again, .. }) = again else {
                panic!("an encoded event is not an event: {text:?}");
            };
            assert_eq!((nsp, ack), (nsp_again, ack_again));
            assert_eq!(args.name(), args_again.name());
            assert!(args.iter().eq(args_again.iter()));
        }
        Ok(Packet::Ack { nsp, id: Some(id), args, attachments: 0 }) => {
            let raw: Vec<&[u8]> = args.iter().map(str::as_bytes).collect();
            let again = decode(encode_ack(&nsp, id, &raw).slice(1..), &config);
            assert_eq!(again, Ok(Packet::Ack { nsp, id: Some(id), args, attachments: 0 }));
        }
        _ => {}
    }
}

/// A polling body, and a query: the packets of a body survive being written and read again.
pub fn payload(data: &[u8]) {
    let packets: Vec<EnginePacket> =
        decode_payload(Bytes::copy_from_slice(data)).map_while(Result::ok).collect();
    let frames: Vec<Frame> = packets
        .iter()
        .filter_map(|packet| match packet {
            EnginePacket::Text(text) => Some(Frame::Text([b"4", &text[..]].concat().into())),
            EnginePacket::Binary(data) => Some(Frame::Binary(data.clone())),
            _ => None,
        })
        .collect();
    if !frames.is_empty() {
        let again: Vec<EnginePacket> =
            decode_payload(encode_payload(&frames)).map_while(Result::ok).collect();
        let messages =
            packets.into_iter().filter(|p| matches!(p, EnginePacket::Text(_) | EnginePacket::Binary(_)));
        assert!(again.into_iter().eq(messages));
    }
    if let Ok(query) = std::str::from_utf8(data) {
        let _ = Request::parse("GET", query);
    }
}

/// A client's WebSocket bytes: the outcome does not depend on how they are cut.
pub fn websocket(data: &[u8]) {
    let whole = decode_chunks(data, usize::MAX);
    assert!(whole == decode_chunks(data, 1), "byte by byte");
    assert!(whole == decode_chunks(data, 7), "seven at a time");
    for message in whole.0 {
        if let Message::Text(text) = message {
            assert!(std::str::from_utf8(&text).is_ok());
        }
    }
}

fn decode_chunks(data: &[u8], size: usize) -> (Vec<Message>, Option<Violation>) {
    const MAX: usize = 4096;
    let mut decoder = Decoder::new(MAX);
    let mut buffer = BytesMut::new();
    let mut messages = Vec::new();
    for chunk in data.chunks(size) {
        buffer.extend_from_slice(chunk);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
        assert!(buffer.len() <= MAX + 14 || size > MAX, "an unfinished frame is bounded");
    }
    (messages, None)
}

/// A packet's header on the first line, and behind it what follows: each a byte for its length, and its bytes; a length
/// with the highest bit set is one of a text. A joined session hands up what a plain reading of the header says, or ends.
pub fn attachments(data: &[u8]) {
    const MAX: usize = 256;
    let config = Config { max_payload: MAX, ..Config::default() };
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, mut rest) = data.split_at(cut);
    rest = rest.get(1..).unwrap_or_default();
    let header = String::from_utf8_lossy(header).into_owned();
    let expected = match decode(Bytes::from(header.clone()), &config) {
        Ok(Packet::Event { nsp, args, attachments, .. }) if &*nsp == "/" => Some((Some(args), attachments)),
        // One without a number is taken in and for nothing.
        Ok(Packet::Ack { nsp, id, args, attachments }) if &*nsp == "/" => {
            Some((id.map(|_| args), attachments))
        }
        _ => None,
    };
    let mut session = joined(config);
    let link = LinkId(0);
    session.handle(now(), Input::Text { link, data: format!("4{header}").into() });
    let mut sent: Vec<Bytes> = Vec::new();
    let mut out_of_place = false;
    while let Some((&length, tail)) = rest.split_first() {
        let (part, tail) = tail.split_at(tail.len().min(usize::from(length & 0x7f)));
        rest = tail;
        // Texts that are no messages may stand anywhere.
        let waits = expected.as_ref().is_some_and(|(_, count)| sent.len() < *count);
        if length & 0x80 != 0 {
            session.handle(now(), Input::Text { link, data: "3".into() });
        } else if waits && sent.iter().map(Bytes::len).sum::<usize>() + part.len() <= MAX {
            sent.push(Bytes::copy_from_slice(part));
            session.handle(now(), Input::Binary { link, data: Bytes::copy_from_slice(part) });
        } else {
            session.handle(now(), Input::Binary { link, data: Bytes::copy_from_slice(part) });
            out_of_place = true;
            break;
        }
    }
    check_attachments(&mut session, expected, sent, out_of_place);
}

fn check_attachments(
    session: &mut Session,
    expected: Option<(Option<chat_socketio::Arguments>, usize)>,
    sent: Vec<Bytes>,
    out_of_place: bool,
) {
    let mut delivered = Vec::new();
    while let Some(output) = session.poll_output() {
        if let Output::Event(
            Event::Message { args, attachments, .. } | Event::Ack { args, attachments, .. },
        ) = output
        {
            delivered.push((args, attachments));
        }
    }
    assert!(!out_of_place || session.is_closed(), "what is out of place, or too much, ends the session");
    match expected {
        Some((Some(args), count)) if count == sent.len() => {
            assert_eq!(delivered.len(), 1);
            assert!(delivered[0].0.iter().eq(args.iter()) && delivered[0].1 == sent);
            assert!(placeholders(&args).iter().all(|num| *num < count as u64), "none points nowhere");
        }
        _ => assert!(delivered.is_empty(), "what is not whole is not handed up"),
    }
}

/// The numbers of the placeholders, by a plain reading; none where nothing is attached.
fn placeholders(args: &chat_socketio::Arguments) -> Vec<u64> {
    fn collect(value: &serde_json::Value, found: &mut Vec<u64>) {
        match value {
            serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            serde_json::Value::Object(fields) if fields.get("_placeholder") == Some(&true.into()) => {
                found.extend(fields.get("num").and_then(serde_json::Value::as_u64));
            }
            serde_json::Value::Object(fields) => fields.values().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for arg in args.iter() {
        if let Ok(value) = serde_json::from_str(arg) {
            collect(&value, &mut found);
        }
    }
    found
}

/// A session on link 0 that has joined `/`.
fn joined(config: Config) -> Session {
    let mut session = Session::new(Arc::new(config), "sid", Transport::WebSocket(LinkId(0)), now());
    session.handle(now(), Input::Text { link: LinkId(0), data: "40".into() });
    while session.poll_output().is_some() {}
    assert!(session.accept(now(), "/", "id"));
    while session.poll_output().is_some() {}
    session
}

/// A whole session under a script: one step a line, a letter, a digit for the link or request, and data.
///
/// `g` GET, `b` a POST begins, `p` POST, `z` a POST too large, `a` a GET aborted, `k` a POST aborted,
/// `u` upgrade, `t` text, `y` binary, `c` link closed, `w` wait this many seconds, `A` accept, `R` refuse, `D` disconnect,
/// `S` send, `F` send though it is not writable, `B` send with attachments, `X` close. What is sent comes out in order and
/// once, by whichever transport. A script that begins with `W` begins on a WebSocket, number 0.
pub fn session(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let transport = match data.first() {
        Some(b'W') => Transport::WebSocket(LinkId(0)),
        _ => Transport::Polling,
    };
    if data.first() == Some(&b'W') {
        lines.next();
    }
    let mut world = World::new(transport);
    lines.for_each(|line| world.step(line));
    world.end();
}

struct World {
    session: Session,
    now: Instant,
    open_requests: Vec<RequestId>,
    joined: Vec<String>,
    asked: Vec<String>,
    closed: bool,
    max_payload: usize,
    /// How many packets were sent, and how many of them came out.
    sent: usize,
    heard: usize,
    /// Attachments that must come out next.
    parts_due: usize,
}

impl World {
    fn new(transport: Transport) -> Self {
        let config = Config { max_payload: 256, max_namespaces: 3, ..Config::default() };
        let now = now();
        let max_payload = config.max_payload;
        let session = Session::new(Arc::new(config), "sid", transport, now);
        let (open_requests, joined, asked) = (Vec::new(), Vec::new(), Vec::new());
        let mut world = Self {
            session,
            now,
            open_requests,
            joined,
            asked,
            closed: false,
            max_payload,
            sent: 0,
            heard: 0,
            parts_due: 0,
        };
        world.drain();
        world
    }

    fn step(&mut self, line: &[u8]) {
        let Some((op, rest)) = line.split_first() else { return };
        let (number, rest) =
            rest.split_first().map_or((0, rest), |(digit, rest)| (u64::from(digit % 10), rest));
        let (get, post, link) = (RequestId(number), RequestId(100 + number), LinkId(number));
        let data = Bytes::copy_from_slice(rest);
        match op {
            b'g' => self.request(get, Input::Get { request: get }),
            b'b' => self.request(post, Input::PostBegun { request: post }),
            b'p' => self.request(post, Input::Post { request: post, body: data }),
            b'z' => self.request(post, Input::PostTooLarge { request: post }),
            b'a' => self.abort(get),
            b'k' => self.abort(post),
            b'u' => self.session.handle(self.now, Input::Upgrade { link }),
            b't' => {
                let data = Bytes::from(String::from_utf8_lossy(rest).into_owned());
                self.session.handle(self.now, Input::Text { link, data });
            }
            b'y' => self.session.handle(self.now, Input::Binary { link, data }),
            b'c' => self.session.handle(self.now, Input::LinkClosed { link }),
            b'w' => self.wait(Duration::from_secs(number + 10 * rest.len() as u64)),
            _ => self.command(*op, &String::from_utf8_lossy(rest)),
        }
        self.drain();
    }

    fn command(&mut self, op: u8, text: &str) {
        match op {
            b'A' => {
                let accepted = self.session.accept(self.now, text, "id");
                assert!(!accepted || self.asked.iter().any(|nsp| nsp == text));
                if accepted {
                    self.asked.retain(|nsp| nsp != text);
                    self.joined.push(text.to_owned());
                }
            }
            b'R' => {
                self.session.refuse(self.now, text, "no", None);
                self.asked.retain(|nsp| nsp != text);
            }
            b'D' => {
                self.session.disconnect(self.now, text);
                self.joined.retain(|nsp| nsp != text);
            }
            b'S' if self.session.writable() => self.send(text, 0),
            // Whether it is writable or not.
            b'F' if !self.closed => self.send(text, 0),
            b'B' if self.session.writable() => self.send(text, 1 + text.len() % 3),
            b'X' => self.session.close(self.now, CloseReason::Server),
            _ => {}
        }
    }

    /// Sends a packet that tells its number and how many attachments follow it.
    fn send(&mut self, text: &str, parts: usize) {
        let text = format!("4#{} {parts} {}", self.sent, text.replace('\u{1e}', ""));
        self.sent += 1;
        let attachments = vec![Bytes::from_static(b"part"); parts];
        self.session.send(self.now, Outgoing { text: text.into(), attachments });
    }

    /// What comes out, by whichever way: packets in their order, once, their attachments right behind them.
    fn came_out(&mut self, packet: &[u8], binary: bool) {
        if self.parts_due > 0 {
            assert!(binary, "nothing comes between a header and its attachments");
            self.parts_due -= 1;
            return;
        }
        assert!(!binary, "an attachment without a header");
        if let Some(numbers) = packet.strip_prefix(b"4#") {
            let text = String::from_utf8_lossy(numbers).into_owned();
            let mut numbers = text.split(' ').map_while(|number| number.parse::<usize>().ok());
            assert_eq!(numbers.next(), Some(self.heard), "in order, once, without a gap");
            self.heard += 1;
            self.parts_due = numbers.next().expect("the count of its attachments");
        }
    }

    fn answered(&mut self, reply: &chat_socketio::Reply) {
        assert!([200, 400, 413].contains(&reply.status));
        if reply.status == 200 && reply.content_type.starts_with("text/plain") {
            for packet in reply.body.split(|byte| *byte == 0x1e) {
                self.came_out(packet, packet.first() == Some(&b'b'));
            }
        }
    }

    /// A request's number is used again only when it was answered.
    fn request(&mut self, request: RequestId, input: Input) {
        let announced = matches!(input, Input::Post { .. } | Input::PostTooLarge { .. });
        if self.open_requests.contains(&request) && !announced {
            return;
        }
        if !self.open_requests.contains(&request) {
            self.open_requests.push(request);
        }
        self.session.handle(self.now, input);
    }

    fn abort(&mut self, request: RequestId) {
        self.open_requests.retain(|open| *open != request);
        self.session.handle(self.now, Input::Aborted { request });
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            let before = self.now;
            self.now = self.now.max(due);
            self.session.handle(self.now, Input::Timeout);
            self.drain();
            let next = self.session.poll_timeout();
            assert!(next != Some(due) || self.now > before, "a timeout is dealt with");
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Reply { request, reply } => {
                    let open = self.open_requests.iter().position(|open| *open == request);
                    self.open_requests.remove(open.expect("each request is answered once"));
                    self.answered(&reply);
                }
                Output::Event(event) => self.event(event),
                // The probe's answer is the upgrading link's own.
                Output::Send { frame: Frame::Text(text), .. } if text == "3probe" => {}
                Output::Send { frame: Frame::Text(text), .. } => self.came_out(&text, false),
                Output::Send { frame: Frame::Binary(data), .. } => self.came_out(&data, true),
                _ => {}
            }
        }
        assert_eq!(self.session.is_closed(), self.closed, "a session that ends says so");
        assert_eq!(self.session.poll_timeout().is_none(), self.closed);
        assert!(!self.closed || !self.session.writable());
    }

    fn event(&mut self, event: Event) {
        assert!(!self.closed, "nothing happens after the end");
        match event {
            Event::Connect { nsp, .. } => {
                assert!(!self.joined.contains(&nsp.to_string()) && !self.asked.contains(&nsp.to_string()));
                self.asked.push(nsp.to_string());
                assert!(self.asked.len() + self.joined.len() <= 3);
            }
            Event::Message { nsp, attachments, .. } | Event::Ack { nsp, attachments, .. } => {
                assert!(self.joined.contains(&nsp.to_string()), "events come from joined namespaces only");
                assert!(attachments.iter().map(Bytes::len).sum::<usize>() <= self.max_payload);
            }
            Event::Disconnect { nsp } => {
                assert!(self.joined.contains(&nsp.to_string()));
                self.joined.retain(|joined| *joined != *nsp);
            }
            Event::Closed { .. } => self.closed = true,
            _ => {}
        }
    }

    /// Whatever came before: a session that is left alone ends, and leaves no request open.
    fn end(&mut self) {
        self.wait(Duration::from_secs(100));
        assert!(self.closed, "nobody answered its pings");
        assert!(self.open_requests.is_empty(), "open: {:?}", self.open_requests);
    }
}

// Virtual time needs one real instant to count from.
fn now() -> Instant {
    Instant::now()
}
