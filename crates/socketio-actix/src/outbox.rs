//! What waits to be sent to one session, bounded in bytes.
//!
//! Whoever pushes never waits. Past the bound the outbox is *overrun*: it drops what it holds, takes nothing
//! more, and its session is closed as slow. One item may exceed the bound when nothing else waits.
//!
//! What waits in all outboxes together is bounded by their [`Budget`], but for batches, which many outboxes share. Past it
//! the outbox that holds most is overrun.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Waker},
};

use bytes::Bytes;
use chat_socketio::{CloseReason, Outgoing};
use parking_lot::Mutex;

use crate::{Budget, Share};

/// One thing to be sent: whole Engine.IO messages.
#[derive(Clone)]
#[non_exhaustive]
pub enum Item {
    /// One message.
    One(Bytes),
    /// A shared batch of messages, from an index on.
    Batch(Arc<[Bytes]>, usize),
    /// A packet with its attachments.
    Packet(Box<Outgoing>),
}

impl From<Bytes> for Item {
    fn from(message: Bytes) -> Self {
        Self::One(message)
    }
}

impl From<Outgoing> for Item {
    fn from(packet: Outgoing) -> Self {
        if packet.attachments.is_empty() { Self::One(packet.text) } else { Self::Packet(Box::new(packet)) }
    }
}

impl Item {
    /// Bytes that no other outbox shares.
    fn own_bytes(&self) -> usize {
        match self {
            Self::One(bytes) => bytes.len(),
            Self::Batch(..) => 0,
            Self::Packet(packet) => packet_bytes(packet),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::One(bytes) => bytes.len(),
            Self::Batch(batch, from) => batch.iter().skip(*from).map(Bytes::len).sum(),
            Self::Packet(packet) => packet_bytes(packet),
        }
    }
}

fn packet_bytes(packet: &Outgoing) -> usize {
    packet.text.len() + packet.attachments.iter().map(Bytes::len).sum::<usize>()
}

/// What waits to be sent to one session.
pub struct Outbox {
    // A short critical section that never waits; the session's task and every fan-out meet here.
    inner: Mutex<Inner>,
    bound: usize,
    budget: Arc<Budget>,
}

struct Inner {
    queue: VecDeque<Item>,
    bytes: usize,
    /// Bytes of an item over the bound, which waits alone at the front and is not counted against it.
    exempt: usize,
    overrun: bool,
    /// Another session has taken this one's place.
    superseded: bool,
    waker: Option<Waker>,
    /// Bytes of what is not shared with other outboxes, and their share of the budget.
    own: usize,
    share: Share,
}

impl Outbox {
    /// An empty outbox that holds this many bytes, within the budget.
    #[must_use]
    pub fn new(bound: usize, budget: &Arc<Budget>) -> Self {
        let inner = Inner {
            queue: VecDeque::new(),
            bytes: 0,
            exempt: 0,
            superseded: false,
            overrun: false,
            waker: None,
            own: 0,
            share: budget.share(),
        };
        Self { inner: Mutex::new(inner), bound, budget: Arc::clone(budget) }
    }

    /// An empty outbox with the same bound.
    pub(crate) fn renewed(&self) -> Self {
        Self::new(self.bound, &self.budget)
    }

    /// Appends an item and wakes the session's task.
    pub fn push(&self, item: impl Into<Item>) {
        let item = item.into();
        let waker = {
            let mut inner = self.inner.lock();
            if inner.overrun || inner.superseded {
                return;
            }
            let bytes = item.bytes();
            if inner.bytes == 0 && bytes > self.bound {
                inner.exempt = bytes;
            }
            if inner.bytes + bytes > self.bound + inner.exempt {
                inner.overrun();
            } else {
                inner.bytes += bytes;
                inner.own += item.own_bytes();
                inner.queue.push_back(item);
                inner.settle();
            }
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Appends a message that may be dropped, unless half of the bound is taken already.
    pub fn push_volatile(&self, bytes: Bytes) {
        if self.bytes() < self.bound / 2 {
            self.push(Item::One(bytes));
        }
    }

    /// Has its session closed, because another one has taken its place: what waits is dropped, nothing more is taken.
    pub fn supersede(&self) {
        let waker = {
            let mut inner = self.inner.lock();
            inner.superseded = true;
            inner.drop_all();
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes the next packet.
    pub fn pop(&self) -> Option<Outgoing> {
        let mut inner = self.inner.lock();
        let item = inner.queue.pop_front()?;
        inner.own -= item.own_bytes();
        let next = match item {
            Item::One(bytes) => bytes.into(),
            Item::Packet(packet) => *packet,
            Item::Batch(batch, from) => {
                let bytes = batch.get(from).cloned().unwrap_or_default();
                if from + 1 < batch.len() {
                    inner.queue.push_front(Item::Batch(batch, from + 1));
                }
                bytes.into()
            }
        };
        let bytes = packet_bytes(&next);
        inner.bytes -= bytes;
        inner.exempt = inner.exempt.saturating_sub(bytes);
        inner.settle();
        if inner.queue.is_empty() && inner.queue.capacity() > 64 {
            // A burst's queue is not kept for an idle connection's lifetime.
            inner.queue = VecDeque::new();
        }
        Some(next)
    }

    /// Leaves a waker that the next push wakes; tells whether there is something to do already.
    pub(crate) fn register(&self, waker: &Waker) -> bool {
        let mut inner = self.inner.lock();
        if !inner.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
            inner.waker = Some(waker.clone());
        }
        let lost = inner.share.poll_revoked(&mut Context::from_waker(waker)).is_ready();
        lost || !inner.queue.is_empty() || inner.overrun || inner.superseded
    }

    /// How many bytes wait.
    pub fn bytes(&self) -> usize {
        self.inner.lock().bytes
    }

    /// Whether it is the budget of all that was passed: the memory is needed at once.
    pub(crate) fn is_lost(&self) -> bool {
        self.inner.lock().share.is_revoked()
    }

    /// Why the session is to be closed, if it is.
    pub(crate) fn verdict(&self) -> Option<CloseReason> {
        let mut inner = self.inner.lock();
        if inner.share.is_revoked() {
            inner.overrun();
        }
        if inner.superseded { Some(CloseReason::Server) } else { inner.overrun.then_some(CloseReason::Slow) }
    }
}

impl Inner {
    /// Drops what waits.
    fn overrun(&mut self) {
        self.overrun = true;
        self.drop_all();
    }

    fn drop_all(&mut self) {
        self.queue = VecDeque::new();
        (self.bytes, self.exempt, self.own) = (0, 0, 0);
        self.settle();
    }

    /// Tells the budget what is held.
    fn settle(&mut self) {
        self.share.set(self.own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &'static str) -> Item {
        Item::One(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn messages_come_out_in_order_and_batches_from_their_index() {
        let outbox = Outbox::new(100, &Budget::new(1 << 20));
        let batch: Arc<[Bytes]> = ["x", "b", "c"].map(|text| Bytes::from_static(text.as_bytes())).into();
        outbox.push(one("a"));
        outbox.push(Item::Batch(batch, 1));
        outbox.push(one("d"));
        assert_eq!(outbox.bytes(), 4);
        let all: Vec<_> = std::iter::from_fn(|| outbox.pop()).map(|packet| packet.text).collect();
        assert_eq!(all, ["a", "b", "c", "d"]);
        assert_eq!(outbox.bytes(), 0);
    }

    #[test]
    fn past_its_bound_it_is_overrun_and_takes_nothing_more() {
        let outbox = Outbox::new(4, &Budget::new(1 << 20));
        outbox.push(one("abc"));
        assert!(outbox.verdict().is_none());
        outbox.push(one("de"));
        assert!(outbox.verdict().is_some());
        outbox.push(one("f"));
        assert_eq!((outbox.pop(), outbox.bytes()), (None, 0));
    }

    #[test]
    fn one_item_may_exceed_the_bound_when_nothing_else_waits() {
        let outbox = Outbox::new(2, &Budget::new(1 << 20));
        outbox.push(one("long enough"));
        outbox.push(one("ab"));
        assert!(outbox.verdict().is_none(), "the bound is for what comes behind it");
        assert_eq!(outbox.pop().unwrap().text, "long enough");
        outbox.push(one("c"));
        assert!(outbox.verdict().is_some(), "and counts again once it is gone");
    }

    #[test]
    fn once_superseded_it_is_empty_and_takes_nothing_more() {
        let outbox = Outbox::new(10, &Budget::new(1 << 20));
        outbox.push(one("ab"));
        assert_eq!(outbox.verdict(), None);
        outbox.supersede();
        outbox.push(one("cd"));
        assert_eq!((outbox.pop(), outbox.bytes(), outbox.verdict()), (None, 0, Some(CloseReason::Server)));
    }

    #[test]
    fn what_is_volatile_is_dropped_first() {
        let outbox = Outbox::new(4, &Budget::new(1 << 20));
        outbox.push(one("ab"));
        outbox.push_volatile(Bytes::from_static(b"typing"));
        assert_eq!((outbox.bytes(), outbox.verdict().is_some()), (2, false));
    }

    #[test]
    fn past_the_budget_of_all_the_fullest_is_overrun() {
        let budget = Budget::new(50_000);
        let [few, many] = [20_000, 30_000].map(|bytes| {
            let outbox = Outbox::new(1 << 20, &budget);
            outbox.push(Bytes::from(vec![b'a'; bytes]));
            outbox
        });
        let batch: Arc<[Bytes]> = Arc::new([Bytes::from(vec![b'b'; 40_000])]);
        few.push(Item::Batch(batch, 0));
        assert!(few.verdict().is_none() && many.verdict().is_none(), "what is shared is not counted");
        few.push(one("c"));
        assert!(many.verdict() == Some(CloseReason::Slow) && few.verdict().is_none());
        assert_eq!((many.bytes(), few.bytes(), budget.used()), (0, 60_001, 20_001));
        assert!(few.pop().is_some());
        assert_eq!(budget.used(), 0);
    }
}
