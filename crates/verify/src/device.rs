//! One device of a user: a client that keeps its duties, as a state machine without I/O.

mod answers;
mod ears;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    ledger::Ledger,
    list::List,
    rng::Rng,
    wire::{Message, Request},
};
use ears::Ears;

/// Requests of one device that may wait for their answers at the same time.
const WINDOW: usize = 8;
/// The wait before a link that was lost or refused is opened again, in milliseconds.
const COME_BACK: u64 = 20;

/// How a device stands to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Off,
    Opening(u64),
    Open(u64),
}

/// What a driver has to do for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Open a connection, known by this number.
    Open(u64),
    /// Drop this one.
    Close(u64),
    /// Write a request, with the number of its acknowledgement.
    Write {
        /// Over which connection.
        socket: u64,
        /// The acknowledgement's number.
        ack: u64,
        /// What is asked.
        request: Request,
    },
}

#[derive(Debug)]
struct Flight {
    ack: u64,
    request: Request,
    deed: Option<usize>,
    written: u64,
    is_draft: bool,
}

#[derive(Debug)]
struct Draft {
    request: Request,
    to: String,
    tries: u32,
    flying: bool,
}

/// A device. Its outbox outlives everything; what it shows and its cursor are lost in a crash, back to what it
/// had saved; other requests that wait are lost with it.
#[derive(Debug)]
pub(crate) struct Device {
    /// Its name in findings.
    pub(crate) name: String,
    me: String,
    link: Link,
    wanted: bool,
    list: List,
    cursor: Option<String>,
    saved: (List, Option<String>),
    synced: bool,
    outbox: VecDeque<Draft>,
    tasks: VecDeque<Request>,
    flights: VecDeque<Flight>,
    next_ack: u64,
    wait_until: u64,
    ears: Ears,
    floors: BTreeMap<String, u64>,
    given: BTreeMap<String, u64>,
    pages: BTreeMap<String, Vec<Message>>,
    rng: Rng,
}

impl Device {
    /// A device of the user with this id, switched off.
    #[must_use]
    pub(crate) fn new(name: String, me: &str, rng: Rng) -> Self {
        let list = List::of(me);
        Self {
            name,
            me: me.to_owned(),
            link: Link::Off,
            wanted: false,
            saved: (list.clone(), None),
            list,
            cursor: None,
            synced: false,
            outbox: VecDeque::new(),
            tasks: VecDeque::new(),
            flights: VecDeque::new(),
            next_ack: 0,
            wait_until: 0,
            ears: Ears::default(),
            floors: BTreeMap::new(),
            given: BTreeMap::new(),
            pages: BTreeMap::new(),
            rng,
        }
    }

    /// Whose it is.
    #[must_use]
    pub(crate) fn user(&self) -> &str {
        &self.me
    }

    /// What it shows.
    #[must_use]
    pub(crate) const fn list(&self) -> &List {
        &self.list
    }

    /// Whether it is connected and has nothing left to do.
    #[must_use]
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.link, Link::Open(_))
            && self.synced
            && self.outbox.is_empty()
            && self.tasks.is_empty()
            && self.flights.is_empty()
    }

    /// What it still waits for, for people.
    #[must_use]
    pub(crate) fn waits_for(&self) -> String {
        let flights: Vec<_> = self.flights.iter().map(|flight| flight.request.event()).collect();
        format!(
            "{} ({:?}, synced: {}, {} drafts, {} tasks, waits for {flights:?})",
            self.name,
            self.link,
            self.synced,
            self.outbox.len(),
            self.tasks.len()
        )
    }

    /// From here on messages of this conversation count: older ones are none of the run's business.
    pub(crate) fn begin_after(&mut self, other: &str, seq: u64) {
        self.floors.insert(other.to_owned(), seq);
    }

    /// Switches it on or off. Off, its link is dropped as it is.
    pub(crate) fn want(&mut self, on: bool, orders: &mut Vec<Order>) {
        self.wanted = on;
        if !on {
            self.cut(orders);
        }
    }

    /// Drops the link, as bad networks do; it comes back by itself.
    pub(crate) fn cut(&mut self, orders: &mut Vec<Order>) {
        if let Link::Open(socket) | Link::Opening(socket) = self.link {
            orders.push(Order::Close(socket));
            self.unlink();
        }
    }

    /// Drops the link and everything that was not saved.
    pub(crate) fn crash(&mut self, orders: &mut Vec<Order>) {
        self.cut(orders);
        self.tasks.clear();
        (self.list, self.cursor) = self.saved.clone();
        self.given.clear();
    }

    /// Saves what it shows, with its cursor, as a client with a database does.
    pub(crate) fn save(&mut self) {
        self.saved = (self.list.clone(), self.cursor.clone());
    }

    /// Writes a message into the outbox.
    pub(crate) fn write(&mut self, to: &str, client_id: String, text: String) {
        let request = Request::Send { to: to.to_owned(), client_id, text };
        self.outbox.push_back(Draft { request, to: to.to_owned(), tries: 0, flying: false });
    }

    /// Asks for something, once there is a link.
    pub(crate) fn ask(&mut self, request: Request) {
        self.tasks.push_back(request);
    }

    /// Walks through a conversation; [`Device::pages`] has it when the device is idle.
    pub(crate) fn read(&mut self, other: &str, after: Option<String>, limit: u32) {
        self.pages.insert(other.to_owned(), Vec::new());
        let (other, before) = (other.to_owned(), None);
        self.ask(Request::History { other, after, before, limit });
    }

    /// What the last walks found.
    #[must_use]
    pub(crate) fn pages(&self, other: &str) -> &[Message] {
        self.pages.get(other).map_or(&[], Vec::as_slice)
    }

    /// The connection is open and authenticated.
    pub(crate) fn opened(&mut self, socket: u64) {
        if self.link == Link::Opening(socket) {
            self.link = Link::Open(socket);
            self.ears.begin();
        }
    }

    /// The connection ended, or was never made.
    pub(crate) fn lost(&mut self, socket: u64, now: u64) {
        if matches!(self.link, Link::Open(known) | Link::Opening(known) if known == socket) {
            self.unlink();
            self.wait_until = self.wait_until.max(now + COME_BACK);
        }
    }

    fn unlink(&mut self) {
        self.link = Link::Off;
        self.synced = false;
        for flight in self.flights.drain(..).rev() {
            if !flight.is_draft && !matches!(flight.request, Request::Typing { .. } | Request::Sync { .. }) {
                self.tasks.push_front(flight.request);
            }
        }
        self.outbox.iter_mut().for_each(|draft| draft.flying = false);
    }

    /// Does what is to be done now.
    pub(crate) fn pump(&mut self, now: u64, sockets: &mut u64, ledger: &mut Ledger, orders: &mut Vec<Order>) {
        if !self.wanted || now < self.wait_until {
            return;
        }
        let socket = match self.link {
            Link::Off => {
                *sockets += 1;
                self.link = Link::Opening(*sockets);
                orders.push(Order::Open(*sockets));
                return;
            }
            Link::Opening(_) => return,
            Link::Open(socket) => socket,
        };
        let syncs = self.flights.iter().any(|flight| matches!(flight.request, Request::Sync { .. }));
        if !self.synced && !syncs {
            let limit = if self.rng.chance(50) { 1 + self.rng.below(5) } else { 100 };
            let request =
                Request::Sync { since: self.cursor.clone(), limit: u32::try_from(limit).unwrap_or(1) };
            self.fly(socket, request, false, ledger, orders);
        }
        while let Some(request) = self.next_draft() {
            self.fly(socket, request, true, ledger, orders);
        }
        while self.flights.len() < WINDOW
            && let Some(request) = self.tasks.pop_front()
        {
            self.fly(socket, request, false, ledger, orders);
        }
    }

    /// The next message to be written. What may have to be repeated goes alone in its conversation, so that
    /// nothing overtakes it.
    fn next_draft(&mut self) -> Option<Request> {
        let (mut held, mut flying) = (BTreeSet::new(), BTreeSet::new());
        if self.flights.len() >= WINDOW {
            return None;
        }
        for draft in &mut self.outbox {
            let alone = draft.tries > u32::from(draft.flying);
            let overtakes = held.contains(&draft.to) || (alone && flying.contains(&draft.to));
            if !draft.flying && !overtakes {
                draft.flying = true;
                draft.tries += 1;
                return Some(draft.request.clone());
            }
            if draft.flying {
                flying.insert(draft.to.clone());
            }
            if alone || !draft.flying {
                held.insert(draft.to.clone());
            }
        }
        None
    }

    fn fly(
        &mut self,
        socket: u64,
        request: Request,
        is_draft: bool,
        ledger: &mut Ledger,
        orders: &mut Vec<Order>,
    ) {
        let ack = self.next_ack;
        self.next_ack += 1;
        let reads =
            matches!(request, Request::Sync { .. } | Request::History { .. } | Request::Typing { .. });
        let deed = (!reads).then(|| ledger.begin(&self.me, socket, request.clone()));
        let written = ledger.tick();
        self.flights.push_back(Flight { ack, request: request.clone(), deed, written, is_draft });
        orders.push(Order::Write { socket, ack, request });
    }
}
