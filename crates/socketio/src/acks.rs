//! Events of ours that wait for the client's acknowledgement.

use std::time::Instant;

use crate::Namespace;

/// Events of one session that wait for their acknowledgement, with what is to be known when it comes. Bounded: past
/// the bound no event is given a number, until one is acknowledged or late.
///
/// ```
/// use std::time::{Duration, Instant};
/// use chat_socketio::{Acks, Namespace};
/// let (mut acks, due) = (Acks::new(100), Instant::now() + Duration::from_secs(5));
/// let id = acks.ask(&Namespace::ROOT, due, "price?").unwrap();
/// assert_eq!(acks.answer("/other", id), None);
/// assert_eq!(acks.answer("/", id), Some("price?"));
/// assert_eq!(acks.answer("/", id), None);
/// ```
#[derive(Debug)]
pub struct Acks<T> {
    next: u64,
    most: usize,
    waiting: Vec<Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    id: u64,
    nsp: Namespace,
    due: Instant,
    what: T,
}

impl<T> Acks<T> {
    /// Nothing waits; at most this many may.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { next: 0, most, waiting: Vec::new() }
    }

    /// A number for the next event, by which its acknowledgement is known until `due`; none where too many wait.
    pub fn ask(&mut self, nsp: &Namespace, due: Instant, what: T) -> Option<u64> {
        if self.waiting.len() >= self.most {
            return None;
        }
        let id = self.next;
        self.next += 1;
        self.waiting.push(Waiting { id, nsp: nsp.clone(), due, what });
        Some(id)
    }

    /// The acknowledgement has come ([`Event::Ack`](crate::Event::Ack)): what was to be known. `None` for one that
    /// nobody waits for: not asked for, answered already, or late.
    pub fn answer(&mut self, nsp: &str, id: u64) -> Option<T> {
        let at = self.waiting.iter().position(|waiting| waiting.id == id && &*waiting.nsp == nsp)?;
        Some(self.waiting.swap_remove(at).what)
    }

    /// When the first of them is late.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.due).min()
    }

    /// Takes one that is late by now.
    pub fn late(&mut self, now: Instant) -> Option<(Namespace, T)> {
        let at = self.waiting.iter().position(|waiting| waiting.due <= now)?;
        let Waiting { nsp, what, .. } = self.waiting.swap_remove(at);
        Some((nsp, what))
    }

    /// A namespace was left: nobody answers there any more.
    pub fn leave(&mut self, nsp: &str) {
        self.waiting.retain(|waiting| &*waiting.nsp != nsp);
    }
}
