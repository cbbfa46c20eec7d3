//! A proxy between a store and a server, message by message: cuts, stalls, swallows answers, gives others.

mod link;
mod wire;

use std::{
    collections::HashMap,
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use bson::Document;
use parking_lot::{Condvar, Mutex};

use crate::uri::with_database;
use link::Link;

/// What the client of a [`Proxy`] gets for one command instead of the server's answer. Heartbeats (`hello`) are commands too.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Answer {
    /// This document; the server never sees the command.
    Instead(Document),
    /// This document, when the server has carried the command out.
    After(Document),
    /// Nothing, ever, when the server has carried the command out: the client must time out.
    Swallow,
    /// Nothing but the end of the connection, when the server has carried the command out.
    Cut,
    /// Nothing but the end of the connection; the server never sees the command.
    CutBefore,
    /// The server's, which sees the command only after [`Proxy::resume`]. Other commands pass meanwhile.
    Held,
}

/// What is wrong at the moment, and what was seen.
#[derive(Debug, Default)]
pub(crate) struct State {
    stalled: bool,
    refusing: bool,
    closed: bool,
    /// How often all faults were ended: what is held waits for the next time.
    resumed: u64,
    /// By the command's name, or its name and collection, first come, first used; `usize::MAX` times stands for "until told
    /// otherwise".
    answers: HashMap<String, (Answer, usize)>,
    seen: HashMap<String, usize>,
    /// The commands themselves, from when they were asked for.
    recorded: Option<Vec<Document>>,
    open: Vec<TcpStream>,
}

/// Most commands that are recorded; later ones are not.
const MOST_RECORDED: usize = 20_000;

pub(crate) struct Shared {
    server: String,
    state: Mutex<State>,
    changed: Condvar,
}

/// A TCP proxy on 127.0.0.1 that reads MongoDB's wire protocol. All connections end when it is dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens before the server at `address` (`host:port`), which need not be there yet.
    #[must_use]
    pub fn before(address: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared =
            Arc::new(Shared { server: address.to_owned(), state: Mutex::default(), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { port, shared }
    }

    /// The connection string through this proxy, with this database.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        // A proxy stands for one member: the others of a replica set can't be reached by their own addresses.
        with_database(&format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port), database)
    }

    /// Holds all messages, both ways, until [`resume`](Self::resume). Connections are accepted, and held.
    pub fn stall(&self) {
        self.change(|state| state.stalled = true);
    }

    /// Ends every connection. New ones are served.
    pub fn cut(&self) {
        self.change(State::cut);
    }

    /// Ends every connection, and new ones at once, until [`resume`](Self::resume).
    pub fn refuse(&self) {
        self.change(|state| {
            state.refusing = true;
            state.cut();
        });
    }

    /// Ends all faults. What was held goes on; what was swallowed stays so.
    pub fn resume(&self) {
        self.change(|state| {
            (state.stalled, state.refusing) = (false, false);
            state.resumed += 1;
            state.answers.clear();
        });
    }

    /// Answers the next `times` commands of this name so. `update messages` names only those on one collection.
    pub fn answer(&self, command: &str, times: usize, answer: Answer) {
        self.change(|state| _ = state.answers.insert(command.to_owned(), (answer, times)));
    }

    /// How many commands of this name (and collection, where one is named) have come from the client so far.
    #[must_use]
    pub fn seen(&self, command: &str) -> usize {
        self.shared.state.lock().seen.get(command).copied().unwrap_or(0)
    }

    /// Keeps the commands that come from now on, up to 20,000, for [`recorded`](Self::recorded). What a command carries
    /// beside its own document (the documents of an `insert`) is left out.
    pub fn record(&self) {
        self.change(|state| state.recorded = Some(Vec::new()));
    }

    /// The commands that came since they are recorded.
    #[must_use]
    pub fn recorded(&self) -> Vec<Document> {
        self.shared.state.lock().recorded.clone().unwrap_or_default()
    }

    /// Waits until `times` commands of this name have come from the client: whether they did within `limit`.
    #[must_use]
    pub fn wait_for(&self, command: &str, times: usize, limit: Duration) -> bool {
        crate::until(limit, || self.seen(command) >= times)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.state.lock());
        self.shared.changed.notify_all();
    }
}

impl State {
    fn cut(&mut self) {
        for connection in self.open.drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Keeps a command, if commands are recorded.
    fn note(&mut self, message: &wire::Message) {
        if let Some(recorded) = &mut self.recorded
            && recorded.len() < MOST_RECORDED
        {
            recorded.extend(message.document());
        }
    }

    /// Counts a command, and takes what was laid down for it.
    fn take(&mut self, message: &wire::Message) -> Option<Answer> {
        let names = [message.command().to_owned(), format!("{} {}", message.command(), message.collection())];
        for name in &names {
            *self.seen.entry(name.clone()).or_default() += 1;
        }
        let name = names.iter().find(|name| self.answers.contains_key(*name))?;
        let (answer, times) = self.answers.get_mut(name)?;
        let answer = answer.clone();
        *times -= 1;
        if *times == 0 {
            self.answers.remove(name);
        }
        Some(answer)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.change(|state| {
            state.closed = true;
            state.cut();
        });
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("port", &self.port).field("server", &self.shared.server).finish()
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        let Ok(client) = client else { continue };
        let mut state = shared.state.lock();
        if state.closed {
            return;
        }
        if state.refusing {
            continue;
        }
        state.open.push(client.try_clone().unwrap());
        drop(state);
        let shared = Arc::clone(shared);
        thread::spawn(move || Link::new(client, shared).run());
    }
}
