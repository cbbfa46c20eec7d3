//! Drives a run over real sockets.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    time::Duration,
};

use chat_client::{ClientError, Endpoint, Link, Session, clock, packets, packets::Packet};
use tokio::{sync::Notify, task::JoinHandle};

use crate::{
    accounts::Account,
    device::Order,
    run::{Pace, Run},
    wire::{Answer, Notice, Request},
};

/// How often time is looked at when nothing happens.
const TICK: Duration = Duration::from_millis(5);
/// How long a connection may take to open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// What may wait to be handled; a connection that would add more is ended.
const INBOX: usize = 100_000;

enum Happened {
    Opened(Rc<Link>),
    Event(String, String),
    Ack(u64, String),
    Lost,
}

/// What came over all sockets: bounded by [`INBOX`].
#[derive(Default)]
struct Inbox {
    queue: RefCell<VecDeque<(usize, u64, Happened)>>,
    came: Notify,
}

impl Inbox {
    fn push(&self, device: usize, socket: u64, what: Happened) -> bool {
        let mut queue = self.queue.borrow_mut();
        let room = queue.len() < INBOX || matches!(what, Happened::Lost);
        if room {
            queue.push_back((device, socket, what));
            self.came.notify_one();
        }
        room
    }
}

/// An open or opening connection; dropped, it is closed as it is.
struct Wire {
    task: JoinHandle<()>,
    link: Option<Rc<Link>>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The time by which runs go, in milliseconds since some moment.
#[must_use]
pub fn now() -> u64 {
    clock::nanos() / 1_000_000
}

/// What stands between the server and the devices: a test puts lies there, to see that the judge finds them.
pub trait Hearsay {
    /// What a device hears instead of something that it was told.
    fn notice(&mut self, notice: Notice) -> Vec<Notice> {
        vec![notice]
    }

    /// What a device hears instead of an answer.
    fn answer(&mut self, request: &Request, answer: Answer) -> Answer {
        let _as_it_is = request;
        answer
    }
}

/// Nothing stands there.
struct Truth;

impl Hearsay for Truth {}

/// Plays a run to its end, on the current thread's `LocalSet`. `kill` is called where the schedule kills the server.
pub async fn play(run: &mut Run, server: &Endpoint, accounts: &[Account], kill: impl FnMut()) {
    play_through(run, server, accounts, kill, &mut Truth).await;
}

/// Plays a run as [`play`] does, with something between the server and the devices.
pub async fn play_through(
    run: &mut Run,
    server: &Endpoint,
    accounts: &[Account],
    mut kill: impl FnMut(),
    hearsay: &mut impl Hearsay,
) {
    let tokens: Vec<String> = run
        .owners()
        .map(|id| {
            accounts.iter().find(|account| account.id == id).map_or_else(String::new, |a| a.token.clone())
        })
        .collect();
    let inbox = Rc::new(Inbox::default());
    let mut wires: BTreeMap<u64, Wire> = BTreeMap::new();
    let mut next_step = 0;
    while !run.is_over() {
        run.tick(now());
        orders(run, server, &tokens, &inbox, &mut wires);
        if run.wants_step() && now() >= next_step {
            match run.step(now()) {
                Pace::Go => {}
                Pace::Pause(time) => next_step = now() + time,
                Pace::Kill => kill(),
            }
            orders(run, server, &tokens, &inbox, &mut wires);
            tokio::task::yield_now().await;
        } else if inbox.queue.borrow().is_empty() {
            // Either will do: something came, or time has passed.
            let _elapsed = tokio::time::timeout(TICK, inbox.came.notified()).await;
        }
        loop {
            let Some((device, socket, what)) = inbox.queue.borrow_mut().pop_front() else { break };
            handle(run, (device, socket), what, &mut wires, hearsay);
        }
    }
}

fn orders(
    run: &mut Run,
    server: &Endpoint,
    tokens: &[String],
    inbox: &Rc<Inbox>,
    wires: &mut BTreeMap<u64, Wire>,
) {
    while let Some((device, order)) = run.poll_order() {
        match order {
            Order::Open(socket) => {
                let token = tokens.get(device).cloned().unwrap_or_default();
                let task = connect(server.clone(), token, device, socket, Rc::clone(inbox));
                wires.insert(socket, Wire { task: tokio::task::spawn_local(task), link: None });
            }
            Order::Close(socket) => drop(wires.remove(&socket)),
            Order::Write { socket, ack, request } => {
                if let Some(link) = wires.get(&socket).and_then(|wire| wire.link.as_ref()) {
                    write(link, ack, &request);
                }
            }
        }
    }
}

fn write(link: &Link, ack: u64, request: &Request) {
    link.queue(|out| {
        packets::begin_event(ack, request.event(), out);
        out.extend_from_slice(request.payload().to_string().as_bytes());
        out.push(b']');
    });
    // A link that is gone is told of by its task.
    let _gone = link.flush();
}

async fn connect(server: Endpoint, token: String, device: usize, socket: u64, inbox: Rc<Inbox>) {
    let opened = tokio::time::timeout(OPEN_TIMEOUT, Session::open(&server, &token, None)).await;
    if let Ok(Ok(session)) = opened
        && inbox.push(device, socket, Happened::Opened(session.link()))
    {
        let _why = session
            .run(|packet, _| {
                let what = match packet {
                    Packet::Event { name, arguments } => {
                        Happened::Event(name.to_owned(), arguments.to_owned())
                    }
                    Packet::Ack { id, arguments } => Happened::Ack(id, arguments.to_owned()),
                };
                if inbox.push(device, socket, what) { Ok(()) } else { Err(ClientError::Closed) }
            })
            .await;
    }
    inbox.push(device, socket, Happened::Lost);
}

fn handle(
    run: &mut Run,
    (device, socket): (usize, u64),
    what: Happened,
    wires: &mut BTreeMap<u64, Wire>,
    hearsay: &mut impl Hearsay,
) {
    if !wires.contains_key(&socket) {
        return;
    }
    match what {
        Happened::Opened(link) => {
            if let Some(wire) = wires.get_mut(&socket) {
                wire.link = Some(link);
            }
            run.opened(device, socket, now());
        }
        Happened::Lost => {
            wires.remove(&socket);
            run.lost(device, socket, now());
        }
        Happened::Event(name, arguments) => match Notice::parse(&name, &arguments) {
            Ok(notice) => {
                hearsay
                    .notice(notice)
                    .into_iter()
                    .for_each(|notice| run.noticed(device, socket, notice, now()));
            }
            Err(what) => run.garbled(what),
        },
        Happened::Ack(ack, arguments) => {
            let request = run.request_of(device, socket, ack).cloned();
            let read = |request: &Request| Ok(hearsay.answer(request, request.answer(&arguments)?));
            match request.as_ref().map(read) {
                Some(Ok(answer)) => run.answered(device, socket, ack, answer, now()),
                Some(Err(what)) => run.garbled(what),
                None => run.garbled(format!("acknowledgement {ack} was not asked for, or came twice")),
            }
        }
    }
}
