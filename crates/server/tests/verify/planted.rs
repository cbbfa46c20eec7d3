//! Bugs planted between a sound server and its devices, one at a time: the judge must find each.

use std::{collections::BTreeMap, rc::Rc};

use chat_verify::{
    Answer, Findings, Hearsay, Kind, Message, Notice, Plan, Request, Run, endpoint, now, play_through,
};
use tokio::task::{JoinSet, LocalSet};

use super::{people, server::Server};

/// Seeds that are played before a bug counts as not found.
const SEEDS: u64 = 20;

/// A bug of a server, as its devices would see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// Messages are not told to devices that are connected.
    NotTold,
    /// A message is told twice.
    ToldTwice,
    /// Of two messages the later one is told first.
    ToldOutOfOrder,
    /// What was acknowledged is not in the store.
    NotStored,
    /// A repeated send is another message.
    StoredTwice,
    /// `sync` leaves messages out.
    NotSynced,
    /// Deleted text comes back.
    Undeleted,
    /// Edits are not told.
    EditNotTold,
    /// An edit that was acknowledged is lost.
    EditLost,
    /// A reading that was acknowledged is taken back.
    Unread,
    /// A receipt is told that nobody gave.
    ReadByNobody,
    /// The place of a tombstone is taken from the history.
    TombstoneGone,
}

const BUGS: [(Bug, &[Kind]); 12] = [
    (Bug::NotTold, &[Kind::Lost, Kind::Differs]),
    (Bug::ToldTwice, &[Kind::Doubled]),
    (Bug::ToldOutOfOrder, &[Kind::Reordered]),
    (Bug::NotStored, &[Kind::Lost]),
    (Bug::StoredTwice, &[Kind::Doubled, Kind::Lost]),
    (Bug::NotSynced, &[Kind::Lost, Kind::Differs]),
    (Bug::Undeleted, &[Kind::Resurrected, Kind::Lost, Kind::Differs]),
    (Bug::EditNotTold, &[Kind::Differs, Kind::Lost]),
    (Bug::EditLost, &[Kind::Lost, Kind::Differs]),
    (Bug::Unread, &[Kind::Backwards]),
    (Bug::ReadByNobody, &[Kind::Backwards, Kind::Differs]),
    (Bug::TombstoneGone, &[Kind::Lost, Kind::Differs, Kind::Reordered]),
];

/// Tells what a server with this bug would.
struct Liar {
    bug: Bug,
    met: u32,
    held: Option<Notice>,
    texts: BTreeMap<String, String>,
}

impl Liar {
    /// Whether it lies this time: not always, as bugs are.
    const fn lies(&mut self) -> bool {
        self.met += 1;
        self.met.is_multiple_of(3)
    }

    fn message(&mut self, mut message: Message) -> Message {
        if !message.text.is_empty() {
            self.texts.insert(message.id.clone(), message.text.clone());
        }
        if self.bug == Bug::Undeleted
            && message.deleted_at.is_some()
            && let Some(text) = self.texts.get(&message.id)
        {
            (message.text, message.deleted_at) = (text.clone(), None);
        }
        if self.bug == Bug::EditLost && message.edited_at.is_some() {
            (message.text, message.edited_at) = ("as it was once".to_owned(), None);
        }
        message.is_read &= self.bug != Bug::Unread;
        message
    }

    fn messages(&mut self, messages: Vec<Message>) -> Vec<Message> {
        messages.into_iter().map(|message| self.message(message)).collect()
    }
}

impl Hearsay for Liar {
    fn notice(&mut self, notice: Notice) -> Vec<Notice> {
        match (self.bug, &notice) {
            (Bug::NotTold, Notice::Arrived(_)) if self.lies() => vec![],
            (Bug::ToldTwice, Notice::Arrived(_)) if self.lies() => vec![notice.clone(), notice],
            (Bug::EditNotTold, Notice::Edited(_)) => vec![],
            (Bug::ReadByNobody, Notice::Arrived(message)) if self.lies() => {
                let receipt = Notice::Receipt { message: message.id.clone(), read: true };
                vec![notice, receipt]
            }
            (Bug::ToldOutOfOrder, Notice::Arrived(_)) => match self.held.take() {
                Some(first) => vec![notice, first],
                None => {
                    self.held = Some(notice);
                    vec![]
                }
            },
            _ => vec![notice],
        }
    }

    fn answer(&mut self, request: &Request, answer: Answer) -> Answer {
        match (self.bug, answer) {
            (Bug::StoredTwice, Answer::Message(mut message))
                if matches!(request, Request::Send { .. }) && self.texts.contains_key(&message.id) =>
            {
                message.id = format!("{:024x}", self.texts.len());
                Answer::Message(message)
            }
            (Bug::StoredTwice, Answer::Message(message)) => Answer::Message(self.message(message)),
            (Bug::NotStored, Answer::Page { mut messages, next }) if self.lies() => {
                messages.pop();
                Answer::Page { messages, next }
            }
            (Bug::TombstoneGone, Answer::Page { mut messages, next }) => {
                messages.retain(|message| message.deleted_at.is_none());
                Answer::Page { messages, next }
            }
            (Bug::NotSynced, Answer::Changes { mut messages, cursor, complete }) => {
                messages.retain(|_| !self.lies());
                Answer::Changes { messages, cursor, complete }
            }
            (Bug::Undeleted | Bug::EditLost | Bug::Unread, Answer::Page { messages, next }) => {
                Answer::Page { messages: self.messages(messages), next }
            }
            (Bug::Undeleted, Answer::Changes { messages, cursor, complete }) => {
                Answer::Changes { messages: self.messages(messages), cursor, complete }
            }
            (_, answer) => answer,
        }
    }
}

async fn lied_to(bug: Bug, seed: u64, server: &Server) -> Findings {
    let address = server.url();
    let accounts = people(&address, 3, &format!("p{seed:x}-")).await;
    let ids = accounts.iter().map(|account| account.id.clone()).collect();
    let mut run = Run::new(Plan { seed, steps: 60, kills: false, patience: 3_000 }, "p", ids, now());
    let mut liar = Liar { bug, met: 0, held: None, texts: BTreeMap::new() };
    let endpoint = endpoint(&address, None).await.unwrap();
    play_through(&mut run, &endpoint, &accounts, || {}, &mut liar).await;
    run.into_findings()
}

async fn find(bug: Bug, kinds: &[Kind], server: &Server) {
    let (mut seed, mut found) = (0, Findings::default());
    while !kinds.iter().any(|kind| found.count(*kind) > 0) {
        seed += 1;
        assert!(seed <= SEEDS, "{bug:?} is not found: {:?}", found.first());
        found = lied_to(bug, seed, server).await;
    }
}

#[test]
fn each_planted_bug_is_found() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let server = Rc::new(Server::start());
        let mut searches = JoinSet::new();
        for (bug, kinds) in BUGS {
            let server = Rc::clone(&server);
            searches.spawn_local(async move { find(bug, kinds, &server).await });
        }
        while let Some(found) = searches.join_next().await {
            found.unwrap();
        }
    });
}
