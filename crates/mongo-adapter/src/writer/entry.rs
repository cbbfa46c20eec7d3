//! One message on its way, and everybody who waits for it.

use std::{mem, sync::Arc, time::Instant};

use chat_ports::{
    AppendError, Appended, StoreError,
    model::{ConversationId, Message, SocketId},
};

use super::queue::{Job, Place, Reply};
use crate::documents::Dedup;

/// A message on its way.
pub(super) struct Entry {
    /// As it is to be stored. Its `seq` is given anew for each insert.
    pub(super) message: Message,
    pub(super) conversation: ConversationId,
    pub(super) dedup: Dedup,
    pub(super) except: Option<SocketId>,
    pub(super) waiters: Waiters,
    /// The number of the commit by which its last insert was to make it durable.
    pub(super) commit: u64,
    /// The highest number under which it may have been stored without our knowing; 0 for none.
    pub(super) risk: u64,
    /// The number under which it met a key that was there already; 0 for none.
    pub(super) collided: u64,
    /// Whether its name must be looked up before it is sent (again).
    pub(super) look: bool,
    /// Whether it is part of the insert that is on its way.
    pub(super) flying: bool,
}

/// Everybody who waits for a message.
#[derive(Default)]
pub(super) struct Waiters {
    /// The one whose message it is; gone once answered.
    first: Option<Waiting>,
    /// Those who sent the same again, in order.
    copies: Vec<Copy>,
}

struct Waiting {
    reply: Reply,
    deadline: Instant,
    place: Place,
}

struct Copy {
    message: Message,
    except: Option<SocketId>,
    waiting: Waiting,
}

/// An answer that is ready to be sent.
pub(super) struct Answer {
    reply: Reply,
    result: Result<Appended, AppendError>,
    place: Place,
}

impl Answer {
    /// Sends it. Who asked may have gone; what was stored stays stored.
    pub(super) fn send(self) {
        drop(self.place);
        drop(self.reply.send(self.result));
    }
}

impl Entry {
    pub(super) fn new(job: Job) -> Self {
        let Job { message, reply, place } = job;
        let dedup = Dedup::of(&message);
        let (deadline, except) = (message.deadline, message.except.clone());
        let message = message.into_message(0);
        Self {
            conversation: message.conversation(),
            message,
            dedup,
            except,
            waiters: Waiters { first: Some(Waiting { reply, deadline, place }), copies: Vec::new() },
            commit: 0,
            risk: 0,
            collided: 0,
            look: false,
            flying: false,
        }
    }

    /// Lets the sender of the same message wait for this one's outcome.
    pub(super) fn join(&mut self, other: Self) {
        let Self { message, except, waiters, .. } = other;
        let first = waiters.first.map(|waiting| Copy { message, except, waiting });
        self.waiters.copies.extend(first.into_iter().chain(waiters.copies));
    }

    /// Whether somebody waits for just this text to be stored.
    pub(super) fn is_wanted(&self) -> bool {
        let Waiters { first, copies } = &self.waiters;
        first.is_some() || copies.iter().any(|copy| copy.message.text == self.message.text)
    }

    /// Lets the first copy take the place of a message that was never sent and whose sender was answered.
    pub(super) fn promote(&mut self) {
        if self.waiters.first.is_none() && self.risk == 0 && !self.waiters.copies.is_empty() {
            let Copy { message, except, waiting } = self.waiters.copies.remove(0);
            self.message = message;
            self.except = except;
            self.waiters.first = Some(waiting);
        }
    }
}

impl Waiters {
    /// Whether there is nobody.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.copies.is_empty()
    }

    /// The earliest deadline.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.all().map(|waiting| waiting.deadline).min()
    }

    /// Answers those whose time is over.
    pub(super) fn expire(&mut self, now: Instant, answers: &mut Vec<Answer>) {
        if self.deadline().is_none_or(|earliest| now < earliest) {
            return;
        }
        let late = |waiting: Waiting| waiting.answer(Err(StoreError::Timeout.into()));
        answers.extend(self.first.take_if(|first| first.deadline <= now).map(late));
        let (expired, waiting) =
            mem::take(&mut self.copies).into_iter().partition(|copy| copy.waiting.deadline <= now);
        self.copies = waiting;
        let expired: Vec<Copy> = expired;
        answers.extend(expired.into_iter().map(|copy| late(copy.waiting)));
    }

    /// The message is stored, now and by us.
    pub(super) fn stored(self, stored: &Arc<Message>, answers: &mut Vec<Answer>) {
        let appended = Appended { message: stored.clone(), repeated: false };
        answers.extend(self.first.map(|first| first.answer(Ok(appended))));
        answers.extend(self.copies.into_iter().map(|copy| copy.repeated(stored)));
    }

    /// Another message is stored under this one's name, which has this text.
    pub(super) fn repeated(self, text: &str, stored: &Arc<Message>, answers: &mut Vec<Answer>) {
        answers.extend(self.first.map(|first| first.answer(repeat(text, stored))));
        answers.extend(self.copies.into_iter().map(|copy| copy.repeated(stored)));
    }

    /// The message can't be stored.
    pub(super) fn failed(self, error: impl Fn() -> StoreError, answers: &mut Vec<Answer>) {
        let waiting = self.first.into_iter().chain(self.copies.into_iter().map(|copy| copy.waiting));
        answers.extend(waiting.map(|waiting| waiting.answer(Err(error().into()))));
    }

    fn all(&self) -> impl Iterator<Item = &Waiting> {
        self.first.iter().chain(self.copies.iter().map(|copy| &copy.waiting))
    }
}

impl Waiting {
    fn answer(self, result: Result<Appended, AppendError>) -> Answer {
        Answer { reply: self.reply, result, place: self.place }
    }
}

impl Copy {
    fn repeated(self, stored: &Arc<Message>) -> Answer {
        self.waiting.answer(repeat(&self.message.text, stored))
    }
}

fn repeat(text: &str, stored: &Arc<Message>) -> Result<Appended, AppendError> {
    if stored.is_repeated_by(text) {
        Ok(Appended { message: stored.clone(), repeated: true })
    } else {
        Err(AppendError::ClientIdTaken)
    }
}
