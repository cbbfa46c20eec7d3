//! A session with its embedder's half simulated, in virtual time: every output becomes a line of text.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chat_socketio::{Config, Event, Frame, Input, LinkId, Outgoing, Output, RequestId, Session, Transport};

/// The moment at which every simulation begins.
#[expect(clippy::disallowed_methods, reason = "virtual time needs one real instant to count from")]
pub(crate) fn beginning() -> Instant {
    Instant::now()
}

pub(crate) struct Peer {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    pub(crate) events: Vec<Event>,
    lines: Vec<String>,
}

impl Peer {
    /// A polling session whose OPEN is still to be fetched.
    pub(crate) fn polling() -> Self {
        Self::new(Transport::Polling, Config::default())
    }

    /// A session on link 1 whose OPEN was taken.
    pub(crate) fn websocket() -> Self {
        let mut peer = Self::new(Transport::WebSocket(LinkId(1)), Config::default());
        peer.take();
        peer
    }

    /// A session on link 1 that has joined `/`.
    pub(crate) fn joined() -> Self {
        let mut peer = Self::websocket();
        peer.text(1, "40");
        peer.accept("/");
        peer.take();
        peer
    }

    /// A polling session that has joined `/`, with no request open.
    pub(crate) fn joined_polling() -> Self {
        let mut peer = Self::polling();
        peer.get(1);
        peer.post(2, "40");
        peer.accept("/");
        peer.get(3);
        peer.take();
        peer
    }

    pub(crate) fn new(transport: Transport, config: Config) -> Self {
        let now = beginning();
        let session = Session::new(Arc::new(config), "the-sid", transport, now);
        let mut peer = Self { session, now, events: Vec::new(), lines: Vec::new() };
        peer.drain();
        peer
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.session.handle(self.now, input);
        self.drain();
    }

    pub(crate) fn get(&mut self, request: u64) {
        self.input(Input::Get { request: RequestId(request) });
    }

    pub(crate) fn post(&mut self, request: u64, body: &str) {
        let body = Bytes::copy_from_slice(body.as_bytes());
        self.input(Input::Post { request: RequestId(request), body });
    }

    pub(crate) fn text(&mut self, link: u64, data: &str) {
        let data = Bytes::copy_from_slice(data.as_bytes());
        self.input(Input::Text { link: LinkId(link), data });
    }

    pub(crate) fn binary(&mut self, link: u64, data: &[u8]) {
        let data = Bytes::copy_from_slice(data);
        self.input(Input::Binary { link: LinkId(link), data });
    }

    pub(crate) fn upgrade(&mut self, link: u64) {
        self.input(Input::Upgrade { link: LinkId(link) });
    }

    pub(crate) fn accept(&mut self, nsp: &str) -> bool {
        let accepted = self.session.accept(self.now, nsp, "the-id");
        self.drain();
        accepted
    }

    pub(crate) fn accept_recoverable(&mut self, nsp: &str, pid: &str) -> bool {
        let accepted = self.session.accept_recoverable(self.now, nsp, "the-id", pid);
        self.drain();
        accepted
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.session.send(self.now, Outgoing::from(Bytes::copy_from_slice(text.as_bytes())));
        self.drain();
    }

    /// Lets time pass; timeouts are fed exactly when they are due.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.input(Input::Timeout);
        }
        self.now = end;
    }

    /// The lines since the last call.
    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// Sees to it that exactly these lines came since the last call.
    #[track_caller]
    pub(crate) fn expect(&mut self, lines: &[&str]) {
        assert_eq!(self.take(), lines);
    }

    /// Takes the outputs of calls that were made on the session itself.
    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            let line = self.line(output);
            self.lines.push(line);
        }
    }

    fn line(&mut self, output: Output) -> String {
        match output {
            Output::Reply { request, reply } => {
                format!("reply {} {} {}", request.0, reply.status, printable(&reply.body))
            }
            Output::Send { link, frame: Frame::Text(data) } => {
                format!("send {} {}", link.0, printable(&data))
            }
            Output::Send { link, frame: Frame::Binary(data) } => format!("send {} {data:?}", link.0),
            Output::CloseLink { link, code } => format!("close link {} {code}", link.0),
            Output::Event(event) => {
                self.events.push(event.clone());
                describe(&event)
            }
            other => format!("{other:?}"),
        }
    }
}

fn printable(data: &[u8]) -> String {
    String::from_utf8_lossy(data).replace('\u{1e}', "|")
}

fn describe(event: &Event) -> String {
    match event {
        Event::Connect { nsp, auth } => {
            let auth = auth.as_deref().map_or("-".into(), String::from_utf8_lossy);
            format!("connect {} {auth}", nsp.as_str())
        }
        Event::Message { nsp, ack, args, attachments } => {
            let ack = ack.map_or("-".into(), |ack| ack.to_string());
            let list: Vec<&str> = args.iter().collect();
            format!("message {} {ack} {} [{}] {attachments:?}", nsp.as_str(), args.name(), list.join(","))
        }
        Event::Ack { nsp, id, args, attachments } => {
            let list: Vec<&str> = args.iter().collect();
            format!("ack {} {id} [{}] {attachments:?}", nsp.as_str(), list.join(","))
        }
        Event::Disconnect { nsp } => format!("disconnect {}", nsp.as_str()),
        Event::Closed { reason } => format!("closed {}", reason.as_str()),
        other => format!("{other:?}"),
    }
}
