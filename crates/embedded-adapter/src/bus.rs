//! The bus of a single node: every event goes straight to the sinks of this process.

use std::{fmt, sync::Arc};

use chat_ports::{EventBus, EventSink, model::Event};
use parking_lot::RwLock;

/// An [`EventBus`] within one process: `publish` calls every attached sink in turn, on the caller's
/// thread.
///
/// There is no queue, so nothing is dropped, and the events of one publisher arrive in its order. An
/// event that was published before a sink was attached does not reach it.
#[derive(Default)]
pub struct LocalBus {
    sinks: RwLock<Vec<Arc<dyn EventSink>>>,
}

impl LocalBus {
    /// A bus without a sink.
    pub fn new() -> Self {
        Self::default()
    }

    /// Delivers to this sink as well from now on. A sink must not attach another one while it takes
    /// an event.
    pub fn attach(&self, sink: Arc<dyn EventSink>) {
        self.sinks.write().push(sink);
    }
}

impl EventBus for LocalBus {
    fn publish(&self, event: Event) {
        for sink in self.sinks.read().iter() {
            sink.deliver(&event);
        }
    }
}

impl fmt::Debug for LocalBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBus").field("sinks", &self.sinks.read().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use chat_ports::model::UserId;
    use parking_lot::Mutex;

    use super::*;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<Event>>);

    impl EventSink for Recorder {
        fn deliver(&self, event: &Event) {
            self.0.lock().push(event.clone());
        }
    }

    #[test]
    fn every_sink_gets_every_event_in_the_order_of_publishing() {
        let (bus, one, two) = (LocalBus::new(), Arc::new(Recorder::default()), Arc::new(Recorder::default()));
        bus.attach(one.clone());
        bus.attach(two.clone());
        let user = |byte| Event::Offline { user: UserId::from_bytes([byte; 12]), username: "x".into() };
        (1..=3).for_each(|byte| bus.publish(user(byte)));
        assert_eq!(*one.0.lock(), (1..=3).map(user).collect::<Vec<_>>());
        assert_eq!(*one.0.lock(), *two.0.lock());
    }
}
