//! Turns what became durable into events for connected sockets.

use std::sync::Arc;

use chat_ports::{Commit, CommitListener, Committed, EventBus, ReceiptSpan, model::Event};

/// The link between a store and the bus: given to the store when it is opened.
///
/// It publishes in commit order, so every device sees a conversation in the order of `seq`.
pub struct Delivery {
    bus: Arc<dyn EventBus>,
}

impl Delivery {
    /// Delivers through this bus.
    #[must_use]
    pub fn new(bus: Arc<dyn EventBus>) -> Self {
        Self { bus }
    }
}

impl CommitListener for Delivery {
    fn committed(&self, commits: Vec<Committed>) {
        for committed in commits {
            match event(committed) {
                Some(event) => self.bus.publish(event),
                None => tracing::error!("a commit of an unknown kind is not delivered"),
            }
        }
    }
}

/// What connected sockets are told of a commit.
pub(crate) fn event(Committed { commit, number }: Committed) -> Option<Event> {
    match commit {
        Commit::Sent { message, except } => Some(Event::Message { message, except, number }),
        Commit::Receipt { kind, receiver, span, except } => {
            let ReceiptSpan { conversation: _, sender, count: _, messages } = span;
            Some(Event::Receipt { kind, receiver, sender, messages, except, number })
        }
        Commit::Edited { message } => Some(Event::Edited { message, number }),
        Commit::Deleted { message } => Some(Event::Deleted { message, number }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
