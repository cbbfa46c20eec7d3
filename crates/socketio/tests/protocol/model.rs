//! The official client's behaviour as a model, against a session, under random schedules: whatever
//! happens around the upgrade, each side gets what the other sent, once and in order.

use bytes::Bytes;
use chat_socketio::engine::{Packet, decode_payload};
use chat_socketio::{Config, Event, Frame, Input, LinkId, Outgoing, Output, RequestId, Session, Transport};
use proptest::prelude::*;

use crate::peer::beginning;

const LINK: LinkId = LinkId(7);

/// One step of a schedule.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The client asks for packets, if it polls and none is open.
    Poll,
    /// The client sends its next number.
    Say,
    /// The server sends its next number, once it may.
    Tell,
    /// The server sends its next number whether it may or not, if none waits before it.
    Push,
    /// The client goes one step further in its upgrade.
    Upgrade,
    /// The upgrade's link breaks, if it is not yet the transport.
    Break,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Polling,
    Probing,
    /// The probe was answered: no further poll; `5` follows when none is open.
    Pausing,
    Upgraded,
}

struct World {
    session: Session,
    phase: Phase,
    polling: bool,
    requests: u64,
    said: u32,
    heard: Vec<u32>,
    told: u32,
    outbox: Vec<u32>,
    received: Vec<u32>,
}

impl World {
    fn new() -> Self {
        let session = Session::new(Config::default().into(), "sid", Transport::Polling, beginning());
        let mut world = Self {
            session,
            phase: Phase::Polling,
            polling: false,
            requests: 0,
            said: 0,
            heard: Vec::new(),
            told: 0,
            outbox: Vec::new(),
            received: Vec::new(),
        };
        world.step(Step::Poll);
        world.say("40");
        world
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Poll if !self.polling && matches!(self.phase, Phase::Polling | Phase::Probing) => {
                self.polling = true;
                self.requests += 1;
                self.input(Input::Get { request: RequestId(self.requests) });
            }
            Step::Say => {
                let text = format!("42[\"n\",{}]", self.said);
                self.said += 1;
                self.say(&text);
            }
            Step::Tell => {
                self.outbox.push(self.told);
                self.told += 1;
                self.run();
            }
            Step::Push if self.outbox.is_empty() => {
                self.send(self.told);
                self.told += 1;
                self.run();
            }
            Step::Upgrade => self.upgrade(),
            Step::Break if matches!(self.phase, Phase::Probing | Phase::Pausing) => {
                self.phase = Phase::Polling;
                self.input(Input::LinkClosed { link: LINK });
            }
            Step::Poll | Step::Push | Step::Break => {}
        }
    }

    fn upgrade(&mut self) {
        match self.phase {
            Phase::Polling => {
                self.phase = Phase::Probing;
                self.input(Input::Upgrade { link: LINK });
                self.input(Input::Text { link: LINK, data: "2probe".into() });
            }
            Phase::Pausing if !self.polling => {
                self.phase = Phase::Upgraded;
                self.input(Input::Text { link: LINK, data: "5".into() });
            }
            Phase::Probing | Phase::Pausing | Phase::Upgraded => {}
        }
    }

    fn say(&mut self, text: &str) {
        let data = Bytes::copy_from_slice(text.as_bytes());
        if self.phase == Phase::Upgraded {
            self.input(Input::Text { link: LINK, data });
        } else {
            self.requests += 1;
            self.input(Input::Post { request: RequestId(self.requests), body: data });
        }
    }

    fn input(&mut self, input: Input) {
        self.session.handle(beginning(), input);
        self.run();
    }

    /// The embedder: sends while it may, and does what the session says.
    fn run(&mut self) {
        loop {
            while self.session.writable() && !self.outbox.is_empty() {
                let number = self.outbox.remove(0);
                self.send(number);
            }
            let Some(output) = self.session.poll_output() else { return };
            self.output(output);
        }
    }

    fn send(&mut self, number: u32) {
        let text = format!("42[{number}]");
        self.session.send(beginning(), Outgoing::from(Bytes::from(text)));
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Reply { reply, .. } if reply.body == "ok" => {}
            Output::Reply { reply, .. } => {
                assert_eq!(reply.status, 200);
                self.polling = false;
                decode_payload(reply.body).for_each(|packet| self.receive(packet.unwrap()));
            }
            Output::Send { frame: Frame::Text(text), .. } => self.receive(Packet::decode(text).unwrap()),
            Output::Event(Event::Connect { .. }) => {
                self.session.accept(beginning(), "/", "id");
            }
            Output::Event(Event::Message { args, .. }) => {
                self.heard.push(args.get(0).unwrap().parse().unwrap());
            }
            other => panic!("{other:?}"),
        }
    }

    fn receive(&mut self, packet: Packet) {
        match packet {
            Packet::Text(text) if text.starts_with(b"2[") => {
                let number = std::str::from_utf8(&text[2..text.len() - 1]).unwrap();
                self.received.push(number.parse().unwrap());
            }
            Packet::Pong if self.phase == Phase::Probing => self.phase = Phase::Pausing,
            _ => {}
        }
    }

    /// Lets what is under way arrive.
    fn settle(&mut self) {
        for _ in 0..3 {
            self.step(Step::Upgrade);
            self.step(Step::Poll);
        }
    }
}

fn schedule() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Poll),
        4 => Just(Step::Say),
        4 => Just(Step::Tell),
        2 => Just(Step::Push),
        2 => Just(Step::Upgrade),
        1 => Just(Step::Break),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_reordered_around_the_upgrade(steps in schedule()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.settle();
        prop_assert_eq!(&world.heard, &(0..world.said).collect::<Vec<_>>());
        prop_assert_eq!(&world.received, &(0..world.told).collect::<Vec<_>>());
        prop_assert!(!world.session.is_closed());
    }
}
