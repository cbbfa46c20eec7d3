//! What a device makes of answers and events.

use super::{Device, Flight, Link};
use crate::{
    findings::Kind,
    ledger::Ledger,
    wire::{Answer, Message, Notice, Request},
};

impl Device {
    /// What an acknowledgement is for.
    #[must_use]
    pub(crate) fn request_of(&self, socket: u64, ack: u64) -> Option<&Request> {
        let known = self.link == Link::Open(socket);
        self.flights.iter().find(|flight| known && flight.ack == ack).map(|flight| &flight.request)
    }

    /// A request was answered.
    pub(crate) fn answered(&mut self, socket: u64, ack: u64, answer: Answer, now: u64, ledger: &mut Ledger) {
        if self.link != Link::Open(socket) {
            return;
        }
        let Some(place) = self.flights.iter().position(|flight| flight.ack == ack) else {
            ledger.findings.add(Kind::Doubled, format!("{}: acknowledgement {ack} came twice", self.name));
            return;
        };
        let Some(flight) = self.flights.remove(place) else { return };
        if place > 0 {
            let what =
                format!("{}: {} was answered before what came before it", self.name, flight.request.event());
            ledger.findings.add(Kind::Reordered, what);
        }
        if let Some(deed) = flight.deed {
            ledger.end(deed, &answer);
        }
        match answer {
            Answer::Refused(refusal) if refusal.retry_after_ms.is_some() || refusal.code == "unavailable" => {
                self.wait_until = self.wait_until.max(now + refusal.retry_after_ms.unwrap_or(100));
                self.again(flight);
            }
            Answer::Refused(_) => {
                if matches!(flight.request, Request::Sync { .. } | Request::History { .. }) {
                    let what = format!("{}: {} was refused", self.name, flight.request.event());
                    ledger.findings.add(Kind::Answer, what);
                    self.synced = true;
                }
                self.settle(&flight);
            }
            Answer::Done => {
                self.settle(&flight);
                // Others are told of a reading; the device that read knows by this answer.
                if let Request::Receipt { message, read } = &flight.request {
                    self.list.mark(message, *read);
                }
            }
            Answer::Message(message) => {
                self.settle(&flight);
                self.learn(&message, flight.written, ledger);
            }
            Answer::Changes { messages, cursor, complete } => {
                messages.iter().for_each(|message| self.learn(message, flight.written, ledger));
                self.cursor = Some(cursor);
                self.synced = complete;
            }
            Answer::Page { messages, next } => self.page(&flight, messages, next, ledger),
        }
    }

    /// Keeps a request to be made again.
    fn again(&mut self, flight: Flight) {
        if !flight.is_draft {
            if !matches!(flight.request, Request::Sync { .. } | Request::Typing { .. }) {
                self.tasks.push_back(flight.request);
            }
        } else if let Some(draft) = self.outbox.iter_mut().find(|draft| draft.request == flight.request) {
            draft.flying = false;
        }
    }

    fn settle(&mut self, flight: &Flight) {
        if flight.is_draft {
            self.outbox.retain(|draft| draft.request != flight.request);
        }
    }

    fn page(&mut self, flight: &Flight, messages: Vec<Message>, next: Option<String>, ledger: &mut Ledger) {
        let Request::History { other, after, limit, .. } = &flight.request else { return };
        messages.iter().for_each(|message| self.ears.compare(&self.name, message, flight.written, ledger));
        let pages = self.pages.entry(other.clone()).or_default();
        if after.is_some() {
            pages.extend(messages);
        } else {
            pages.splice(0..0, messages);
        }
        // One message tells where a conversation stands; that walk is at its end.
        if let Some(next) = next.filter(|_| *limit > 1) {
            let (after, before) = if after.is_some() { (Some(next), None) } else { (None, Some(next)) };
            self.ask(Request::History { other: other.clone(), after, before, limit: *limit });
        }
    }

    /// Something was told.
    pub(crate) fn noticed(&mut self, socket: u64, notice: Notice, ledger: &mut Ledger) {
        if self.link != Link::Open(socket) {
            return;
        }
        self.ears.hear(&self.name, &self.me, socket, &notice, ledger);
        match notice {
            Notice::Arrived(message) | Notice::Edited(message) => self.keep(&message),
            Notice::Deleted(id) => self.list.erase(&id),
            Notice::Receipt { message, read } => self.list.mark(&message, read),
            Notice::Other => {}
        }
    }

    fn learn(&mut self, message: &Message, asked: u64, ledger: &mut Ledger) {
        self.ears.compare(&self.name, message, asked, ledger);
        self.keep(message);
    }

    /// Puts a message in its place, and says that it arrived.
    fn keep(&mut self, message: &Message) {
        let other = message.other(&self.me).to_owned();
        if self.floors.get(&other).is_none_or(|floor| message.seq <= *floor) {
            return;
        }
        self.list.put(message);
        if message.receiver_id != self.me || message.delivered_at.is_some() {
            return;
        }
        let given = self.given.entry(other).or_default();
        if *given < message.seq {
            *given = message.seq;
            self.tasks.push_back(Request::Receipt { message: message.id.clone(), read: false });
        }
    }
}
