//! A bus that remembers what was published.

use std::sync::Arc;

use chat_ports::{EventBus, model::Event};
use parking_lot::Mutex;

/// Remembers every event, in the order of publishing, and delivers to nobody.
#[derive(Debug, Default)]
pub struct RecordingBus(Mutex<Vec<Event>>);

impl RecordingBus {
    /// A bus on which nothing was published yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Event> {
        self.0.lock().clone()
    }

    /// Forgets what was published, and answers it.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl EventBus for RecordingBus {
    fn publish(&self, event: Event) {
        self.0.lock().push(event);
    }
}
