//! An echo server: what the test suites of the Socket.IO and Engine.IO protocols ask of one.
//!
//! `cargo run --example echo`. On `/` and `/custom` it greets with `auth` and the handshake's payload; `message` comes
//! back as `message-back`; `message-with-ack` is acknowledged with its arguments; `emit-with-ack` is emitted back
//! with an acknowledgement asked for, and once more with what that brings. `ENGINE_ONLY=1`: Engine.IO alone at
//! `/engine.io/`, every message comes back. `DRIVER=mounted`: inside an ordinary actix-web app. PORT (3000),
//! PING_INTERVAL_MS (300), PING_TIMEOUT_MS (200), CONNECT_TIMEOUT_MS (1000), MAX_PAYLOAD_BYTES (1000000) are heeded.

use std::{env, io, net::TcpListener, str::FromStr, sync::Arc, time::Duration, time::Instant};

use actix_web::{App, HttpResponse, HttpServer, dev::RequestHead, rt};
use bytes::Bytes;
use chat_socketio_actix::protocol::{Acks, Config, Event, Namespace, Outgoing, Protocol, packet};
use chat_socketio_actix::{
    Application, Client, Io, Options, Origins, ServeOptions, SocketIo, random_id, serve,
};

/// How long after the answer to CONNECT the greeting goes: the suites wait for one message after another, and miss a
/// second one that comes in the same read.
const GREETING: Duration = Duration::from_millis(20);
/// How long a client may take to acknowledge an event.
const ACK_TIMEOUT: Duration = Duration::from_secs(10);

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

impl Peer {
    fn greet(&mut self, io: &Io<'_>) {
        self.greet_at = None;
        self.greetings.drain(..).for_each(|greeting| io.send(greeting));
    }
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
                let text = match (&*args.name(), ack, attachments.len()) {
                    ("message", _, _) => {
                        return io.send(emit(&nsp, "message-back", &texts, None, attachments));
                    }
                    ("message-with-ack", Some(id), 0) => packet::encode_ack(&nsp, id, &texts),
                    ("message-with-ack", Some(id), count) => {
                        packet::encode_binary_ack(&nsp, id, &texts, count)
                    }
                    ("emit-with-ack", _, _) => {
                        let id = self.acks.ask(&nsp, io.now + ACK_TIMEOUT, ());
                        return io.send(emit(&nsp, "emit-with-ack", &texts, id, attachments));
                    }
                    _ => return,
                };
                io.send(Outgoing { text, attachments });
            }
            Event::Ack { nsp, id, args, attachments } if self.acks.answer(&nsp, id).is_some() => {
                let texts: Vec<&[u8]> = args.iter().map(str::as_bytes).collect();
                io.send(emit(&nsp, "emit-with-ack", &texts, None, attachments));
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

fn emit(nsp: &Namespace, name: &str, args: &[&[u8]], ack: Option<u64>, attachments: Vec<Bytes>) -> Outgoing {
    let text = match attachments.len() {
        0 => packet::encode_event(nsp, name, args, ack),
        count => packet::encode_binary_event(nsp, name, args, ack, count),
    };
    Outgoing { text, attachments }
}

fn setting<T: FromStr>(name: &str, default: T) -> T {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn millis(name: &str, default: u64) -> Duration {
    Duration::from_millis(setting(name, default))
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let bare = setting("ENGINE_ONLY", 0) == 1;
    let connect_timeout = millis("CONNECT_TIMEOUT_MS", 1_000);
    let engine = Config {
        protocol: if bare { Protocol::EngineIo } else { Protocol::SocketIo },
        ping_interval: millis("PING_INTERVAL_MS", 300),
        ping_timeout: millis("PING_TIMEOUT_MS", 200),
        connect_timeout,
        upgrade_timeout: connect_timeout,
        attachments_timeout: connect_timeout,
        max_payload: setting("MAX_PAYLOAD_BYTES", 1_000_000),
        ..Config::default()
    };
    let path = if bare { "/engine.io" } else { "/socket.io" }.to_owned();
    let socket_io =
        SocketIo::new(Arc::new(Echo), Options { path, engine, origins: Origins::Any, ..Options::default() });
    let background = socket_io.clone();
    rt::spawn(async move { background.background().await });
    let listener = TcpListener::bind(("127.0.0.1", setting("PORT", 3_000)))?;
    eprintln!("listens on http://{}", listener.local_addr()?);
    // The suites send requests side by side and count on their order.
    let options = ServeOptions { workers: 1, ..ServeOptions::default() };
    if env::var("DRIVER").is_ok_and(|driver| driver == "mounted") {
        let app = move || App::new().configure(|config| socket_io.configure(config));
        let server = HttpServer::new(app).workers(1).h1_allow_half_closed(false).tcp_nodelay(true);
        return server.listen(listener)?.run().await;
    }
    serve(&socket_io, vec![listener], &options, |_| {})?.await
}
