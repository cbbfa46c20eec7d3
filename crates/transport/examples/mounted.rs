//! REST and Socket.IO inside somebody's own actix-web app, on a store in memory.
//!
//! `cargo run -p chat-transport --example mounted`, then register over `POST /api/auth/register` and connect any
//! Socket.IO client. PORT sets the port (5000).

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Instant,
};

use actix_web::{App, HttpServer, rt, web};
use chat_domain::{
    Chat, ChatSettings, Delivery, Deps,
    model::{Event, Limits, ObjectId, Timestamp},
    ports::{Clock, EventBus, EventSink, IdSource},
};
use chat_testkit::{FakeHasher, FakeSeals, FakeTokens, MemoryStore};
use chat_transport::{Hub, Settings, Transport};

/// A bus of one process: events go straight to the hub.
#[derive(Default)]
struct Direct(OnceLock<Arc<Hub>>);

impl EventBus for Direct {
    fn publish(&self, event: Event) {
        if let Some(hub) = self.0.get() {
            hub.deliver(&event);
        }
    }
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

struct RandomIds;

impl IdSource for RandomIds {
    fn next_id(&self) -> ObjectId {
        let mut bytes = [0; 12];
        if getrandom::fill(&mut bytes).is_err() {
            std::process::abort();
        }
        ObjectId::from_bytes(bytes)
    }
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let (clock, bus) = (Arc::new(SystemClock), Arc::new(Direct::default()));
    let store = MemoryStore::new(clock.clone(), Arc::new(Delivery::new(bus.clone())));
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
        ids: Arc::new(RandomIds),
        limits: Limits::default(),
        settings: ChatSettings::default(),
    }));
    let settings = Settings::default();
    let hub = Hub::new(&settings, clock.clone());
    let _first = bus.0.set(hub.clone());
    let transport = Transport::new(chat, hub, store, clock, None, settings);
    let background = transport.clone();
    rt::spawn(async move { background.background().await });
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(5000);
    HttpServer::new(move || {
        App::new()
            .configure(|config| transport.configure(config))
            .route("/", web::get().to(|| async { "my own page" }))
    })
    .h1_allow_half_closed(false)
    .tcp_nodelay(true)
    .bind(("127.0.0.1", port))?
    .run()
    .await
}
