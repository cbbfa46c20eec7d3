//! Governor's clock, told by the port's.

use std::{sync::Arc, time::Instant};

use governor::{clock, nanos::Nanos};

/// Nanoseconds since the limiter was made. One word large: every socket's meter has one.
#[derive(Clone)]
pub(crate) struct PortClock(Arc<Origin>);

struct Origin {
    clock: Arc<dyn chat_ports::Clock>,
    start: Instant,
}

impl PortClock {
    pub(crate) fn new(clock: Arc<dyn chat_ports::Clock>) -> Self {
        let start = clock.instant();
        Self(Arc::new(Origin { clock, start }))
    }
}

impl clock::Clock for PortClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.clock.instant().saturating_duration_since(self.0.start).into()
    }
}
