//! Pairs of users who write to each other: every message is followed from sending to both ends.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::checks::{Acks, Arrivals, Checks};
use crate::crowd::Crowd;
use crate::message::{Message, SendAck, Stamp};
use crate::stats::Histogram;
use crate::users::User;
use chat_client::ClientError as LoadError;
use chat_client::Link;
use chat_client::clock;
use chat_client::packets::{self, Packet};

/// How long the last messages may take to arrive when sending has stopped.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);

/// What messages look like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Bytes of a text.
    pub(crate) size: usize,
    /// Whether each send carries a `clientId`.
    pub(crate) client_ids: bool,
}

/// Counts over all pairs; single-threaded, so plain cells.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Whether latencies are being counted.
    pub(crate) recording: Cell<bool>,
    /// How many more messages acknowledgements may set off: a closed loop while it is above zero.
    pub(crate) refills: Cell<u64>,
    /// Messages that arrived at the other side.
    pub(crate) delivered: Cell<u64>,
    /// Messages that were acknowledged as stored.
    pub(crate) acknowledged: Cell<u64>,
    /// From sending to the acknowledgement.
    pub(crate) ack_times: RefCell<Histogram>,
    /// From sending to the other side.
    pub(crate) receive_times: RefCell<Histogram>,
    refused: RefCell<BTreeMap<String, u64>>,
}

/// One socket of a pair.
pub(crate) struct Side {
    link: Rc<Link>,
    partner: Rc<str>,
    shape: Shape,
    tally: Rc<Tally>,
    sent: u64,
    unanswered: VecDeque<(u64, u64)>,
    refused: BTreeSet<u64>,
    acks: Acks,
    arrivals: Arrivals,
}

impl Side {
    fn new(link: Rc<Link>, partner: Rc<str>, shape: Shape, tally: Rc<Tally>) -> Side {
        Side {
            link,
            partner,
            shape,
            tally,
            sent: 0,
            unanswered: VecDeque::new(),
            refused: BTreeSet::new(),
            acks: Acks::default(),
            arrivals: Arrivals::default(),
        }
    }

    /// Queues the next message, whose latency counts from `at`; the link's flush sends it.
    pub(crate) fn send(&mut self, at: u64) {
        let number = self.sent;
        self.sent += 1;
        self.unanswered.push_back((number, at));
        self.link.queue(|out| {
            packets::begin_event(number, "private_message", out);
            out.extend_from_slice(b"{\"receiverId\":\"");
            out.extend_from_slice(self.partner.as_bytes());
            if self.shape.client_ids {
                out.extend_from_slice(format!("\",\"clientId\":\"c{number}").as_bytes());
            }
            out.extend_from_slice(b"\",\"message\":\"");
            Stamp { number, at }.write(self.shape.size, out);
            out.extend_from_slice(b"\"}]");
        });
    }

    /// Writes what is queued.
    ///
    /// # Errors
    /// When the connection is gone.
    pub(crate) fn flush(&self) -> Result<(), LoadError> {
        self.link.flush()
    }

    /// The highest number that the server acknowledged to this side.
    pub(crate) fn highest_acknowledged(&self) -> u64 {
        self.acks.highest()
    }

    fn handle(&mut self, packet: Packet<'_>, now: u64) -> Result<(), LoadError> {
        match packet {
            Packet::Event { name: "private_message", arguments } => self.arrived(arguments, now),
            Packet::Ack { id, arguments } => self.answered(id, arguments, now),
            Packet::Event { name: "error", arguments } => Err(LoadError::protocol("error event", arguments)),
            Packet::Event { .. } => Ok(()),
        }
    }

    fn arrived(&mut self, arguments: &str, now: u64) -> Result<(), LoadError> {
        let message: Message<'_> = read(arguments)?;
        let stamp = Stamp::read(&message.message).ok_or_else(|| LoadError::protocol("foreign", arguments))?;
        self.arrivals.note(stamp.number, message.seq);
        self.tally.delivered.set(self.tally.delivered.get() + 1);
        if self.tally.recording.get() {
            self.tally.receive_times.borrow_mut().record(now.saturating_sub(stamp.at));
        }
        Ok(())
    }

    fn answered(&mut self, id: u64, arguments: &str, now: u64) -> Result<(), LoadError> {
        let place = self.unanswered.iter().position(|&(number, _)| number == id);
        let Some((_, at)) = place.and_then(|place| self.unanswered.remove(place)) else {
            return Err(LoadError::protocol("an ack that was not asked for, or a second one", arguments));
        };
        let ack: SendAck<'_> = read(arguments)?;
        match ack.message {
            Some(message) if ack.ok => {
                self.acks.note(message.seq, place == Some(0));
                self.tally.acknowledged.set(self.tally.acknowledged.get() + 1);
                if self.tally.recording.get() {
                    self.tally.ack_times.borrow_mut().record(now.saturating_sub(at));
                }
            }
            _ => {
                let code = ack.error.map_or_else(|| "without a code".to_owned(), |error| error.code);
                self.refused.insert(id);
                *self.tally.refused.borrow_mut().entry(code).or_default() += 1;
            }
        }
        self.refill();
        Ok(())
    }

    fn refill(&mut self) {
        let left = self.tally.refills.get();
        if left > 0 {
            self.tally.refills.set(left - 1);
            self.send(clock::nanos());
        }
    }
}

/// The open pairs: sides 2n and 2n + 1 write to each other.
pub(crate) struct Pairs {
    sides: Vec<Rc<RefCell<Side>>>,
    tally: Rc<Tally>,
    crowd: Crowd,
}

impl Pairs {
    /// Connects `users`, an even number of them.
    ///
    /// # Errors
    /// When a connection failed.
    pub(crate) async fn open(server: SocketAddr, users: &[User], shape: Shape) -> Result<Pairs, LoadError> {
        let (tally, mut crowd, mut sides) = (Rc::new(Tally::default()), Crowd::default(), Vec::new());
        let partners: Vec<_> =
            users.as_chunks::<2>().0.iter().flat_map(|[one, other]| [&other.id, &one.id]).collect();
        let tokens = users.iter().map(|user| Rc::clone(&user.token)).take(partners.len());
        let mut partners = partners.into_iter().map(Rc::clone);
        crowd
            .open(server, tokens, |_, link| {
                let partner = partners.next().unwrap_or_default();
                let side = Rc::new(RefCell::new(Side::new(link, partner, shape, Rc::clone(&tally))));
                sides.push(Rc::clone(&side));
                move |packet: Packet<'_>, now| side.borrow_mut().handle(packet, now)
            })
            .await?;
        Ok(Pairs { sides, tally, crowd })
    }

    /// The counts over all pairs.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Every side, to be borrowed between awaits only.
    pub(crate) fn sides(&self) -> impl Iterator<Item = RefMut<'_, Side>> {
        self.sides.iter().map(|side| side.borrow_mut())
    }

    /// The side that sends the message `turn` of a schedule: first each pair's one side, then each other.
    pub(crate) fn on_turn(&self, turn: u64) -> Option<RefMut<'_, Side>> {
        let pairs = (self.sides.len() / 2) as u64;
        let index = turn.checked_rem(pairs)? * 2 + turn.checked_div(pairs)? % 2;
        self.sides.get(usize::try_from(index).ok()?).map(|side| side.borrow_mut())
    }

    /// Starts a closed loop: `in_flight` sends on every side, and one more for each acknowledgement until
    /// `count` messages are sent.
    ///
    /// # Errors
    /// When a connection is gone.
    pub(crate) fn start_loop(&self, in_flight: u64, count: u64) -> Result<(), LoadError> {
        self.tally.refills.set(count);
        for mut side in self.sides() {
            (0..in_flight).for_each(|_| side.refill());
            side.flush()?;
        }
        Ok(())
    }

    /// Ends a closed loop; what is in flight goes on.
    pub(crate) fn stop_loop(&self) {
        self.tally.refills.set(0);
    }

    /// Waits until every message sent has been answered and has arrived; gives up when for 15 s nothing came.
    /// What is missing then, [`Pairs::checks`] tells.
    pub(crate) async fn drain(&self) {
        let mut heard = (self.heard(), clock::nanos());
        while !self.settled() {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let now = (self.heard(), clock::nanos());
            if now.0 != heard.0 {
                heard = now;
            } else if u128::from(now.1 - heard.1) > DRAIN_TIMEOUT.as_nanos() {
                return;
            }
        }
    }

    /// The verdict over everything since the pairs were opened.
    pub(crate) fn checks(&self) -> Checks {
        let mut checks = Checks {
            refused: self.tally.refused.borrow().clone(),
            broken_connections: self.crowd.broken(),
            ..Checks::default()
        };
        for [one, other] in self.sides.as_chunks::<2>().0 {
            let (one, other) = (one.borrow(), other.borrow());
            checks.unanswered += (one.unanswered.len() + other.unanswered.len()) as u64;
            checks.add_arrivals(&other.arrivals, one.sent, &one.refused);
            checks.add_arrivals(&one.arrivals, other.sent, &other.refused);
            checks.add_acks(&one.acks, &other.acks);
        }
        checks
    }

    fn heard(&self) -> u64 {
        self.tally.delivered.get() + self.tally.acknowledged.get()
    }

    fn settled(&self) -> bool {
        let open: usize = self.sides().map(|side| side.unanswered.len()).sum();
        let due: u64 = self.sides().map(|side| side.sent - side.refused.len() as u64).sum();
        open == 0 && self.tally.delivered.get() >= due
    }
}

fn read<'a, T: serde::Deserialize<'a>>(arguments: &'a str) -> Result<T, LoadError> {
    packets::first(arguments).map_err(|error| LoadError::protocol(&error.to_string(), arguments))
}
