//! Who is online: live presence, its events, and what of it is written behind.

mod book;
mod records;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chat_ports::{
    Clock, EventBus, PresenceRecord, Users,
    model::{Event, SocketId, Timestamp, User, UserId},
};
use parking_lot::Mutex;

use crate::{Deps, Identity, UserProfile, UserView, view::Live};
use book::{Book, Change};
use records::Records;

pub use book::{OnlineUser, OnlineUsers};

/// How a device went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// It said so: its user is offline at once, if it was the last one.
    Clean,
    /// Its link broke: it has a grace time to come back.
    Lost,
}

/// Live presence of this node's users. Cheap to clone; all clones are the same.
///
/// Events are published while the book is locked, so they leave in the order of the transitions;
/// an [`EventSink`](chat_ports::EventSink) that calls back into presence would wait for itself.
#[derive(Clone)]
pub struct Presence {
    shared: Arc<Shared>,
}

struct Shared {
    users: Arc<dyn Users>,
    bus: Arc<dyn EventBus>,
    clock: Arc<dyn Clock>,
    grace: Duration,
    /// Short, never held across an await; publishing under it keeps the order of transitions.
    state: Mutex<State>,
    flushing: AtomicBool,
}

#[derive(Default)]
struct State {
    book: Book,
    records: Records,
}

impl Presence {
    pub(crate) fn new(deps: &Deps) -> Self {
        Self {
            shared: Arc::new(Shared {
                users: Arc::clone(&deps.users),
                bus: Arc::clone(&deps.bus),
                clock: Arc::clone(&deps.clock),
                grace: deps.settings.presence_grace,
                state: Mutex::default(),
                flushing: AtomicBool::new(false),
            }),
        }
    }

    /// A device came, of a user who blocks these. The first one of a user publishes [`Event::Online`], unless
    /// the user was only away for less than the grace time.
    pub fn connect(&self, who: &Identity, socket: SocketId, blocked: &Arc<[UserId]>) {
        let now = self.shared.clock.now();
        let mut state = self.shared.state.lock();
        let change = state.book.connect(who.user, &who.username, socket, blocked, now);
        self.shared.apply(&mut state, change);
    }

    /// A device went. After the last one of a user [`Event::Offline`] is published: at once, or by
    /// [`tick`](Self::tick) when the grace of a lost link is over. An unknown socket is passed over.
    ///
    /// Answers whether the user has no device left.
    pub fn disconnect(&self, user: UserId, socket: &SocketId, departure: Departure) -> bool {
        let Shared { clock, grace, .. } = &*self.shared;
        let (now, instant) = (clock.now(), clock.instant());
        let until = match departure {
            Departure::Clean => None,
            Departure::Lost => Some(instant + *grace),
        };
        let mut state = self.shared.state.lock();
        let change = state.book.disconnect(user, socket, until, now, instant);
        self.shared.apply(&mut state, change);
        !state.book.has_device(user)
    }

    /// Ends the graces that are over.
    pub fn tick(&self) {
        let instant = self.shared.clock.instant();
        let mut state = self.shared.state.lock();
        while let Some(change) = state.book.end_grace(instant) {
            self.shared.apply(&mut state, Some(change));
        }
    }

    /// When the next grace is over: [`tick`](Self::tick) has nothing to do before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.shared.state.lock().book.next_deadline()
    }

    /// Whether a user has a device, or had one less than the grace time ago.
    #[must_use]
    pub fn is_online(&self, user: UserId) -> bool {
        self.shared.state.lock().book.is_online(user)
    }

    /// Hands over everybody who is online, while nobody can come or go: what `read` puts in a queue of
    /// its own stands before every later event. `read` must be short, and must not call presence.
    pub fn snapshot<R>(&self, read: impl FnOnce(OnlineUsers<'_>) -> R) -> R {
        read(self.shared.state.lock().book.online())
    }

    /// Writes changes behind, in batches. What fails is kept for the next time; two calls at once are one.
    pub async fn flush(&self) {
        let Some(_turn) = Turn::take(&self.shared.flushing) else { return };
        let mut left = self.shared.state.lock().records.len();
        while left > 0 {
            let batch = self.shared.state.lock().records.batch();
            left = left.saturating_sub(batch.len());
            if let Err(error) = self.shared.users.record_presence(batch.clone()).await {
                tracing::debug!(%error, "presence is written later");
                return;
            }
            self.shared.state.lock().records.written(&batch);
        }
    }

    /// Lays live presence over stored users.
    pub(crate) fn views(&self, stored: Vec<User>) -> Vec<UserView> {
        let state = self.shared.state.lock();
        stored.into_iter().map(|user| UserProfile::new(user, |id, seen| state.live(id, seen)).user).collect()
    }

    /// Lays live presence over a stored user.
    pub(crate) fn profile(&self, stored: User) -> UserProfile {
        UserProfile::new(stored, |id, seen| self.shared.state.lock().live(id, seen))
    }
}

impl Shared {
    fn apply(&self, state: &mut State, change: Option<Change>) {
        let Some(Change { user, last_seen, event }) = change else { return };
        let is_online = matches!(event, Event::Online { .. });
        state.records.put(PresenceRecord { user, is_online, last_seen });
        self.bus.publish(event);
    }
}

impl State {
    fn live(&self, user: UserId, stored: Option<Timestamp>) -> Live {
        let online = self.book.last_seen(user);
        let last_seen = online.or_else(|| self.records.last_seen(user)).or(stored);
        Live { is_online: online.is_some(), last_seen }
    }
}

/// The right to flush, given back on drop.
struct Turn<'a>(&'a AtomicBool);

impl<'a> Turn<'a> {
    fn take(taken: &'a AtomicBool) -> Option<Self> {
        (!taken.swap(true, Ordering::Acquire)).then_some(Self(taken))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
