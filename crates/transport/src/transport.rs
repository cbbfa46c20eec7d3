//! The transport as the server and embedders see it: mount it, run its background work, drain it.

use std::{
    future::{Future, ready},
    sync::Arc,
    time::Duration,
};

use actix_web::web::{Data, ServiceConfig};
use chat_domain::{
    Chat,
    ports::{Clock, RateLimiter, StoreHealth},
};
use chat_socketio_actix::SocketIo;
use tokio::time::MissedTickBehavior;

use crate::{Hub, Settings, app::App, rest};

/// How often graces and typing are looked at.
const TICK: Duration = Duration::from_millis(200);
/// How often presence is written behind.
const FLUSH: Duration = Duration::from_secs(2);

/// REST and Socket.IO for one chat. Cheap to clone; every worker mounts the same one.
#[derive(Clone)]
pub struct Transport {
    app: Arc<App>,
    socket_io: SocketIo<App>,
}

impl Transport {
    /// Joins a chat with the hub that its bus delivers to. Without a limiter nothing is too often.
    pub fn new(
        chat: Arc<Chat>,
        hub: Arc<Hub>,
        health: Arc<dyn StoreHealth>,
        clock: Arc<dyn Clock>,
        limiter: Option<Arc<dyn RateLimiter>>,
        settings: Settings,
    ) -> Self {
        let options = settings.socket_io();
        hub.continue_from(|| chat.recovery.numbering());
        let incoming = Arc::clone(&options.incoming);
        let app = Arc::new(App::new(chat, hub, health, clock, limiter, settings, incoming));
        Self { socket_io: SocketIo::new(Arc::clone(&app), options), app }
    }

    /// Mounts `/health`, `/ready`, `/api` and `/socket.io/` into an actix-web app.
    ///
    /// The server should set `HttpServer::tcp_nodelay(true)`, or messages wait for acknowledgements of those
    /// before them, and `h1_allow_half_closed(false)`, so that a long-polling client that goes away is noticed.
    pub fn configure(&self, config: &mut ServiceConfig) {
        self.configure_rest(config);
        self.socket_io.configure(config);
    }

    /// Mounts what is beside Socket.IO.
    pub(crate) fn configure_rest(&self, config: &mut ServiceConfig) {
        config.app_data(Data::from(Arc::clone(&self.app)));
        rest::configure(config);
    }

    pub(crate) fn socket_io(&self) -> &SocketIo<App> {
        &self.socket_io
    }

    /// A handler for all other paths: `not_found` in the contract's shape.
    pub async fn not_found(request: actix_web::HttpRequest) -> actix_web::HttpResponse {
        rest::not_found(request).await
    }

    /// What has to happen by itself: graces end, typing ends, presence is batched and written behind. Runs
    /// until it is dropped.
    pub async fn background(&self) {
        let ticking = every(TICK, || {
            self.app.chat.presence.tick();
            self.app.chat.typing.tick();
            self.app.hub.sweep();
            ready(())
        });
        // Beside the ticks: a store that hangs holds up neither graces nor typing.
        let flushing = every(FLUSH, || self.app.flush_presence());
        let batching = self.app.hub.batch_presence();
        futures_util::future::join4(ticking, flushing, self.socket_io.background(), batching).await;
    }

    /// From here on `/ready` answers 503 and no new session is opened.
    pub fn start_drain(&self) {
        self.app.start_drain();
        self.socket_io.start_drain();
    }

    /// Closes every session over a second, each after its events are finished, and waits until all are gone.
    /// The caller bounds the wait by its deadline.
    pub async fn drain(&self) {
        self.start_drain();
        self.socket_io.drain().await;
        self.app.until_idle().await;
        self.app.chat.presence.tick();
        self.app.flush_presence().await;
    }
}

/// Does something again and again.
async fn every<F: Future<Output = ()>>(period: Duration, mut work: impl FnMut() -> F) {
    let mut tick = tokio::time::interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        work().await;
    }
}
