//! Plays one schedule in virtual time: what could happen next is gathered, and chance picks one of it.

use std::sync::Arc;

use chat_domain::model::UserId;
use chat_testkit::{SequentialIds, build};
use chat_verify::{Findings, Order, Pace, Plan, Rng, Run};

use crate::{
    bugs::Bug,
    disk::Platter,
    net::{Down, Net, Up},
    server::{Server, World},
    sim::{Plain, Sim, Tasks},
};

/// Steps of a schedule.
const STEPS: usize = 40;
/// How long everything may take at the end, in virtual milliseconds; and where a bug is to be found.
const PATIENCE: u64 = 300_000;
const SHORT_PATIENCE: u64 = 10_000;
/// How often the run looks at the time when nothing happens.
const TICK: u64 = 20;
/// Things that may happen in a schedule: far more than ever do.
const TURNS: u32 = 2_000_000;

/// What became of a schedule.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) sent: u64,
    pub(crate) kills: u32,
    /// All that happened, as one number.
    pub(crate) trace: u64,
    pub(crate) findings: Findings,
}

/// What may happen next.
enum Next {
    Task(usize),
    Arrival(u64, bool),
    Step,
}

struct Play {
    world: World,
    run: Run,
    owners: Vec<UserId>,
    server: Option<Server>,
    tasks: Tasks,
    /// When the next step may be taken, the server is there again, and the store is.
    step_at: u64,
    start_at: u64,
    back_at: Option<u64>,
    outages: bool,
    kills: u32,
}

/// Plays the schedule of this seed, over a store with this bug.
pub(crate) fn play(seed: u64, bug: Option<Bug>) -> Played {
    let sim = Sim::new(seed);
    let ids = Arc::new(SequentialIds::new());
    let count = 2 + Rng::new(seed).below(4);
    let accounts: Vec<_> =
        (0..count).map(|number| build::new_user(ids.user(), &format!("user{number}"))).collect();
    let people = accounts.iter().map(|account| account.id.to_string()).collect();
    let net = Net::new(Arc::clone(&sim));
    let platter = futures_executor::block_on(Platter::new(&sim, bug, accounts));
    let world = World { sim, net, platter, ids };
    let patience = if bug.is_none() { PATIENCE } else { SHORT_PATIENCE };
    let plan = Plan { seed, steps: STEPS, kills: true, patience };
    let run = Run::new(plan, "t", people, 0);
    let owners = run.owners().map(|id| id.parse().unwrap()).collect();
    let mut tasks = Tasks::default();
    let server = Some(Server::start(&world, &mut tasks));
    let outages = world.sim.chance(30);
    let (step_at, start_at, back_at, kills) = (0, 0, None, 0);
    let mut play = Play { world, run, owners, server, tasks, step_at, start_at, back_at, outages, kills };
    play.finish(seed);
    let Play { run, kills, world, .. } = play;
    Played { sent: run.sent(), kills, trace: world.sim.trace(), findings: run.into_findings() }
}

impl Play {
    fn finish(&mut self, seed: u64) {
        let (mut turns, mut choices) = (0, Vec::new());
        self.run.tick(0);
        self.obey();
        while !self.run.is_over() {
            turns += 1;
            assert!(turns < TURNS, "seed {seed} comes to no end");
            choices.clear();
            self.choices(&mut choices);
            if choices.is_empty() {
                self.wait();
            } else {
                let place = self.world.sim.below(choices.len());
                self.happen(choices.swap_remove(place));
            }
            self.obey();
        }
    }

    fn choices(&self, into: &mut Vec<Next>) {
        let mut arriving = Vec::new();
        self.world.net.arriving(&mut arriving);
        into.extend(arriving.into_iter().map(|(socket, up)| Next::Arrival(socket, up)));
        into.extend((0..self.tasks.ready()).map(Next::Task));
        if self.run.wants_step() && self.world.sim.now() >= self.step_at {
            into.push(Next::Step);
        }
    }

    /// Nothing can happen now: time passes.
    fn wait(&mut self) {
        let sim = &self.world.sim;
        let now = sim.now();
        let starts = self.server.is_none().then_some(self.start_at);
        let step = self.run.wants_step().then_some(self.step_at);
        let next = [sim.next_timer(), self.world.net.next(), starts, step, self.back_at];
        let next = next.into_iter().flatten().fold(now + TICK, u64::min).max(now + 1);
        sim.advance(next);
        if self.back_at.is_some_and(|back| back <= next) {
            self.back_at = None;
            self.world.platter.store().set_away(false);
        }
        if self.server.is_none() && self.start_at <= next {
            self.server = Some(Server::start(&self.world, &mut self.tasks));
        }
        self.run.tick(next);
    }

    fn happen(&mut self, next: Next) {
        match next {
            Next::Task(place) => {
                let task = self.tasks.go_on(place);
                self.world.sim.note(("task", task));
            }
            Next::Arrival(socket, true) => self.arrive_up(socket),
            Next::Arrival(socket, false) => self.arrive_down(socket),
            Next::Step => self.step(),
        }
    }

    fn arrive_up(&mut self, socket: u64) {
        let Some((device, what)) = self.world.net.take_up(socket) else { return };
        self.world.sim.note(("up", socket));
        match (what, &mut self.server) {
            (Up::Connect, Some(server)) => {
                server.connect(socket, self.owners[device], &mut self.tasks);
            }
            (Up::Connect, None) => self.world.net.drop_link(socket),
            (Up::Request(ack, request), Some(server)) => server.request(socket, ack, request),
            (Up::End, Some(server)) => server.end(socket),
            (Up::Request(..) | Up::End, None) => {}
        }
    }

    fn arrive_down(&mut self, socket: u64) {
        let Some((device, what)) = self.world.net.take_down(socket) else { return };
        let now = self.world.sim.now();
        match what {
            Down::Opened => {
                self.world.sim.note(("opened", socket));
                self.run.opened(device, socket, now);
            }
            Down::Lost => {
                self.world.sim.note(("lost", socket));
                self.run.lost(device, socket, now);
                self.run.tick(now);
            }
            Down::Answer(ack, answer) => {
                self.world.sim.note(("down", socket, ack, Plain(format!("{answer:?}"))));
                self.run.answered(device, socket, ack, answer, now);
            }
            Down::Notice(notice) => {
                self.world.sim.note(("down", socket, Plain(format!("{notice:?}"))));
                self.run.noticed(device, socket, notice, now);
            }
        }
    }

    fn step(&mut self) {
        let sim = Arc::clone(&self.world.sim);
        let now = sim.now();
        let pause = match self.run.step(now) {
            Pace::Go => 0,
            Pace::Pause(time) => time,
            Pace::Kill => {
                self.kill();
                0
            }
        };
        let rest = match sim.below(10) {
            0 => sim.millis(40),
            1..5 => sim.millis(4),
            _ => 0,
        };
        self.step_at = now + pause + rest;
        if self.outages && self.back_at.is_none() && sim.chance(2) {
            self.world.platter.store().set_away(true);
            self.back_at = Some(now + 1 + sim.millis(300));
        }
    }

    /// Everything in memory is gone at once.
    fn kill(&mut self) {
        self.kills += 1;
        self.world.sim.note("kill");
        self.server = None;
        self.tasks.kill();
        self.world.net.end_all();
        futures_executor::block_on(self.world.platter.killed());
        self.start_at = self.world.sim.now() + self.world.sim.millis(100);
    }

    fn obey(&mut self) {
        while let Some((device, order)) = self.run.poll_order() {
            self.world.sim.note(("device", device, Plain(format!("{order:?}"))));
            match order {
                Order::Open(socket) => self.world.net.open(device, socket),
                Order::Close(socket) => self.world.net.close(socket),
                Order::Write { socket, ack, request } => self.world.net.write(socket, ack, request),
            }
        }
    }
}
