//! Whatever fails, and in whichever order: every acknowledged message is stored once, nothing has a gap,
//! and what is stored is told once and in order.

use std::collections::{BTreeSet, HashMap};

use chat_ports::{
    AppendError, Commit, NewMessage,
    model::{ConversationId, Message, MessageId},
};
use chat_testkit::{SequentialIds, build};
use proptest::prelude::*;

use super::{
    Answered, at, core, new_message, queue, send,
    server::{Mishap, Server},
    user,
};
use crate::{
    documents::Dedup,
    writer::{
        core::{Core, Effects},
        looking::Look,
        queue::Queue,
    },
};

#[derive(Debug, Clone)]
enum Step {
    /// A send: to whom, perhaps under one of a few names, with so many milliseconds to go.
    Send { receiver: u8, name: Option<u8>, patience: u64 },
    /// The next insert begins; so it ends when it does.
    Begin(Mishap),
    /// The insert that is on its way ends.
    End,
    /// A look-up begins.
    Look,
    /// It ends, or fails.
    Looked(bool),
    /// Time passes.
    Wait(u64),
    /// Another node stores something in this conversation: at a majority at once or not.
    Other { receiver: u8, name: Option<u8>, replicated: bool },
    /// What was on its way for long arrives.
    Arrive,
    /// A majority has everything.
    Replicate,
    /// Another primary.
    Forget,
}

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        6 => Just(Mishap::None),
        1 => Just(Mishap::Lost),
        2 => Just(Mishap::AnswerLost),
        2 => (0..4_usize).prop_map(Mishap::Torn),
        3 => Just(Mishap::Late),
        1 => (0..4_usize).prop_map(Mishap::Refused),
        1 => Just(Mishap::AllRefused),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let name = || proptest::option::weighted(0.5, 0..4_u8);
    prop_oneof![
        8 => (2..4_u8, name(), 1..400_u64)
            .prop_map(|(receiver, name, patience)| Step::Send { receiver, name, patience }),
        5 => mishap().prop_map(Step::Begin),
        5 => Just(Step::End),
        5 => Just(Step::Look),
        5 => prop::bool::weighted(0.8).prop_map(Step::Looked),
        3 => (1..1_500_u64).prop_map(Step::Wait),
        2 => (2..4_u8, name(), any::<bool>())
            .prop_map(|(receiver, name, replicated)| Step::Other { receiver, name, replicated }),
        2 => Just(Step::Arrive),
        2 => Just(Step::Replicate),
        1 => Just(Step::Forget),
    ]
}

/// The writer, its server, and what everybody was told.
struct World {
    core: Core,
    queue: Queue,
    server: Server,
    ids: SequentialIds,
    now: u64,
    sent: Vec<(NewMessage, Answered)>,
    inserting: Option<(Vec<(Message, Dedup)>, Mishap)>,
    looking: Option<Look>,
    told: Vec<Message>,
    foreign: Vec<MessageId>,
    /// The last number that was given out for a commit, and those of which nothing was heard yet.
    commit: u64,
    unheard: BTreeSet<u64>,
}

impl World {
    fn new() -> Self {
        Self {
            core: core(|bounds| (bounds.batch_entries, bounds.cached_conversations) = (4, 4)),
            queue: queue(),
            server: Server::default(),
            ids: SequentialIds::new(),
            now: 0,
            sent: Vec::new(),
            inserting: None,
            looking: None,
            told: Vec::new(),
            foreign: Vec::new(),
            commit: 0,
            unheard: BTreeSet::new(),
        }
    }

    fn message(&self, receiver: u8, name: Option<u8>) -> NewMessage {
        NewMessage {
            receiver: user(receiver),
            client_id: name.map(|name| build::client_id(&format!("n{name}"))),
            ..new_message(&self.ids, &format!("to {receiver} as {name:?}"))
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Send { receiver, name, patience } => {
                let message =
                    NewMessage { deadline: at(self.now + patience), ..self.message(receiver, name) };
                let answer = send(&mut self.core, &self.queue, message.clone());
                self.sent.push((message, answer));
            }
            Step::Begin(mishap) => self.begin(mishap),
            Step::End => self.end(),
            Step::Look => self.look(),
            Step::Looked(worked) => self.looked(worked),
            Step::Wait(millis) => self.now += millis,
            Step::Other { receiver, name, replicated } => self.other(receiver, name, replicated),
            Step::Arrive => self.server.arrive(),
            Step::Replicate => self.server.replicate(),
            Step::Forget => self.core.forget_numbers(),
        }
        self.core.expire(at(self.now));
        let Effects { commits, void, doubtful, answers } = self.core.effects();
        for number in void.into_iter().chain(doubtful) {
            assert!(self.unheard.remove(&number), "what became of an insert is heard once");
        }
        for (commit, number) in commits {
            // What was found bears another one.
            self.unheard.remove(&number);
            if let Commit::Sent { message, .. } = commit {
                self.told.push((*message).clone());
            }
        }
        answers.into_iter().for_each(|answer| answer.send());
    }

    fn begin(&mut self, mishap: Mishap) {
        let mut batch = Vec::new();
        if self.inserting.is_none()
            && self.core.plan(|message, dedup| {
                batch.push((message.clone(), dedup.clone()));
                self.commit += 1;
                self.unheard.insert(self.commit);
                self.commit
            }) > 0
        {
            self.inserting = Some((batch, mishap));
        }
    }

    fn end(&mut self) {
        if let Some((batch, mishap)) = self.inserting.take() {
            let outcome = self.server.insert(batch, mishap);
            self.core.inserted(outcome, at(self.now));
        }
    }

    fn look(&mut self) {
        if self.looking.is_none() {
            self.looking = self.core.looks(at(self.now));
        }
    }

    fn looked(&mut self, worked: bool) {
        match self.looking.take() {
            Some(look) if worked => {
                let looked = self.server.look(&look);
                self.core.looked(&look, &looked, at(self.now));
            }
            Some(_) => self.core.looked_in_vain(at(self.now)),
            None => {}
        }
    }

    fn other(&mut self, receiver: u8, name: Option<u8>, replicated: bool) {
        let new = self.message(receiver, name);
        self.foreign.push(new.id);
        let message = new.clone().into_message(0);
        self.server.other_node(message, Dedup::of(&new), replicated);
    }

    /// Everything works from now on, until nobody waits and nothing is looked for.
    fn come_to_rest(&mut self) {
        for _ in 0..200 {
            if self.is_at_rest() {
                break;
            }
            for step in [
                Step::End,
                Step::Looked(true),
                Step::Arrive,
                Step::Replicate,
                Step::Look,
                Step::Looked(true),
                Step::Begin(Mishap::None),
                Step::End,
                Step::Wait(600),
            ] {
                self.take(&step);
            }
        }
        assert!(self.is_at_rest(), "it comes to rest");
    }

    fn is_at_rest(&self) -> bool {
        self.core.is_idle() && !self.core.is_restless() && !self.server.is_late() && self.inserting.is_none()
    }

    fn check(mut self) {
        assert_eq!(self.unheard, BTreeSet::new(), "of every number it is heard what became of it");
        let stored = by_conversation(self.server.stored.iter().map(|(message, _)| message));
        for messages in stored.values() {
            let seqs: Vec<u64> = messages.iter().map(|message| message.seq).collect();
            assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "numbers have no gap");
        }
        let told = by_conversation(&self.told);
        for (conversation, told) in &told {
            assert!(told.is_sorted_by(|a, b| a.seq < b.seq), "each is told once, in order: {told:?}");
            let stored = &stored[conversation];
            assert!(told.iter().all(|told| stored.contains(told)), "what is told is stored");
        }
        for message in self.server.stored.iter().map(|(message, _)| message) {
            let is_told = self.told.contains(message);
            assert_eq!(
                is_told,
                !self.foreign.contains(&message.id),
                "what is stored here is told: {message:?}"
            );
        }
        for (message, answer) in &mut self.sent {
            let answer = answer.try_recv().expect("everybody is answered");
            self.server.check_answer(message, answer);
        }
    }
}

impl Server {
    fn check_answer(&self, sent: &NewMessage, answer: Result<chat_ports::Appended, AppendError>) {
        let name = Dedup::of(sent);
        let mut same = self.stored.iter().filter(|(message, dedup)| {
            message.conversation() == ConversationId::between(sent.sender, sent.receiver) && *dedup == name
        });
        match answer {
            Ok(appended) => {
                let (stored, _) = same.next().expect("what is acknowledged is stored");
                assert_eq!(*appended.message, *stored);
                assert!(appended.repeated || stored.id == sent.id);
                assert_eq!(same.next(), None);
            }
            Err(AppendError::ClientIdTaken) => panic!("all texts are the same"),
            Err(_failed) => {}
        }
    }
}

fn by_conversation<'a>(
    messages: impl IntoIterator<Item = &'a Message>,
) -> HashMap<ConversationId, Vec<&'a Message>> {
    let mut all: HashMap<_, Vec<_>> = HashMap::new();
    for message in messages {
        all.entry(message.conversation()).or_default().push(message);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_fails_what_is_acknowledged_is_stored_once_and_told_once_in_order(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.take(step));
        world.come_to_rest();
        world.check();
    }
}
