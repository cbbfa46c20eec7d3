//! The target `session`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chat_socketio::session::{
    CloseReason, Event, Frame, Input, LinkId, Outgoing, Output, RequestId, Session, Transport,
};
use chat_socketio::{Config, Reply};

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

    fn answered(&mut self, reply: &Reply) {
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
pub(super) fn now() -> Instant {
    Instant::now()
}
