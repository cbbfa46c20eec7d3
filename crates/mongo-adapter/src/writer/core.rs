//! The writer's decisions, without any I/O: what to insert next, what to look up, and what an
//! outcome means for everybody who waits.
//!
//! Whoever drives it asks [`Core::plan`] for the next insert and [`Core::looks`] for the next
//! look-up, carries them out, and reports what came of them. At most one of each is on its way.
//!
//! A conversation's messages are inserted only while its highest number is known. Whatever puts that in
//! question (a duplicate key, an unknown outcome) forgets the number; the look-up that
//! finds it again also looks for the conversation's messages that may be stored already. So
//! nothing new is stored, or told, before what may stand in front of it is settled.

use std::{
    collections::BTreeMap,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use chat_ports::{
    Commit, StoreError,
    model::{ConversationId, Message, SocketId},
};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::{
    entry::{Answer, Entry, Waiters},
    lingering::Lingering,
    looking::Name,
    numbers::Numbers,
    queue::Job,
};
use crate::documents::Dedup;

/// Bounds of one insert and of what is remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) batch_entries: usize,
    pub(super) batch_bytes: usize,
    pub(super) doubtful_entries: usize,
    pub(super) cached_conversations: usize,
}

/// A document without its text, generously.
const DOCUMENT_BYTES: usize = 512;

/// What came of an insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserted {
    /// Everything is durable.
    All,
    /// What stands before this index is durable; this one met a key that is there already; those
    /// behind it were not tried.
    Duplicate(usize),
    /// The same, but this one can't ever be stored.
    Refused(usize),
    /// Any of it may be stored, now or later.
    Unknown {
        /// Whether the server understood and said no, so that one message may be to blame.
        refused: bool,
    },
}

/// What is to be told once an outcome is known: commits first, then answers.
#[derive(Default)]
pub(super) struct Effects {
    /// Messages that became durable, and the numbers of the commits; within a conversation in the order of `seq`.
    pub(super) commits: Vec<(Commit, u64)>,
    /// Numbers under which nothing became durable.
    pub(super) void: Vec<u64>,
    /// Numbers of which that is not known.
    pub(super) doubtful: Vec<u64>,
    pub(super) answers: Vec<Answer>,
}

/// The order of arrival.
pub(super) type Ticket = u64;

/// The writer's memory.
pub(super) struct Core {
    bounds: Bounds,
    next_ticket: Ticket,
    pub(super) entries: BTreeMap<Ticket, Entry>,
    /// Who holds a name that a sender gave. Copies of it never enter a batch.
    pub(super) reserved: HashMap<Name, Ticket>,
    pub(super) lingering: Lingering,
    pub(super) numbers: Numbers,
    /// The insert that is on its way, with each message's number.
    pub(super) flight: Vec<Ticket>,
    pub(super) flying: HashSet<ConversationId>,
    /// The look-up that is on its way.
    pub(super) looking: HashSet<ConversationId>,
    /// Conversations whose look-up settled nothing: not before when, and after which pause.
    pub(super) pauses: HashMap<ConversationId, (Instant, Duration)>,
    /// After a failed look-up: not before when, and after which pause.
    pub(super) pause: Option<(Instant, Duration)>,
    /// How many more messages go out one by one, because the server refused some batch of them.
    single: usize,
    /// How many more messages are looked up before they are sent.
    pub(super) wary: usize,
    earliest: Option<Instant>,
    pub(super) effects: Effects,
}

impl Core {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            next_ticket: 0,
            entries: BTreeMap::new(),
            reserved: HashMap::new(),
            lingering: Lingering::new(bounds.doubtful_entries),
            numbers: Numbers::new(bounds.cached_conversations),
            flight: Vec::new(),
            flying: HashSet::new(),
            looking: HashSet::new(),
            pauses: HashMap::new(),
            pause: None,
            single: 0,
            wary: 0,
            earliest: None,
            effects: Effects::default(),
        }
    }

    /// Takes a send.
    pub(super) fn accept(&mut self, job: Job) {
        let entry = Entry::new(job);
        self.earliest = self.earliest.into_iter().chain(entry.waiters.deadline()).min();
        if entry.message.client_id.is_none() {
            return self.queue(entry);
        }
        let name = (entry.conversation, entry.dedup.clone());
        let holder = self.reserved.get(&name).copied();
        match holder.and_then(|ticket| self.entries.get_mut(&ticket)) {
            Some(first) => first.join(entry),
            None => self.queue_named(name, entry),
        }
    }

    fn queue_named(&mut self, name: Name, mut entry: Entry) {
        if let Some(mut earlier) = self.lingering.remove(&name) {
            // It may be stored yet: the same message is sent again, on behalf of this copy.
            earlier.join(entry);
            entry = earlier;
            entry.look = true;
        } else if self.wary > 0 {
            self.wary -= 1;
            entry.look = true;
        }
        self.reserved.insert(name, self.next_ticket);
        self.queue(entry);
    }

    fn queue(&mut self, entry: Entry) {
        self.entries.insert(self.next_ticket, entry);
        self.next_ticket += 1;
    }

    /// Answers those whose time is over, and gives up what nobody waits for.
    pub(super) fn expire(&mut self, now: Instant) {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return;
        }
        let mut idle = Vec::new();
        for (ticket, entry) in &mut self.entries {
            entry.waiters.expire(now, &mut self.effects.answers);
            if !entry.flying {
                entry.promote();
                if entry.waiters.is_empty() {
                    idle.push(*ticket);
                }
            }
        }
        idle.into_iter().for_each(|ticket| self.give_up(ticket, now));
        self.earliest = self.entries.values().filter_map(|entry| entry.waiters.deadline()).min();
    }

    /// Lets go of a message that nobody waits for. One that may be stored is looked for a while longer.
    fn give_up(&mut self, ticket: Ticket, now: Instant) {
        if let Some(entry) = self.remove(ticket)
            && entry.risk > 0
        {
            self.lingering.keep(entry, now);
        }
    }

    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Entry> {
        let entry = self.entries.remove(&ticket)?;
        if entry.message.client_id.is_some() {
            let name = (entry.conversation, entry.dedup.clone());
            if self.reserved.get(&name) == Some(&ticket) {
                self.reserved.remove(&name);
            }
        }
        Some(entry)
    }

    /// Numbers the messages of the next insert and hands them out in order; each is given the number of its commit. Nothing if an insert is on its
    /// way, or nothing may be sent just now.
    pub(super) fn plan(&mut self, mut take: impl FnMut(&Message, &Dedup) -> u64) -> usize {
        if !self.flight.is_empty() {
            return 0;
        }
        let most = if self.single > 0 { 1 } else { self.bounds.batch_entries };
        let mut room = self.bounds.batch_bytes;
        let mut next: HashMap<ConversationId, u64> = HashMap::new();
        // Behind a message that is to be looked up nothing of its conversation is sent.
        let mut blocked = HashSet::new();
        for (ticket, entry) in &mut self.entries {
            if self.flight.len() >= most {
                break;
            }
            if entry.look {
                blocked.insert(entry.conversation);
            }
            if !entry.is_wanted() || blocked.contains(&entry.conversation) {
                continue;
            }
            let known = next.get(&entry.conversation).copied();
            let Some(last) = known.or_else(|| self.numbers.get(&entry.conversation)) else { continue };
            let bytes = entry.message.text.len() + DOCUMENT_BYTES;
            if bytes > room && !self.flight.is_empty() {
                break;
            }
            room = room.saturating_sub(bytes);
            entry.message.seq = last + 1;
            entry.flying = true;
            next.insert(entry.conversation, entry.message.seq);
            self.flight.push(*ticket);
            entry.commit = take(&entry.message, &entry.dedup);
        }
        self.single = self.single.saturating_sub(self.flight.len());
        self.flying = next.into_keys().collect();
        self.flight.len()
    }

    /// Takes what came of the insert.
    pub(super) fn inserted(&mut self, outcome: Inserted, now: Instant) {
        let flight = mem::take(&mut self.flight);
        self.flying.clear();
        for ticket in &flight {
            if let Some(entry) = self.entries.get_mut(ticket) {
                entry.flying = false;
            }
        }
        let durable = match outcome {
            Inserted::All => flight.len(),
            Inserted::Duplicate(at) | Inserted::Refused(at) => at,
            Inserted::Unknown { refused } => return self.unknown(&flight, refused, now),
        };
        let (stored, rest) = flight.split_at(durable.min(flight.len()));
        stored.iter().for_each(|ticket| self.store_as_sent(*ticket));
        self.effects.void.extend(commits_of(&self.entries, rest));
        let Some(stopped) = rest.first() else { return };
        if outcome == Inserted::Duplicate(durable) {
            self.collide(*stopped);
        } else {
            self.fail(*stopped, now);
        }
        self.tidy(rest, now);
    }

    /// Nothing of the insert is certain.
    fn unknown(&mut self, flight: &[Ticket], refused: bool, now: Instant) {
        self.numbers.clear();
        self.effects.doubtful.extend(commits_of(&self.entries, flight));
        if let ([only], true) = (flight, refused) {
            return self.fail(*only, now);
        }
        for ticket in flight {
            if let Some(entry) = self.entries.get_mut(ticket) {
                entry.look = true;
                entry.risk = entry.risk.max(entry.message.seq);
            }
        }
        if refused {
            self.single = flight.len();
        }
        self.tidy(flight, now);
    }

    /// A message can't be stored, unless an earlier attempt was not as vain as it seemed.
    fn fail(&mut self, ticket: Ticket, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&ticket) {
            mem::take(&mut entry.waiters).failed(refused, &mut self.effects.answers);
        }
        self.give_up(ticket, now);
    }

    /// A message met a key that is there already: its name's or its number's.
    fn collide(&mut self, ticket: Ticket) {
        if let Some(entry) = self.entries.get_mut(&ticket) {
            entry.look = true;
            entry.collided = entry.message.seq;
            self.numbers.forget(&entry.conversation);
        }
    }

    /// Gives up those messages for which nobody waits any more.
    fn tidy(&mut self, tickets: &[Ticket], now: Instant) {
        for ticket in tickets {
            let Some(entry) = self.entries.get_mut(ticket) else { continue };
            entry.promote();
            if entry.waiters.is_empty() {
                self.give_up(*ticket, now);
            }
        }
    }

    /// Forgets every number: another primary may know others.
    pub(super) fn forget_numbers(&mut self) {
        self.numbers.clear();
    }

    /// What is to be told. Whatever was handed to it before must be told first.
    pub(super) fn effects(&mut self) -> Effects {
        mem::take(&mut self.effects)
    }

    /// Whether nobody waits for anything.
    pub(super) fn is_idle(&self) -> bool {
        self.entries.is_empty() && self.flight.is_empty() && self.looking.is_empty()
    }

    /// Whether time alone may change something.
    pub(super) fn is_restless(&self) -> bool {
        !self.entries.is_empty() || !self.lingering.is_empty()
    }

    fn store_as_sent(&mut self, ticket: Ticket) {
        if let Some(Entry { message, conversation, except, waiters, commit, .. }) = self.remove(ticket) {
            self.numbers.put(conversation, message.seq);
            self.effects.stored(Arc::new(message), commit, except, waiters);
        }
    }
}

impl Effects {
    /// A message of ours is stored: told once, answered afterwards.
    pub(super) fn stored(
        &mut self,
        message: Arc<Message>,
        commit: u64,
        except: Option<SocketId>,
        waiters: Waiters,
    ) {
        waiters.stored(&message, &mut self.answers);
        self.commits.push((Commit::Sent { message, except }, commit));
    }
}

/// The numbers under which messages were to become durable.
fn commits_of(entries: &BTreeMap<Ticket, Entry>, tickets: &[Ticket]) -> impl Iterator<Item = u64> {
    tickets.iter().filter_map(|ticket| entries.get(ticket).map(|entry| entry.commit))
}

fn refused() -> StoreError {
    StoreError::Internal("MongoDB refused the document".into())
}
