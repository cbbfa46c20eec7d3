//! The network between devices and server: what is under way in both directions, and what of it is lost.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use chat_verify::{Answer, Notice, Request};
use parking_lot::Mutex;

use crate::sim::Sim;

/// What goes from a device to the server.
pub(crate) enum Up {
    Connect,
    Request(u64, Request),
    /// The link is gone, and now the server knows.
    End,
}

/// What goes from the server to a device.
pub(crate) enum Down {
    Opened,
    Answer(u64, Answer),
    Notice(Notice),
    Lost,
}

/// One way of a link: what is sent arrives in its order, each with the time at which it does.
struct Way<T>(VecDeque<(u64, T)>);

impl<T> Way<T> {
    const fn new() -> Self {
        Self(VecDeque::new())
    }

    fn push(&mut self, sim: &Sim, what: T) {
        let wait = match sim.below(400) {
            0 => sim.millis(1_500),
            1..20 => sim.millis(40),
            20..120 => sim.millis(4),
            _ => 0,
        };
        let behind = self.0.back().map_or(0, |(due, _)| *due);
        self.0.push_back((behind.max(sim.now() + wait), what));
    }

    fn due(&self) -> Option<u64> {
        self.0.front().map(|(due, _)| *due)
    }

    /// Of what is under way only the beginning arrives.
    fn cut(&mut self, sim: &Sim) {
        self.0.truncate(sim.below(self.0.len() + 1));
    }
}

struct Link {
    device: usize,
    up: Way<Up>,
    down: Way<Down>,
    /// The device has dropped it, or was told of its end.
    deaf: bool,
    /// The server has dropped it.
    mute: bool,
}

/// All links, by the number of their socket.
pub(crate) struct Net {
    sim: Arc<Sim>,
    /// What may be under way to a device; one that is slower is cut off.
    outbox: usize,
    // Short, never held across an await.
    links: Mutex<BTreeMap<u64, Link>>,
}

impl Net {
    pub(crate) fn new(sim: Arc<Sim>) -> Arc<Self> {
        let outbox = if sim.chance(20) { 8 + sim.below(20) } else { 10_000 };
        Arc::new(Self { sim, outbox, links: Mutex::default() })
    }

    /// A device opens a link.
    pub(crate) fn open(&self, device: usize, socket: u64) {
        let mut link = Link { device, up: Way::new(), down: Way::new(), deaf: false, mute: false };
        link.up.push(&self.sim, Up::Connect);
        self.links.lock().insert(socket, link);
    }

    /// A device drops its link: of what it had sent some still arrives, of what was sent to it nothing.
    pub(crate) fn close(&self, socket: u64) {
        let mut links = self.links.lock();
        let Some(link) = links.get_mut(&socket) else { return };
        link.deaf = true;
        link.down.0.clear();
        link.up.cut(&self.sim);
        // Where no word of the end comes, the server finds out late.
        let late = if self.sim.chance(30) { self.sim.millis(3_000) } else { 0 };
        link.up.push(&self.sim, Up::End);
        if let Some((due, _)) = link.up.0.back_mut() {
            *due += late;
        }
    }

    /// A device sends.
    pub(crate) fn write(&self, socket: u64, ack: u64, request: Request) {
        if let Some(link) = self.links.lock().get_mut(&socket).filter(|link| !link.deaf) {
            link.up.push(&self.sim, Up::Request(ack, request));
        }
    }

    /// The server sends.
    pub(crate) fn tell(&self, socket: u64, what: Down) {
        let mut links = self.links.lock();
        let Some(link) = links.get_mut(&socket).filter(|link| !link.deaf && !link.mute) else { return };
        if link.down.0.len() < self.outbox {
            link.down.push(&self.sim, what);
        } else {
            link.end(&self.sim);
            link.up.push(&self.sim, Up::End);
        }
    }

    /// The server drops a link.
    pub(crate) fn drop_link(&self, socket: u64) {
        if let Some(link) = self.links.lock().get_mut(&socket) {
            link.end(&self.sim);
        }
    }

    /// The server is gone. Who is about to connect may meet the next one.
    pub(crate) fn end_all(&self) {
        self.links.lock().retain(|_, link| {
            if !matches!(link.up.0.front(), Some((_, Up::Connect))) {
                link.end(&self.sim);
            }
            !link.deaf || !link.up.0.is_empty()
        });
    }

    /// When the next thing arrives.
    pub(crate) fn next(&self) -> Option<u64> {
        let links = self.links.lock();
        links.values().flat_map(|link| [link.up.due(), link.down.due()]).flatten().min()
    }

    /// Who has something that arrives now: the socket, and whether it is the server's.
    pub(crate) fn arriving(&self, into: &mut Vec<(u64, bool)>) {
        let now = self.sim.now();
        for (socket, link) in self.links.lock().iter() {
            let ways = [(link.up.due(), true), (link.down.due(), false)];
            let due = ways.into_iter().filter(|(due, _)| due.is_some_and(|due| due <= now));
            into.extend(due.map(|(_, up)| (*socket, up)));
        }
    }

    /// What arrives at the server, and from which device.
    pub(crate) fn take_up(&self, socket: u64) -> Option<(usize, Up)> {
        let mut links = self.links.lock();
        let link = links.get_mut(&socket)?;
        let (device, (_, what)) = (link.device, link.up.0.pop_front()?);
        if link.deaf && link.up.0.is_empty() {
            links.remove(&socket);
        }
        Some((device, what))
    }

    /// What arrives at a device.
    pub(crate) fn take_down(&self, socket: u64) -> Option<(usize, Down)> {
        let mut links = self.links.lock();
        let link = links.get_mut(&socket)?;
        let (device, (_, what)) = (link.device, link.down.0.pop_front()?);
        link.deaf |= matches!(what, Down::Lost);
        if link.deaf && link.up.0.is_empty() {
            links.remove(&socket);
        }
        Some((device, what))
    }
}

impl Link {
    /// The server's end is gone: of what it had sent some still arrives.
    fn end(&mut self, sim: &Sim) {
        self.mute = true;
        self.up.0.clear();
        if !self.deaf {
            self.down.cut(sim);
            self.down.push(sim, Down::Lost);
        }
    }
}
