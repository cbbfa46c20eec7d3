//! One connection through a proxy: a thread each way.

use std::{
    collections::HashMap,
    io::Write,
    net::{Shutdown, TcpStream},
    sync::Arc,
    thread,
};

use parking_lot::Mutex;

use super::{Answer, Shared, wire::Message};

pub(super) struct Link {
    client: TcpStream,
    shared: Arc<Shared>,
    /// What to do with the answers to come, by the number of their request.
    planned: Mutex<HashMap<i32, Answer>>,
}

impl Link {
    pub(super) fn new(client: TcpStream, shared: Arc<Shared>) -> Self {
        Self { client, shared, planned: Mutex::default() }
    }

    /// Carries messages both ways until one side ends.
    pub(super) fn run(self) {
        self.wait();
        let Ok(server) = TcpStream::connect(&self.shared.server) else {
            let _ = self.client.shutdown(Shutdown::Both);
            return;
        };
        for side in [&self.client, &server] {
            let _ = side.set_nodelay(true);
        }
        thread::scope(|threads| {
            threads.spawn(|| self.answers(&server));
            self.requests(&server);
        });
    }

    fn requests(&self, server: &TcpStream) {
        let mut client = &self.client;
        while let Some(message) = Message::read(&mut client) {
            let planned = {
                let mut state = self.shared.state.lock();
                state.note(&message);
                state.take(&message)
            };
            self.wait();
            let sent = match planned {
                Some(Answer::CutBefore) => break,
                Some(Answer::Held) => {
                    self.hold();
                    forward(server, &message)
                }
                Some(Answer::Instead(document)) => self.reply(&message, &document),
                Some(after) if message.wants_answer() => {
                    self.planned.lock().insert(message.id(), after);
                    forward(server, &message)
                }
                Some(_) | None => forward(server, &message),
            };
            if !sent {
                break;
            }
        }
        self.end(server);
    }

    fn answers(&self, mut server: &TcpStream) {
        while let Some(message) = Message::read(&mut server) {
            self.wait();
            let planned = self.planned.lock().remove(&message.answers());
            let sent = match planned {
                None | Some(Answer::Held) => forward(&self.client, &message),
                Some(Answer::Swallow) => true,
                Some(Answer::After(document) | Answer::Instead(document)) => {
                    Message::answer(message.answers(), &document)
                        .is_ok_and(|answer| forward(&self.client, &answer))
                }
                Some(Answer::Cut | Answer::CutBefore) => break,
            };
            if !sent {
                break;
            }
        }
        self.end(server);
    }

    fn reply(&self, to: &Message, document: &bson::Document) -> bool {
        !to.wants_answer()
            || Message::answer(to.id(), document).is_ok_and(|answer| forward(&self.client, &answer))
    }

    /// Waits while everything is held.
    fn wait(&self) {
        let mut state = self.shared.state.lock();
        self.shared.changed.wait_while(&mut state, |state| state.stalled && !state.closed);
    }

    /// Waits until all faults are ended once more.
    fn hold(&self) {
        let mut state = self.shared.state.lock();
        let before = state.resumed;
        self.shared.changed.wait_while(&mut state, |state| state.resumed == before && !state.closed);
    }

    fn end(&self, server: &TcpStream) {
        for side in [&self.client, server] {
            let _ = side.shutdown(Shutdown::Both);
        }
    }
}

fn forward(mut to: &TcpStream, message: &Message) -> bool {
    to.write_all(&message.0).is_ok()
}
