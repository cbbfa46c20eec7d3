//! What was asked of the server, when, and what it answered: the facts that the judge goes by.

use std::collections::BTreeMap;

use crate::{
    findings::{Findings, Kind},
    wire::{Answer, Message, Request},
};

/// One request that changes something. Times are ticks of the ledger: an earlier one happened before.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    /// Whose.
    pub(crate) user: String,
    /// Over which socket.
    pub(crate) socket: u64,
    /// What was asked.
    pub(crate) request: Request,
    /// Before it was written.
    pub(crate) from: u64,
    /// After it was answered; `None` where that never happened.
    pub(crate) until: Option<u64>,
    /// What it did.
    pub(crate) effect: Effect,
}

/// What a request did, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nobody knows; it may also do it later.
    Unknown,
    /// It did what it should.
    Done(Option<Message>),
    /// It did nothing, for this reason.
    Refused(String),
}

impl Deed {
    /// The last tick at which it may have acted; `None` where it can't have.
    #[must_use]
    pub(crate) fn end(&self) -> Option<u64> {
        match self.effect {
            Effect::Unknown => Some(u64::MAX),
            Effect::Done(_) => self.until,
            Effect::Refused(_) => None,
        }
    }

    /// Whether it is known to have acted.
    #[must_use]
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self.effect, Effect::Done(_))
    }
}

/// All deeds of a run, in the order of their beginning, and what was found on the way.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    tick: u64,
    deeds: Vec<Deed>,
    stored: BTreeMap<(String, String, String), Message>,
    /// What is wrong so far.
    pub(crate) findings: Findings,
}

impl Ledger {
    /// The next tick.
    pub(crate) const fn tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    /// All deeds.
    #[must_use]
    pub(crate) fn deeds(&self) -> &[Deed] {
        &self.deeds
    }

    /// Notes that a request is about to be written; answers with its place.
    pub(crate) fn begin(&mut self, user: &str, socket: u64, request: Request) -> usize {
        let from = self.tick();
        let deed =
            Deed { user: user.to_owned(), socket, request, from, until: None, effect: Effect::Unknown };
        self.deeds.push(deed);
        self.deeds.len() - 1
    }

    /// Notes what a request was answered with.
    pub(crate) fn end(&mut self, place: usize, answer: &Answer) {
        let tick = self.tick();
        let Some(deed) = self.deeds.get_mut(place) else { return };
        deed.until = Some(tick);
        deed.effect = match answer {
            Answer::Refused(refusal) if matches!(refusal.code.as_str(), "unavailable" | "internal") => {
                Effect::Unknown
            }
            Answer::Refused(refusal) => Effect::Refused(refusal.code.clone()),
            Answer::Message(message) => Effect::Done(Some(message.clone())),
            Answer::Done | Answer::Changes { .. } | Answer::Page { .. } => Effect::Done(None),
        };
        if let (Request::Send { to, client_id, text }, Answer::Message(message)) = (&deed.request, answer) {
            let key = (deed.user.clone(), to.clone(), client_id.clone());
            let mine = message.sender_id == deed.user
                && message.receiver_id == *to
                && message.client_id.as_ref() == Some(client_id);
            let same = message.text == *text || message.edited_at.is_some() || message.deleted_at.is_some();
            let first = self.stored.entry(key).or_insert_with(|| message.clone());
            if (&first.id, first.seq) != (&message.id, message.seq) {
                let what = format!(
                    "{client_id} is message {} (seq {}) and {} (seq {})",
                    first.id, first.seq, message.id, message.seq
                );
                self.findings.add(Kind::Doubled, what);
            }
            if !mine || !same {
                let what = format!("{client_id} was answered with another message, {}", message.id);
                self.findings.add(Kind::Answer, what);
            }
        }
    }

    /// Whether all copies of a send were written over this socket.
    #[must_use]
    pub(crate) fn is_own(&self, message: &Message, socket: u64) -> bool {
        let copies = self.deeds.iter().filter(|deed| {
            matches!(&deed.request, Request::Send { to, client_id, .. }
                if deed.user == message.sender_id && *to == message.receiver_id
                    && message.client_id.as_ref() == Some(client_id))
        });
        let mut sockets = copies.map(|deed| deed.socket).peekable();
        sockets.peek().is_some() && sockets.all(|other| other == socket)
    }
}
