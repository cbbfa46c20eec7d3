//! What every handler shares: the chat, the hub, the open sessions, the settings, and how they end.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chat_domain::{
    Chat,
    ports::{Clock, StoreHealth},
};
use chat_socketio::Config;
use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::Notify};

use crate::{
    Hub, Settings,
    connection::{Connection, Pipeline},
};

/// What every handler shares.
pub(crate) struct App {
    pub(crate) chat: Arc<Chat>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) health: Arc<dyn StoreHealth>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) engine: Arc<Config>,
    pub(crate) sessions: Sessions,
    pub(crate) started: std::time::Instant,
    draining: AtomicBool,
    busy: AtomicUsize,
    ended: Notify,
    // An async lock: it is held over the store's answer, and nobody else's work waits for it.
    flushing: tokio::sync::Mutex<()>,
}

impl App {
    pub(crate) fn new(
        chat: Arc<Chat>,
        hub: Arc<Hub>,
        health: Arc<dyn StoreHealth>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        Self {
            chat,
            hub,
            health,
            started: clock.instant(),
            clock,
            engine: Arc::new(settings.engine.clone()),
            settings,
            sessions: Sessions::default(),
            draining: AtomicBool::new(false),
            busy: AtomicUsize::new(0),
            ended: Notify::new(),
            flushing: tokio::sync::Mutex::default(),
        }
    }

    /// From here on new sessions are refused.
    pub(crate) fn start_drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// A session is over and events of it are still under way: they are finished without it. A message that
    /// was posted just before the close counts.
    pub(crate) fn finish(self: &Arc<Self>, mut pipeline: Pipeline) {
        if pipeline.is_empty() {
            self.ended.notify_waiters();
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let busy = self.enter();
        pipeline.hand_over();
        pipeline.forget_volatile();
        runtime.spawn(async move {
            let app = &busy.0;
            // Every event ends by its deadline; one look after the last one's is enough.
            let rest = poll_fn(|cx| {
                while let Poll::Ready(_unheard) = pipeline.poll(&app.chat, app.clock.instant(), cx) {}
                if pipeline.is_empty() { Poll::Ready(()) } else { Poll::Pending }
            });
            let limit = app.settings.send_timeout + Duration::from_secs(1);
            if tokio::time::timeout(limit, rest).await.is_err() {
                tracing::debug!("events of a closed session were given up");
            }
        });
    }

    /// Something is under way that a drain waits for, until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Writes presence behind. One at a time, so that whoever returns knows that what stood there is written.
    pub(crate) async fn flush_presence(&self) {
        let _turn = self.flushing.lock().await;
        self.chat.presence.flush().await;
    }

    /// Waits until no session is open and nothing is under way.
    pub(crate) async fn until_idle(&self) {
        loop {
            let mut ended = pin!(self.ended.notified());
            // Enabled before the look, so that an end between the two is not missed.
            ended.as_mut().enable();
            if self.sessions.is_empty() && self.busy.load(Ordering::Relaxed) == 0 {
                return;
            }
            ended.await;
        }
    }
}

/// Something is under way.
pub(crate) struct Busy(Arc<App>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
        self.0.ended.notify_waiters();
    }
}

/// The open sessions by id. An id that is not here is unknown, whatever it once named.
#[derive(Default)]
pub(crate) struct Sessions {
    // A short critical section, once an HTTP request and twice a session.
    by_sid: Mutex<HashMap<Box<str>, Arc<Connection>>>,
}

impl Sessions {
    pub(crate) fn insert(&self, connection: &Arc<Connection>) {
        self.by_sid.lock().insert(connection.sid().into(), Arc::clone(connection));
    }

    pub(crate) fn get(&self, sid: &str) -> Option<Arc<Connection>> {
        self.by_sid.lock().get(sid).cloned()
    }

    pub(crate) fn remove(&self, sid: &str) {
        // Bound, so that a last reference is dropped after the lock.
        let _last = self.by_sid.lock().remove(sid);
    }

    pub(crate) fn all(&self) -> Vec<Arc<Connection>> {
        self.by_sid.lock().values().cloned().collect()
    }

    fn is_empty(&self) -> bool {
        self.by_sid.lock().is_empty()
    }
}

/// An unguessable name of 20 characters: 120 random bits. Without the system's random source nothing may go on:
/// a name that can be guessed is somebody else's session.
pub(crate) fn random_id() -> String {
    let mut bytes = [0; 15];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the system gives no random bytes");
        std::process::abort();
    }
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
