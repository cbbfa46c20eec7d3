//! What every handler and socket shares: the chat, the hub, the settings, and how what is under way ends.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use actix_web::{HttpResponse, dev::RequestHead};
use chat_domain::{
    Chat, ChatError,
    ports::{Clock, RateLimiter, RateSubject, StoreHealth},
};
use chat_socketio_actix::{Application, Budget, HttpError};
use tokio::{runtime::Handle, sync::Notify};

use crate::{
    Hub, Settings, bearer,
    places::{Place, Places},
    reply,
    socket::{Pipeline, Socket},
};

/// After which time another session of an address that has its most may be tried: nobody knows when one ends.
const FULL_ADDRESS_WAIT: Duration = Duration::from_secs(5);

/// What every handler and socket shares.
pub(crate) struct App {
    pub(crate) chat: Arc<Chat>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) health: Arc<dyn StoreHealth>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limiter: Option<Arc<dyn RateLimiter>>,
    pub(crate) settings: Settings,
    pub(crate) started: Instant,
    /// What request bodies and messages that are not whole yet may hold together.
    pub(crate) incoming: Arc<Budget>,
    places: Arc<Places>,
    draining: AtomicBool,
    busy: AtomicUsize,
    done: Notify,
    // An async lock: it is held over the store's answer, and nobody else's work waits for it.
    flushing: tokio::sync::Mutex<()>,
}

impl App {
    pub(crate) fn new(
        chat: Arc<Chat>,
        hub: Arc<Hub>,
        health: Arc<dyn StoreHealth>,
        clock: Arc<dyn Clock>,
        limiter: Option<Arc<dyn RateLimiter>>,
        settings: Settings,
        incoming: Arc<Budget>,
    ) -> Self {
        Self {
            chat,
            hub,
            health,
            started: clock.instant(),
            clock,
            limiter,
            settings,
            incoming,
            places: Arc::default(),
            draining: AtomicBool::new(false),
            busy: AtomicUsize::new(0),
            done: Notify::new(),
            flushing: tokio::sync::Mutex::default(),
        }
    }

    /// Counts one for the subject.
    ///
    /// # Errors
    /// `rate_limited`, with the wait.
    pub(crate) fn count(&self, subject: &RateSubject) -> Result<(), ChatError> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.take(subject).map_err(|retry_after| ChatError::RateLimited { retry_after })
    }

    /// From here on the server is not ready.
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

    /// Waits until nothing is under way.
    pub(crate) async fn until_idle(&self) {
        loop {
            let mut done = pin!(self.done.notified());
            // Enabled before the look, so that an end between the two is not missed.
            done.as_mut().enable();
            if self.busy.load(Ordering::Relaxed) == 0 {
                return;
            }
            done.await;
        }
    }
}

impl App {
    /// A place for a session that begins with this request, unless its address begins or has too many.
    fn admit(&self, request: &RequestHead) -> Result<Place, ChatError> {
        let address = self.settings.trusted_proxies.client(request);
        self.count(&RateSubject::Handshakes(address))?;
        let place = self.places.take(address, self.settings.max_sockets_per_address);
        place.ok_or(ChatError::RateLimited { retry_after: FULL_ADDRESS_WAIT })
    }
}

impl Application for App {
    type Client = Socket;

    fn open(self: &Arc<Self>, request: &RequestHead) -> Result<Socket, Box<HttpResponse>> {
        let place = self.admit(request).map_err(|refused| Box::new(reply::error(&refused)))?;
        let opening = bearer::opening(request, self.settings.query_token);
        Ok(Socket::new(Arc::clone(self), place, opening))
    }

    fn now(&self) -> Instant {
        self.clock.instant()
    }

    fn refuse(&self, error: HttpError) -> HttpResponse {
        reply::error(&reply::by_blame(error))
    }
}

/// Something is under way.
pub(crate) struct Busy(Arc<App>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
        self.0.done.notify_waiters();
    }
}
