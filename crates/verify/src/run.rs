//! One schedule from beginning to end, without I/O: orders come out, what happened goes in.

mod steps;

use std::collections::{BTreeMap, VecDeque};

use crate::{
    device::{Device, Order},
    findings::{Findings, Kind},
    judge::{self, Views},
    ledger::Ledger,
    rng::Rng,
    schedule,
    wire::{Answer, Notice, Request},
};

/// What a run is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Where all randomness comes from.
    pub seed: u64,
    /// How many steps are taken.
    pub steps: usize,
    /// Whether the server is to be killed now and then.
    pub kills: bool,
    /// How long anything may take at the end, in milliseconds.
    pub patience: u64,
}

/// What a driver has to do besides the orders of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Nothing.
    Go,
    /// Let this many milliseconds pass before the next step.
    Pause(u64),
    /// Kill the server, and start it again.
    Kill,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Everybody comes, nobody is blocked, and where conversations stand is noted.
    Setup,
    /// The schedule.
    Steps,
    /// Everybody comes back and finishes.
    Drain,
    /// What the devices show is compared with the histories: first as it came live, then, after a crash, by `sync`.
    Compare {
        synced: bool,
    },
    Over,
}

/// Pages of a walk at the end.
const PAGE: u32 = 50;
/// The time between two comparisons, in milliseconds.
const RECHECK: u64 = 20;

/// A run of one schedule.
#[derive(Debug)]
pub struct Run {
    plan: Plan,
    tag: String,
    people: Vec<String>,
    devices: Vec<Device>,
    floors: BTreeMap<(String, String), (u64, Option<String>)>,
    ledger: Ledger,
    /// What the last look has found, and the next one may not find any more.
    differences: Findings,
    rng: Rng,
    phase: Phase,
    until: u64,
    look_at: u64,
    sockets: u64,
    steps: usize,
    sent: u64,
    names: Vec<Request>,
    orders: VecDeque<(usize, Order)>,
}

impl Run {
    /// A run of these people, known by their ids: at least two of them. `tag` begins the names of its messages and must be new to
    /// the server.
    #[must_use]
    pub fn new(plan: Plan, tag: &str, people: Vec<String>, now: u64) -> Self {
        let mut rng = Rng::new(plan.seed);
        let mut devices = Vec::new();
        for (number, person) in people.iter().enumerate() {
            for device in 0..=rng.below(3) {
                let own = Rng::new(rng.next());
                devices.push(Device::new(format!("device {device} of user {number}"), person, own));
            }
        }
        let mut run = Self {
            plan,
            tag: tag.to_owned(),
            people,
            devices,
            floors: BTreeMap::new(),
            ledger: Ledger::default(),
            differences: Findings::default(),
            rng,
            phase: Phase::Setup,
            until: now + plan.patience,
            look_at: 0,
            sockets: 0,
            steps: 0,
            sent: 0,
            names: Vec::new(),
            orders: VecDeque::new(),
        };
        run.set_up();
        run
    }

    /// Whose each device is.
    pub fn owners(&self) -> impl Iterator<Item = &str> {
        self.devices.iter().map(Device::user)
    }

    /// What a driver has to do next, and for which device.
    pub fn poll_order(&mut self) -> Option<(usize, Order)> {
        self.orders.pop_front()
    }

    /// Whether [`Run::step`] is to be called.
    #[must_use]
    pub fn wants_step(&self) -> bool {
        self.phase == Phase::Steps
    }

    /// Whether it is at its end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// How many messages were written.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// How many devices there are.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.devices.len()
    }

    /// What is wrong.
    #[must_use]
    pub fn into_findings(self) -> Findings {
        self.ledger.findings
    }

    /// A connection is open.
    pub fn opened(&mut self, device: usize, socket: u64, now: u64) {
        if let Some(device) = self.devices.get_mut(device) {
            device.opened(socket);
        }
        self.tick(now);
    }

    /// A connection ended, or was never made.
    pub fn lost(&mut self, device: usize, socket: u64, now: u64) {
        if let Some(device) = self.devices.get_mut(device) {
            device.lost(socket, now);
        }
    }

    /// What an acknowledgement is for.
    #[must_use]
    pub fn request_of(&self, device: usize, socket: u64, ack: u64) -> Option<&Request> {
        self.devices.get(device)?.request_of(socket, ack)
    }

    /// A request was answered.
    pub fn answered(&mut self, device: usize, socket: u64, ack: u64, answer: Answer, now: u64) {
        if let Some(device) = self.devices.get_mut(device) {
            device.answered(socket, ack, answer, now, &mut self.ledger);
        }
        self.tick(now);
    }

    /// A device was told something.
    pub fn noticed(&mut self, device: usize, socket: u64, notice: Notice, now: u64) {
        if let Some(device) = self.devices.get_mut(device) {
            device.noticed(socket, notice, &mut self.ledger);
        }
        self.tick(now);
    }

    /// What came was not understood.
    pub fn garbled(&mut self, what: String) {
        self.ledger.findings.add(Kind::Answer, what);
    }

    /// Time has passed, or something has happened.
    pub fn tick(&mut self, now: u64) {
        self.advance(now);
        let mut orders = Vec::new();
        for (place, device) in self.devices.iter_mut().enumerate() {
            device.pump(now, &mut self.sockets, &mut self.ledger, &mut orders);
            self.orders.extend(orders.drain(..).map(|order| (place, order)));
        }
    }

    fn advance(&mut self, now: u64) {
        if matches!(self.phase, Phase::Steps | Phase::Over) || now < self.look_at {
            return;
        }
        if !self.devices.iter().all(Device::is_idle) {
            if now > self.until {
                self.give_up();
            }
            return;
        }
        match self.phase {
            Phase::Setup => {
                self.note_floors();
                self.phase = Phase::Steps;
            }
            Phase::Drain => self.compare(false, now + self.plan.patience),
            Phase::Compare { synced } => self.look(synced, now),
            Phase::Steps | Phase::Over => {}
        }
    }

    fn give_up(&mut self) {
        self.ledger.findings.merge(std::mem::take(&mut self.differences));
        for device in self.devices.iter().filter(|device| !device.is_idle()) {
            self.ledger.findings.add(Kind::Unanswered, device.waits_for());
        }
        self.phase = Phase::Over;
    }

    /// The first device of each person, with the ids of all others.
    fn for_pairs(&mut self, mut each: impl FnMut(&mut Device, &str)) {
        for person in &self.people {
            let Some(device) = self.devices.iter_mut().find(|device| device.user() == person) else {
                continue;
            };
            self.people.iter().filter(|other| *other != person).for_each(|other| each(device, other));
        }
    }

    fn set_up(&mut self) {
        self.devices.iter_mut().for_each(|device| device.want(true, &mut Vec::new()));
        self.for_pairs(|device, other| {
            device.ask(Request::Block { user: other.to_owned(), on: false });
            device.read(other, None, 1);
        });
    }

    fn note_floors(&mut self) {
        let mut floors = BTreeMap::new();
        self.for_pairs(|device, other| {
            let newest = device.pages(other).last();
            let floor = newest.map_or((0, None), |message| (message.seq, Some(message.id.clone())));
            floors.insert((device.user().to_owned(), other.to_owned()), floor);
        });
        for ((me, other), (seq, _)) in &floors {
            let own = self.devices.iter_mut().filter(|device| device.user() == me);
            own.for_each(|device| device.begin_after(other, *seq));
        }
        // A crash must not go back behind the first cursor.
        self.devices.iter_mut().for_each(Device::save);
        self.floors = floors;
    }

    fn compare(&mut self, synced: bool, until: u64) {
        self.phase = Phase::Compare { synced };
        self.until = until;
        self.ask_views();
    }

    fn ask_views(&mut self) {
        let floors = std::mem::take(&mut self.floors);
        self.for_pairs(|device, other| {
            let floor = floors.get(&(device.user().to_owned(), other.to_owned()));
            device.read(other, floor.and_then(|(_, id)| id.clone()), PAGE);
        });
        self.floors = floors;
    }

    fn views(&mut self) -> Views {
        let mut views = Views::new();
        self.for_pairs(|device, other| {
            views.insert((device.user().to_owned(), other.to_owned()), device.pages(other).to_vec());
        });
        views
    }

    /// Everybody is idle and the histories are read: the devices must show them, at once or soon.
    fn look(&mut self, synced: bool, now: u64) {
        let views = self.views();
        let differences = judge::differences(&views, &self.devices, synced);
        if !differences.is_empty() && now < self.until {
            self.differences = differences;
            self.look_at = now + RECHECK;
            self.ask_views();
            return;
        }
        self.differences = Findings::default();
        self.ledger.findings.merge(differences);
        if synced {
            let floors = self.floors.iter().map(|(pair, (seq, _))| (pair.clone(), *seq)).collect();
            judge::judge(&mut self.ledger, &views, &floors, &self.tag);
            self.phase = Phase::Over;
            return;
        }
        for place in 0..self.devices.len() {
            self.with(place, |device, orders| device.crash(orders));
        }
        self.compare(true, now + self.plan.patience);
    }

    fn with(&mut self, place: usize, act: impl FnOnce(&mut Device, &mut Vec<Order>)) {
        let mut orders = Vec::new();
        if let Some(device) = self.devices.get_mut(place) {
            act(device, &mut orders);
        }
        self.orders.extend(orders.into_iter().map(|order| (place, order)));
    }

    /// Takes the next step of the schedule.
    pub fn step(&mut self, now: u64) -> Pace {
        if self.steps >= self.plan.steps {
            self.finish(now);
            return Pace::Go;
        }
        self.steps += 1;
        let place = self.rng.below(self.devices.len());
        let step = schedule::draw(&mut self.rng, self.people.len(), self.plan.kills);
        let pace = self.take(place, step);
        self.tick(now);
        pace
    }

    fn finish(&mut self, now: u64) {
        self.phase = Phase::Drain;
        self.until = now + self.plan.patience;
        self.devices.iter_mut().for_each(|device| device.want(true, &mut Vec::new()));
        self.tick(now);
    }
}
