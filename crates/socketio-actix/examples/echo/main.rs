//! An echo server: what the test suites of the Socket.IO and Engine.IO protocols ask of one.
//!
//! `cargo run --example echo`. On `/` and `/custom` it greets with `auth` and the handshake's payload; `message` comes
//! back as `message-back`; `message-with-ack` is acknowledged with its arguments; `emit-with-ack` is emitted back
//! with an acknowledgement asked for, and once more with what that brings. `ENGINE_ONLY=1`: Engine.IO alone, every message comes back.

mod host;

use std::{io, sync::Arc, time::Duration, time::Instant};

use actix_web::{HttpResponse, dev::RequestHead};
use bytes::Bytes;
use chat_socketio_actix::protocol::{Acks, Event, Outgoing, packet};
use chat_socketio_actix::{Application, Client, Io, random_id};

/// How long after the answer to CONNECT the greeting goes: the suites wait for one message after another, and miss a
/// second one that comes in the same read.
const GREETING: Duration = Duration::from_millis(20);
/// How long a client may take to acknowledge an event.
const ACK_TIMEOUT: Duration = Duration::from_secs(10);

#[actix_web::main]
async fn main() -> io::Result<()> {
    host::run(Arc::new(Echo)).await
}

struct Echo;

impl Application for Echo {
    type Client = Peer;

    fn open(self: &Arc<Self>, _request: &RequestHead) -> Result<Peer, Box<HttpResponse>> {
        Ok(Peer { acks: Acks::new(1_000), greetings: Vec::new(), greet_at: None })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// One session.
struct Peer {
    acks: Acks<()>,
    greetings: Vec<Bytes>,
    greet_at: Option<Instant>,
}

impl Client for Peer {
    fn on_event(&mut self, io: &mut Io<'_>, event: Event) {
        // Before what is sent in answer.
        self.greet(io);
        match event {
            Event::Connect { nsp, auth } if matches!(&*nsp, "/" | "/custom") => {
                io.session.accept(io.now, &nsp, &random_id());
                let auth = auth.as_deref().unwrap_or(b"{}");
                self.greetings.push(packet::encode_event(&nsp, "auth", &[auth], None));
                self.greet_at = Some(io.now + GREETING);
            }
            Event::Connect { nsp, .. } => io.session.refuse(io.now, &nsp, "Invalid namespace", None),
            Event::Message { nsp, ack, args, attachments } => {
                let texts: Vec<&[u8]> = args.iter().map(str::as_bytes).collect();
                match (&*args.name(), ack) {
                    ("message", _) => {
                        io.send(Outgoing::event(&nsp, "message-back", &texts, None, attachments));
                    }
                    ("message-with-ack", Some(id)) => io.send(Outgoing::ack(&nsp, id, &texts, attachments)),
                    ("emit-with-ack", _) => {
                        let id = self.acks.ask(&nsp, io.now + ACK_TIMEOUT, ());
                        io.send(Outgoing::event(&nsp, "emit-with-ack", &texts, id, attachments));
                    }
                    _ => {}
                }
            }
            Event::Ack { nsp, id, args, attachments } if self.acks.answer(&nsp, id).is_some() => {
                let texts: Vec<&[u8]> = args.iter().map(str::as_bytes).collect();
                io.send(Outgoing::event(&nsp, "emit-with-ack", &texts, None, attachments));
            }
            Event::Disconnect { nsp } => self.acks.leave(&nsp),
            Event::Text(text) => io.send(Outgoing::text(&text)),
            Event::Binary(data) => io.send(Outgoing::binary(data)),
            Event::Ack { .. } | Event::Closed { .. } | _ => {}
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.acks.poll_timeout().into_iter().chain(self.greet_at).min()
    }

    fn on_timeout(&mut self, io: &mut Io<'_>) {
        if self.greet_at.is_some_and(|at| at <= io.now) {
            self.greet(io);
        }
        while self.acks.late(io.now).is_some() {}
    }
}

impl Peer {
    fn greet(&mut self, io: &Io<'_>) {
        self.greet_at = None;
        self.greetings.drain(..).for_each(|greeting| io.send(greeting));
    }
}
