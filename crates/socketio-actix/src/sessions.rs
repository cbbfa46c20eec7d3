//! The open sessions by id.

use std::{collections::HashMap, pin::pin, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{Application, connection::Connection};

/// The open sessions by id. An id that is not here is unknown, whatever it once named.
pub(crate) struct Sessions<A: Application> {
    // A short critical section, once an HTTP request and twice a session.
    by_sid: Mutex<HashMap<Box<str>, Arc<Connection<A>>>>,
    ended: Notify,
}

impl<A: Application> Default for Sessions<A> {
    fn default() -> Self {
        Self { by_sid: Mutex::default(), ended: Notify::new() }
    }
}

impl<A: Application> Sessions<A> {
    pub(crate) fn insert(&self, connection: &Arc<Connection<A>>) {
        self.by_sid.lock().insert(connection.sid().into(), Arc::clone(connection));
    }

    pub(crate) fn get(&self, sid: &str) -> Option<Arc<Connection<A>>> {
        self.by_sid.lock().get(sid).cloned()
    }

    pub(crate) fn remove(&self, sid: &str) {
        // Bound, so that a last reference is dropped after the lock.
        let _last = self.by_sid.lock().remove(sid);
        self.ended.notify_waiters();
    }

    pub(crate) fn all(&self) -> Vec<Arc<Connection<A>>> {
        self.by_sid.lock().values().cloned().collect()
    }

    /// Waits until no session is open.
    pub(crate) async fn until_none(&self) {
        loop {
            let mut ended = pin!(self.ended.notified());
            // Enabled before the look, so that an end between the two is not missed.
            ended.as_mut().enable();
            if self.by_sid.lock().is_empty() {
                return;
            }
            ended.await;
        }
    }
}
