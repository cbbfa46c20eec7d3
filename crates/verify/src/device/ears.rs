//! What a device was told, and whether that goes together: over one socket, and from one answer to the next.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    findings::Kind,
    ledger::Ledger,
    wire::{Message, Notice},
};

/// What was heard: over one socket, and of receipts and deletions over all of them, each with its tick. An answer to a
/// question that was asked after that must not be older.
#[derive(Debug, Default)]
pub(crate) struct Ears {
    arrived: BTreeSet<String>,
    last: BTreeMap<String, u64>,
    read: BTreeMap<String, u64>,
    delivered: BTreeMap<String, u64>,
    deleted: BTreeMap<String, u64>,
    told: BTreeSet<(String, bool)>,
    gone: BTreeSet<String>,
}

impl Ears {
    /// A new socket begins.
    pub(crate) fn begin(&mut self) {
        self.arrived.clear();
        self.last.clear();
        self.told.clear();
        self.gone.clear();
    }

    /// Hears an event.
    pub(crate) fn hear(&mut self, name: &str, me: &str, socket: u64, notice: &Notice, ledger: &mut Ledger) {
        let tick = ledger.tick();
        match notice {
            Notice::Arrived(message) => {
                self.arrived(name, me, message, ledger);
                if ledger.is_own(message, socket) {
                    let what =
                        format!("{name} heard of its own message {} beside its acknowledgement", message.id);
                    ledger.findings.add(Kind::Doubled, what);
                }
                self.note(message, tick);
            }
            Notice::Edited(message) => {
                if self.gone.contains(&message.id) {
                    let what = format!("{name} was told of an edit of {} after its deletion", message.id);
                    ledger.findings.add(Kind::Resurrected, what);
                }
                for (read, has) in [(true, message.is_read), (false, message.delivered_at.is_some())] {
                    if !has && self.told.contains(&(message.id.clone(), read)) {
                        let what =
                            format!("{name} heard {} without a receipt that it was told of", message.id);
                        ledger.findings.add(Kind::Backwards, what);
                    }
                }
                self.note(message, tick);
            }
            Notice::Deleted(id) => {
                self.gone.insert(id.clone());
                self.deleted.entry(id.clone()).or_insert(tick);
            }
            Notice::Receipt { message, read } => {
                if !self.told.insert((message.clone(), *read)) {
                    let what = format!("{name} was told twice of a receipt for {message}");
                    ledger.findings.add(Kind::Doubled, what);
                } else if !read && self.told.contains(&(message.clone(), true)) {
                    let what = format!("{name} was told that {message} is delivered after it was read");
                    ledger.findings.add(Kind::Backwards, what);
                }
                let marks = if *read { &mut self.read } else { &mut self.delivered };
                marks.entry(message.clone()).or_insert(tick);
            }
            Notice::Other => {}
        }
    }

    fn arrived(&mut self, name: &str, me: &str, message: &Message, ledger: &mut Ledger) {
        if message.sender_id != me && message.receiver_id != me {
            let what = format!("{name} was told of message {} of others", message.id);
            ledger.findings.add(Kind::Answer, what);
        }
        if !self.arrived.insert(message.id.clone()) {
            let what = format!("message {} reached {name} twice over one socket", message.id);
            ledger.findings.add(Kind::Doubled, what);
            return;
        }
        let last = self.last.entry(message.other(me).to_owned()).or_default();
        if message.seq < *last {
            let what =
                format!("message {} (seq {}) reached {name} after seq {last}", message.id, message.seq);
            ledger.findings.add(Kind::Reordered, what);
        }
        *last = message.seq.max(*last);
    }

    /// Compares a message of an answer with what was heard before the question.
    pub(crate) fn compare(&mut self, name: &str, message: &Message, asked: u64, ledger: &mut Ledger) {
        let before = |marks: &BTreeMap<String, u64>| marks.get(&message.id).is_some_and(|tick| *tick < asked);
        let back = (before(&self.read) && !message.is_read)
            || (before(&self.delivered) && message.delivered_at.is_none());
        if back {
            let what = format!("{name} read {} without a receipt that it had seen before", message.id);
            ledger.findings.add(Kind::Backwards, what);
        }
        let has_text = message.deleted_at.is_none() || !message.text.is_empty();
        if (before(&self.deleted) && has_text) || (message.deleted_at.is_some() && !message.text.is_empty()) {
            let what = format!("{name} read the text of {} after its deletion", message.id);
            ledger.findings.add(Kind::Resurrected, what);
        }
        let tick = ledger.tick();
        self.note(message, tick);
    }

    fn note(&mut self, message: &Message, tick: u64) {
        for (holds, marks) in [
            (message.is_read, &mut self.read),
            (message.delivered_at.is_some(), &mut self.delivered),
            (message.deleted_at.is_some(), &mut self.deleted),
        ] {
            if holds {
                marks.entry(message.id.clone()).or_insert(tick);
            }
        }
    }
}
