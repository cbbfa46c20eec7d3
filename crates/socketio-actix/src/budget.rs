//! What all clients together may make the server hold: bytes that have not come in whole, or are not taken.
//!
//! Bounds of one connection do not bound a thousand. A [`Budget`] does: when what is held passes it, whoever
//! holds most loses its share and is closed, so that those who hold little (honest clients) never notice. What
//! is small is free and costs no lock.

use std::{
    collections::BTreeMap,
    fmt, mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

/// Up to this many bytes a share is free: it is what a message or an ordinary request takes.
const FREE: usize = 8 * 1024;

/// A bound in bytes on what all shares hold together.
pub struct Budget {
    limit: usize,
    // A short critical section that never waits, and only for shares of more than `FREE` bytes.
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    used: usize,
    next: u64,
    /// By what they hold, so that the last one holds most.
    holders: BTreeMap<(usize, u64), Arc<Holder>>,
}

/// What a share and the budget both know of it.
#[derive(Default)]
struct Holder {
    revoked: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("limit", &self.limit).field("used", &self.used()).finish()
    }
}

impl Budget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, ledger: Mutex::default() })
    }

    /// An empty share of it.
    #[must_use]
    pub fn share(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), id: 0, charged: 0, holder: None }
    }

    /// How many bytes are held, without what is free.
    pub fn used(&self) -> usize {
        self.ledger.lock().used
    }

    /// Moves a holder to another place; then, as long as too much is held, those who hold most lose it.
    fn change(&self, id: u64, from: usize, to: usize, holder: &Arc<Holder>) {
        let mut revoked = Vec::new();
        {
            let mut ledger = self.ledger.lock();
            // Revoked meanwhile: nothing is counted for it any more.
            if from > 0 && ledger.holders.remove(&(from, id)).is_none() {
                return;
            }
            ledger.used = ledger.used - from + to;
            if to > 0 {
                ledger.holders.insert((to, id), Arc::clone(holder));
            }
            while ledger.used > self.limit {
                let Some(((bytes, _), most)) = ledger.holders.pop_last() else { break };
                ledger.used -= bytes;
                most.revoked.store(true, Ordering::Relaxed);
                revoked.push(most);
            }
        }
        revoked.iter().filter_map(|holder| holder.waker.lock().take()).for_each(Waker::wake);
    }

    fn next_id(&self) -> u64 {
        let mut ledger = self.ledger.lock();
        ledger.next += 1;
        ledger.next
    }
}

/// What one client holds of a budget; dropped, it holds nothing.
pub struct Share {
    budget: Arc<Budget>,
    id: u64,
    charged: usize,
    /// Made when something is charged for the first time: most shares never are.
    holder: Option<Arc<Holder>>,
}

impl Share {
    /// Tells how many bytes are held now. Where that is too much for the budget, whoever holds most loses its
    /// share, which may be this one.
    pub fn set(&mut self, bytes: usize) {
        let bytes = if bytes > FREE { bytes } else { 0 };
        if bytes == self.charged || self.is_revoked() {
            return;
        }
        let holder = self.holder.get_or_insert_with(|| {
            self.id = self.budget.next_id();
            Arc::default()
        });
        self.budget.change(self.id, mem::replace(&mut self.charged, bytes), bytes, holder);
    }

    /// Whether the share is lost, for good.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.revoked.load(Ordering::Relaxed))
    }

    /// Ready when the share is lost.
    pub fn poll_revoked(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(holder) = self.holder.as_ref().filter(|_| self.charged > 0) else { return Poll::Pending };
        {
            let mut waker = holder.waker.lock();
            if !waker.as_ref().is_some_and(|old| old.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
        }
        // Looked at last, so that what is revoked meanwhile is not missed.
        if self.is_revoked() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_holds_most_loses_it_when_too_much_is_held() {
        let budget = Budget::new(100_000);
        let [mut small, mut middle, mut large] = [budget.share(), budget.share(), budget.share()];
        small.set(10_000);
        middle.set(30_000);
        large.set(60_000);
        assert_eq!(budget.used(), 100_000);
        small.set(11_000);
        assert_eq!([&small, &middle, &large].map(Share::is_revoked), [false, false, true]);
        assert_eq!(budget.used(), 41_000, "what is lost counts no longer");
        drop(large);
        assert_eq!(budget.used(), 41_000, "and is not given back twice");
    }

    #[test]
    fn one_that_asks_for_more_than_there_is_loses_its_own() {
        let budget = Budget::new(50_000);
        let mut share = budget.share();
        share.set(50_001);
        assert!(share.is_revoked());
        share.set(9_000);
        assert!(share.is_revoked(), "for good");
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_is_small_is_free_and_what_is_dropped_is_given_back() {
        let budget = Budget::new(10_000);
        let mut shares: Vec<_> = (0..100).map(|_| budget.share()).collect();
        shares.iter_mut().for_each(|share| share.set(FREE));
        assert!(budget.used() == 0 && !shares.iter().any(Share::is_revoked));
        let mut share = budget.share();
        share.set(FREE + 1);
        assert_eq!(budget.used(), FREE + 1);
        share.set(1);
        assert_eq!(budget.used(), 0);
        share.set(9_999);
        drop(share);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn the_task_of_a_share_that_is_lost_is_woken() {
        let budget = Budget::new(20_000);
        let mut share = budget.share();
        share.set(15_000);
        let (waker, woken) = futures_test_waker();
        assert!(share.poll_revoked(&mut Context::from_waker(&waker)).is_pending());
        let mut other = budget.share();
        other.set(9_000);
        assert!(woken.0.load(Ordering::Relaxed));
        assert!(share.poll_revoked(&mut Context::from_waker(&waker)).is_ready());
        assert!(!other.is_revoked());
    }

    struct Woken(AtomicBool);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn futures_test_waker() -> (Waker, Arc<Woken>) {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        (Arc::clone(&woken).into(), woken)
    }
}
