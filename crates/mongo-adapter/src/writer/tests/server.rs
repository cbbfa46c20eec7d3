//! A server with the two unique indexes, which can be told to fail in every way that a real one has.

use std::{collections::VecDeque, sync::Arc};

use chat_ports::model::{ConversationId, Message};
use foldhash::HashMap;

use crate::{
    documents::Dedup,
    writer::{
        core::Inserted,
        looking::{Look, Looked},
    },
};

/// What goes wrong with one insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// Nothing.
    None,
    /// It never arrives.
    Lost,
    /// It is carried out, the answer is lost.
    AnswerLost,
    /// It stops after so many documents, the answer is lost.
    Torn(usize),
    /// It is carried out much later; the client has given up.
    Late,
    /// The document at this place is refused, whatever it is.
    Refused(usize),
    /// The command as a whole is refused.
    AllRefused,
}

type Document = (Message, Dedup);

/// The collection of messages.
#[derive(Default)]
pub(super) struct Server {
    pub(super) stored: Vec<Document>,
    /// What is stored and not yet known to a majority, by its place.
    majority: usize,
    late: VecDeque<Vec<Document>>,
}

impl Server {
    /// An ordered insert.
    pub(super) fn insert(&mut self, batch: Vec<Document>, mishap: Mishap) -> Inserted {
        let unknown = Inserted::Unknown { refused: false };
        match mishap {
            Mishap::None => {
                let done = self.apply(batch);
                self.majority = self.stored.len();
                done
            }
            Mishap::Lost => unknown,
            Mishap::AnswerLost => {
                self.apply(batch);
                unknown
            }
            Mishap::Torn(count) => {
                self.apply(batch.into_iter().take(count).collect());
                unknown
            }
            Mishap::Late => {
                self.late.push_back(batch);
                unknown
            }
            Mishap::Refused(place) if place < batch.len() => {
                let done = self.apply(batch.into_iter().take(place).collect());
                self.majority = self.stored.len();
                if done == Inserted::All { Inserted::Refused(place) } else { done }
            }
            Mishap::Refused(_) => self.insert(batch, Mishap::None),
            Mishap::AllRefused => Inserted::Unknown { refused: true },
        }
    }

    /// What was on its way for long arrives.
    pub(super) fn arrive(&mut self) {
        if let Some(batch) = self.late.pop_front() {
            self.apply(batch);
        }
    }

    /// Whether something is on its way still.
    pub(super) fn is_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Everything that is stored reaches a majority.
    pub(super) fn replicate(&mut self) {
        self.majority = self.stored.len();
    }

    /// Another node's message, at a majority at once or not.
    pub(super) fn other_node(&mut self, mut message: Message, dedup: Dedup, replicated: bool) {
        message.seq = self.next(&message.conversation());
        self.apply(vec![(message, dedup)]);
        if replicated {
            self.replicate();
        }
    }

    /// A look-up at read concern majority: numbers first, then names. What is found of the asker's own is
    /// written to, and so reaches a majority with everything before it.
    pub(super) fn look(&self, look: &Look) -> Looked {
        let known = || self.stored.iter().take(self.majority);
        let highest = |conversation: &ConversationId| {
            let seqs = known().filter(|(message, _)| message.conversation() == *conversation);
            seqs.map(|(message, _)| message.seq).max().unwrap_or_default()
        };
        let found: HashMap<_, _> = look
            .keys
            .iter()
            .filter_map(|key| {
                let (message, dedup) = known().find(|(message, dedup)| {
                    message.conversation() == key.conversation && *dedup == key.dedup
                })?;
                Some(((key.conversation, dedup.clone()), Arc::new(message.clone())))
            })
            .collect();
        let highest = look.conversations.iter().map(|conversation| (*conversation, highest(conversation)));
        Looked { highest: highest.collect(), found, ..Looked::default() }
    }

    fn apply(&mut self, batch: Vec<Document>) -> Inserted {
        for (place, document) in batch.into_iter().enumerate() {
            if self.collides(&document) {
                return Inserted::Duplicate(place);
            }
            self.stored.push(document);
        }
        Inserted::All
    }

    fn collides(&self, (new, name): &Document) -> bool {
        self.stored.iter().any(|(message, dedup)| {
            let same_conversation = message.conversation() == new.conversation();
            message.id == new.id || same_conversation && (message.seq == new.seq || dedup == name)
        })
    }

    fn next(&self, conversation: &ConversationId) -> u64 {
        let of = self.stored.iter().filter(|(message, _)| message.conversation() == *conversation);
        of.map(|(message, _)| message.seq).max().unwrap_or_default() + 1
    }
}
