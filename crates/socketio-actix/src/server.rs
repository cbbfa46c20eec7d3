//! The server as applications see it: mount it, run its background work, drain it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::web::{self, Data, ServiceConfig};
use chat_socketio::Config;
use tokio::time::MissedTickBehavior;

use crate::{Application, Options, compression::Compressor, engine, sessions::Sessions};

/// How often sessions are looked at whose driver stands still, and how late they must be.
const CATCH_UP: Duration = Duration::from_secs(5);
/// Over which time a drain closes its sessions.
const DRAIN_SPREAD: Duration = Duration::from_secs(1);

/// What all handlers and sessions of a server share.
pub(crate) struct Shared<A: Application> {
    pub(crate) application: Arc<A>,
    pub(crate) options: Options,
    pub(crate) engine: Arc<Config>,
    pub(crate) sessions: Sessions<A>,
    pub(crate) compressor: Compressor,
    draining: AtomicBool,
}

impl<A: Application> Shared<A> {
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// A Socket.IO server for one application. Cheap to clone; every worker mounts the same one.
pub struct SocketIo<A: Application> {
    shared: Arc<Shared<A>>,
}

impl<A: Application> Clone for SocketIo<A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<A: Application> SocketIo<A> {
    /// A server without sessions.
    pub fn new(application: Arc<A>, options: Options) -> Self {
        Self {
            shared: Arc::new(Shared {
                application,
                engine: Arc::new(options.engine.clone()),
                compressor: Compressor::new(options.compress_from),
                options,
                sessions: Sessions::default(),
                draining: AtomicBool::new(false),
            }),
        }
    }

    /// Mounts the server at its path into an actix-web app.
    ///
    /// The HTTP server should set `HttpServer::tcp_nodelay(true)`, or messages wait for acknowledgements of those
    /// before them, and `h1_allow_half_closed(false)`, so that a long-polling client that goes away is noticed.
    pub fn configure(&self, config: &mut ServiceConfig) {
        let path = &self.shared.options.path;
        for path in [format!("{path}/"), path.clone()] {
            let resource = web::resource(path).app_data(Data::from(Arc::clone(&self.shared)));
            config.service(resource.route(web::to(engine::serve::<A>)));
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<A>> {
        &self.shared
    }

    /// What has to happen by itself: sessions whose client does not read, so that nobody drives them, end in time.
    /// Runs until it is dropped.
    pub async fn background(&self) {
        let mut tick = tokio::time::interval(CATCH_UP);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.shared.sessions.all().iter().for_each(|session| session.catch_up(CATCH_UP));
        }
    }

    /// From here on no new session is opened.
    pub fn start_drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }

    /// Closes every session over a second, each after its events are finished, and waits until all are gone.
    /// The caller bounds the wait by its deadline.
    pub async fn drain(&self) {
        self.start_drain();
        let mut sessions = self.shared.sessions.all();
        // Ids are random: in their order, sessions are spread over time like dice would do it.
        sessions.sort_by(|a, b| a.sid().cmp(b.sid()));
        let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX).max(1);
        let pause = DRAIN_SPREAD / count;
        let mut owed = Duration::ZERO;
        for session in sessions {
            session.leave();
            owed += pause;
            if owed >= Duration::from_millis(5) {
                tokio::time::sleep(std::mem::take(&mut owed)).await;
            }
        }
        self.shared.sessions.until_none().await;
    }
}
