//! A bare Engine.IO server that sends every message back, on any driver and a free port.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::{RequestHead, ServerHandle},
    rt,
};
use chat_socketio_actix::protocol::{Config, Event, Outgoing, Protocol};
use chat_socketio_actix::{Application, Budget, Client, Io, Options, ServeOptions, SocketIo, serve};

use crate::tls;

/// What carries WebSockets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Driver {
    Mounted,
    Owned,
    /// The owned one in TLS.
    Tls,
}

struct Echo;

impl Application for Echo {
    type Client = Peer;

    fn open(self: &Arc<Self>, _request: &RequestHead) -> Result<Peer, Box<HttpResponse>> {
        Ok(Peer)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Instant {
        Instant::now()
    }
}

struct Peer;

impl Client for Peer {
    fn on_event(&mut self, io: &mut Io<'_>, event: Event) {
        match event {
            Event::Text(text) => io.send(Outgoing::text(&text)),
            Event::Binary(data) => io.send(Outgoing::binary(data)),
            Event::Closed { .. } | _ => {}
        }
    }
}

pub(crate) struct Host {
    driver: Driver,
    address: SocketAddr,
    stop: ServerHandle,
}

impl Host {
    /// One that takes messages of up to `max_payload` bytes.
    pub(crate) fn start(driver: Driver, max_payload: usize) -> Self {
        let engine = Config {
            protocol: Protocol::EngineIo,
            max_payload,
            ping_interval: Duration::from_secs(600),
            ..Config::default()
        };
        let options = Options {
            path: "/engine.io".to_owned(),
            engine,
            outbox_bytes: 4 * max_payload,
            incoming: Budget::new(4 * max_payload),
            outgoing: Budget::new(4 * max_payload),
            ..Options::default()
        };
        let socket_io = SocketIo::new(Arc::new(Echo), options);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        Self { driver, address, stop: run(driver, socket_io, listener) }
    }

    pub(crate) fn driver(&self) -> Driver {
        self.driver
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let stop = self.stop.clone();
        rt::System::new().block_on(stop.stop(false));
    }
}

/// Serves on a thread of its own until it is stopped.
fn run(driver: Driver, socket_io: SocketIo<Echo>, listener: TcpListener) -> ServerHandle {
    let (handles, handle) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server = match driver {
                Driver::Owned | Driver::Tls => {
                    let tls = matches!(driver, Driver::Tls).then(tls::server);
                    let options = ServeOptions { workers: 1, tls, ..ServeOptions::default() };
                    serve(&socket_io, vec![listener], &options, |_| {}).unwrap()
                }
                Driver::Mounted => {
                    let app = move || App::new().configure(|config| socket_io.configure(config));
                    let server = HttpServer::new(app).workers(1).disable_signals().tcp_nodelay(true);
                    server.h1_allow_half_closed(false).listen(listener).unwrap().run()
                }
            };
            handles.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    handle.recv().unwrap()
}
