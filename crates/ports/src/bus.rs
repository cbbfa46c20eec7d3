//! The ports through which events reach connected sockets.

use crate::model::Event;

/// Carries events to every node's sockets.
pub trait EventBus: Send + Sync {
    /// Takes an event. MUST NOT block and MUST NOT fail: what can't be carried is dropped (it is in the
    /// store). Events published one after the other MUST arrive at each [`EventSink`] in that order.
    fn publish(&self, event: Event);
}

/// Where a bus delivers: the hub of connected sockets.
pub trait EventSink: Send + Sync {
    /// Takes an event. MUST NOT block: a socket that can't keep up is closed, not waited for.
    fn deliver(&self, event: &Event);
}
