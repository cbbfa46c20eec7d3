//! A chat on a store in memory, served by any driver on a free port.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use actix_web::{App, HttpServer, dev::ServerHandle, rt};
use chat_domain::{
    Chat, ChatSettings, Delivery, Deps,
    model::{Event, Limits, Timestamp, UserId},
    ports::{Clock, EventBus, EventSink, Tokens, Users},
};
use chat_testkit::{FakeHasher, FakeSeals, FakeTokens, MemoryStore, SequentialIds, build};
use chat_transport::{Hub, ServeOptions, Settings, Transport, serve};
use rustix::net::sockopt::set_socket_send_buffer_size;

use crate::tls;

/// What the system holds of a connection's answers, at least: much less than TLS does.
const SEND_BUFFER: usize = 16_384;

/// What carries WebSockets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Driver {
    Mounted,
    Owned,
    /// The owned one in TLS.
    Tls,
}

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// A bus of one process.
#[derive(Default)]
struct Direct(OnceLock<Arc<Hub>>);

impl EventBus for Direct {
    fn publish(&self, event: Event) {
        if let Some(hub) = self.0.get() {
            hub.deliver(&event);
        }
    }
}

pub(crate) struct Host {
    driver: Driver,
    address: SocketAddr,
    users: Vec<UserId>,
    hub: Arc<Hub>,
    transport: Transport,
    stop: ServerHandle,
}

impl Host {
    pub(crate) fn start(driver: Driver) -> Self {
        Self::with(driver, Settings::default())
    }

    pub(crate) fn with(driver: Driver, settings: Settings) -> Self {
        let (clock, bus) = (Arc::new(SystemClock), Arc::new(Direct::default()));
        let store = MemoryStore::new(clock.clone(), Arc::new(Delivery::new(bus.clone())));
        let ids = Arc::new(SequentialIds::new());
        let users: Vec<UserId> = ["ada", "bob"].map(|name| insert(&store, ids.user(), name)).into();
        let chat = Arc::new(Chat::new(Deps {
            users: store.clone(),
            log: store.clone(),
            messages: store.clone(),
            conversations: store.clone(),
            changes: store.clone(),
            replays: None,
            blocks: store.clone(),
            passwords: Arc::new(FakeHasher),
            tokens: Arc::new(FakeTokens),
            seals: Arc::new(FakeSeals),
            bus: bus.clone(),
            clock: clock.clone(),
            ids,
            limits: Limits::default(),
            settings: ChatSettings::default(),
        }));
        let settings = Settings { outbox_bytes: 64 * 1024, ..settings };
        let hub = Hub::new(&settings, clock.clone());
        let _first = bus.0.set(hub.clone());
        let transport = Transport::new(chat, hub.clone(), store, clock, None, settings);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Connections take it over. What does not fit is where drivers differ.
        set_socket_send_buffer_size(&listener, SEND_BUFFER).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = run(driver, transport.clone(), listener);
        Self { driver, address, users, hub, transport, stop }
    }

    pub(crate) fn driver(&self) -> Driver {
        self.driver
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn user(&self, number: usize) -> UserId {
        self.users[number]
    }

    pub(crate) fn token(&self, number: usize) -> String {
        FakeTokens.issue(self.users[number], "", SystemClock.now()).unwrap().token
    }

    pub(crate) fn sockets(&self) -> usize {
        self.hub.sockets()
    }

    /// Waits until the hub has this many sockets.
    pub(crate) fn until_sockets(&self, count: usize) {
        let patience = SystemClock.instant() + Duration::from_secs(20);
        while self.sockets() != count {
            assert!(SystemClock.instant() < patience, "{} sockets, not {count}", self.sockets());
            thread::yield_now();
        }
    }

    /// Drains, and returns when all sessions are gone.
    pub(crate) fn drain(&self) {
        let transport = self.transport.clone();
        rt::System::new().block_on(async move { transport.drain().await });
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let stop = self.stop.clone();
        rt::System::new().block_on(stop.stop(false));
    }
}

fn insert(store: &MemoryStore, id: UserId, name: &str) -> UserId {
    rt::System::new().block_on(store.insert(build::new_user(id, name))).unwrap().id
}

/// Serves on a thread of its own until it is stopped.
fn run(driver: Driver, transport: Transport, listener: TcpListener) -> ServerHandle {
    let (handles, handle) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async move {
            let background = transport.clone();
            rt::spawn(async move { background.background().await });
            let server = match driver {
                Driver::Owned | Driver::Tls => {
                    let tls = matches!(driver, Driver::Tls).then(tls::server);
                    let options = ServeOptions { workers: 2, tls, ..ServeOptions::default() };
                    serve(&transport, vec![listener], &options, |_| {}).unwrap()
                }
                Driver::Mounted => {
                    let app = move || App::new().configure(|config| transport.configure(config));
                    let server = HttpServer::new(app).workers(2).disable_signals();
                    server.tcp_nodelay(true).h1_allow_half_closed(false).listen(listener).unwrap().run()
                }
            };
            handles.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    handle.recv().unwrap()
}
