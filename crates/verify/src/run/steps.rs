//! What each step of a schedule makes a device do.

use super::{Pace, Run};
use crate::{device::Device, schedule::Step, wire::Request};

impl Run {
    /// Does what a step says, on the device in this place.
    pub(super) fn take(&mut self, place: usize, step: Step) -> Pace {
        let Some(me) = self.devices.get(place).map(|device| device.user().to_owned()) else {
            return Pace::Go;
        };
        let other = |to: usize| self.people.iter().filter(|person| **person != me).nth(to).cloned();
        match step {
            Step::Send { to, count } => {
                let Some(to) = other(to) else { return Pace::Go };
                (0..count).for_each(|_| self.write(place, &to));
            }
            Step::Edit(pick) => self
                .change(place, pick, |id, tag| Request::Edit { message: id, text: format!("{tag}, edited") }),
            Step::Delete(pick) => self.change(place, pick, |id, _| Request::Delete { message: id }),
            Step::Read(pick) => self.read(place, pick),
            Step::Block { who, on } => {
                let Some(user) = other(who) else { return Pace::Go };
                self.ask(place, Request::Block { user, on });
            }
            Step::Typing(to) => {
                let Some(to) = other(to) else { return Pace::Go };
                self.ask(place, Request::Typing { to });
            }
            Step::Repeat { pick, altered } => self.repeat(place, pick, altered),
            Step::Save => self.with(place, |device, _| device.save()),
            Step::Off => self.with(place, |device, orders| device.want(false, orders)),
            Step::On => self.with(place, |device, orders| device.want(true, orders)),
            Step::Cut => self.with(place, Device::cut),
            Step::Crash => self.with(place, Device::crash),
            Step::Kill => return Pace::Kill,
            Step::Pause(time) => return Pace::Pause(time),
        }
        Pace::Go
    }

    fn ask(&mut self, place: usize, request: Request) {
        self.with(place, |device, _| device.ask(request));
    }

    fn write(&mut self, place: usize, to: &str) {
        self.sent += 1;
        let name = format!("{}-{}", self.tag, self.sent);
        let text = format!("message {name}");
        let request = Request::Send { to: to.to_owned(), client_id: name.clone(), text: text.clone() };
        self.names.push(request);
        self.with(place, |device, _| device.write(to, name, text));
    }

    fn change(&mut self, place: usize, pick: usize, make: impl FnOnce(String, String) -> Request) {
        let Some(device) = self.devices.get(place) else { return };
        let own: Vec<_> = device.list().all().filter(|m| m.sender_id == device.user()).collect();
        let Some(message) = own.len().checked_sub(1).and_then(|last| own.get(pick % (last + 1))) else {
            return;
        };
        let id = message.id.clone();
        self.steps += 1;
        let tag = format!("{}.{}", self.tag, self.steps);
        self.ask(place, make(id, tag));
    }

    fn read(&mut self, place: usize, pick: usize) {
        let Some(device) = self.devices.get(place) else { return };
        let theirs: Vec<_> = device.list().all().filter(|m| m.receiver_id == device.user()).collect();
        let Some(message) = theirs.len().checked_sub(1).and_then(|last| theirs.get(pick % (last + 1))) else {
            return;
        };
        let request = Request::Receipt { message: message.id.clone(), read: true };
        self.ask(place, request);
    }

    /// Sends again what one of the person's devices has had acknowledged.
    fn repeat(&mut self, place: usize, pick: usize, altered: bool) {
        let Some(device) = self.devices.get(place) else { return };
        let known: Vec<_> = device.list().all().filter(|m| m.sender_id == device.user()).collect();
        let Some(message) = known.len().checked_sub(1).and_then(|last| known.get(pick % (last + 1))) else {
            return;
        };
        let named = |request: &&Request| {
            matches!(request, Request::Send { client_id, to, .. }
                if Some(client_id) == message.client_id.as_ref() && *to == message.receiver_id)
        };
        let Some(mut request) = self.names.iter().find(named).cloned() else { return };
        if let Request::Send { text, .. } = &mut request
            && altered
        {
            text.push_str(", altered");
        }
        self.ask(place, request);
    }
}
