//! Who types to whom: told at once, repeated sparingly, ended by itself.

mod book;

use std::{sync::Arc, time::Instant};

use chat_ports::{Clock, EventBus, model::UserId};
use parking_lot::Mutex;

use crate::{ChatError, Deps, Identity, people::People, policy, relations::Relations};
use book::Book;

/// The use case of typing. Never stored; where too many type at once, it is dropped.
pub struct Typing {
    people: Arc<People>,
    relations: Arc<Relations>,
    bus: Arc<dyn EventBus>,
    clock: Arc<dyn Clock>,
    /// Short, never held across an await; publishing under it keeps beginning and end in order.
    book: Mutex<Book>,
}

impl Typing {
    pub(crate) fn new(deps: &Deps, people: Arc<People>, relations: Arc<Relations>) -> Self {
        Self {
            people,
            relations,
            bus: Arc::clone(&deps.bus),
            clock: Arc::clone(&deps.clock),
            book: Mutex::new(Book::new(deps.settings.typing_timeout)),
        }
    }

    /// Somebody types, or stopped. A change is published at once, the same again at most once a second, of too many
    /// changes the last one. Where one blocks the other nothing is told, and the typist does not learn why.
    ///
    /// # Errors
    /// `invalid_input` for typing to oneself, `not_found` for an unknown receiver; `unavailable`.
    #[tracing::instrument(level = "trace", skip_all, fields(sender = %who.user, %receiver))]
    pub async fn set(&self, who: &Identity, receiver: UserId, is_typing: bool) -> Result<(), ChatError> {
        policy::addressee(who.user, receiver)?;
        self.people.require(receiver).await?;
        if self.relations.is_blocked(who.user, receiver).await? {
            return Ok(());
        }
        let now = self.clock.instant();
        let mut book = self.book.lock();
        if let Some(event) = book.set(who, receiver, is_typing, now) {
            self.bus.publish(event);
        }
        Ok(())
    }

    /// Ends the typing of those who have been silent for too long.
    pub fn tick(&self) {
        let now = self.clock.instant();
        let mut book = self.book.lock();
        book.expire(now, |event| self.bus.publish(event));
    }

    /// When somebody may have been silent for too long: [`tick`](Self::tick) has nothing to do before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.book.lock().next_deadline()
    }

    /// Ends the typing of two users to each other.
    pub(crate) fn part(&self, a: UserId, b: UserId) {
        let mut book = self.book.lock();
        for pair in [(a, b), (b, a)] {
            book.end(pair, &mut |event| self.bus.publish(event));
        }
    }

    /// Ends all typing of a user whose last device went.
    pub fn leave(&self, user: UserId) {
        let mut book = self.book.lock();
        book.leave(user, |event| self.bus.publish(event));
    }
}

#[cfg(test)]
mod tests;
