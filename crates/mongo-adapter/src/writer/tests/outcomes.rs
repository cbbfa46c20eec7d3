//! One outcome each, and what it means for those who wait.

use std::sync::Arc;

use chat_ports::{AppendError, Appended, Commit, NewMessage, StoreError, model::Message};
use chat_testkit::{SequentialIds, build};

use super::{Answered, at, core, named, new_message, queue, send, user};
use crate::{
    documents::Dedup,
    writer::{
        core::{Core, Inserted},
        looking::{Look, Looked},
    },
};

/// Answers the look-up that is due: so many messages in every conversation, and nothing of a name.
fn look(core: &mut Core, highest: u64) -> Look {
    let look = core.looks(at(0)).expect("a look-up is due");
    let highest = look.conversations.iter().map(|conversation| (*conversation, highest)).collect();
    core.looked(&look, &Looked { highest, ..Looked::default() }, at(0));
    look
}

/// The next insert: texts and numbers.
fn plan(core: &mut Core) -> Vec<(String, u64)> {
    let mut batch = Vec::new();
    core.plan(|message, _| {
        batch.push((message.text.clone(), message.seq));
        message.seq
    });
    batch
}

/// Tells what is to be told: the numbers that the listener hears.
fn tell(core: &mut Core) -> Vec<u64> {
    let effects = core.effects();
    effects.answers.into_iter().for_each(|answer| answer.send());
    let seq = |(commit, _number): (Commit, u64)| match commit {
        Commit::Sent { message, .. } => message.seq,
        other @ (Commit::Receipt { .. } | _) => unreachable!("{other:?}"),
    };
    effects.commits.into_iter().map(seq).collect()
}

fn stored(new: &NewMessage, seq: u64) -> Arc<Message> {
    Arc::new(new.clone().into_message(seq))
}

fn seq(answer: &mut Answered) -> u64 {
    answer.try_recv().expect("it is answered").expect("it is stored").message.seq
}

fn numbered(batch: &[(&str, u64)]) -> Vec<(String, u64)> {
    batch.iter().map(|(text, seq)| ((*text).to_owned(), *seq)).collect()
}

#[test]
fn a_warm_conversation_costs_one_insert_and_no_look_up() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let mut first = send(&mut core, &queue, new_message(&ids, "a"));
    assert!(plan(&mut core).is_empty(), "its number is not known");
    assert!(look(&mut core, 6).keys.is_empty());
    assert_eq!(plan(&mut core), numbered(&[("a", 7)]));
    core.inserted(Inserted::All, at(0));
    assert_eq!(tell(&mut core), [7]);
    assert_eq!(seq(&mut first), 7);
    let mut more = ["b", "c"].map(|text| send(&mut core, &queue, new_message(&ids, text)));
    assert_eq!(core.looks(at(0)), None);
    assert_eq!(plan(&mut core), numbered(&[("b", 8), ("c", 9)]));
    core.inserted(Inserted::All, at(0));
    assert_eq!(tell(&mut core), [8, 9]);
    assert_eq!(more.each_mut().map(seq), [8, 9]);
    assert!(core.is_idle());
}

#[test]
fn a_number_that_another_node_took_renumbers_the_rest_of_that_conversation_only() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let elsewhere = |text| NewMessage { receiver: user(3), ..new_message(&ids, text) };
    let sends = [new_message(&ids, "a"), elsewhere("x"), new_message(&ids, "b"), elsewhere("y")];
    let mut answers = sends.map(|message| send(&mut core, &queue, message));
    look(&mut core, 0);
    assert_eq!(plan(&mut core), numbered(&[("a", 1), ("x", 1), ("b", 2), ("y", 2)]));
    core.inserted(Inserted::Duplicate(2), at(0));
    assert_eq!(tell(&mut core), [1, 1], "what stood before it is stored");
    let asked = core.looks(at(0)).unwrap();
    assert_eq!((asked.conversations.len(), asked.keys.len()), (1, 1));
    assert_eq!(plan(&mut core), numbered(&[("y", 2)]), "another conversation does not wait");
    core.inserted(Inserted::All, at(0));
    let highest = asked.conversations.iter().map(|conversation| (*conversation, 4)).collect();
    core.looked(&asked, &Looked { highest, ..Looked::default() }, at(0));
    assert_eq!(plan(&mut core), numbered(&[("b", 5)]));
    core.inserted(Inserted::All, at(0));
    tell(&mut core);
    assert_eq!(answers.each_mut().map(seq), [1, 1, 5, 2]);
}

#[test]
fn a_name_that_stands_there_is_a_repeat_and_takes_no_number() {
    for (text, same) in [("a", true), ("other", false)] {
        let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
        let earlier = named(&ids, text, "n1");
        let mut repeat = send(&mut core, &queue, named(&ids, "a", "n1"));
        let mut next = send(&mut core, &queue, new_message(&ids, "b"));
        look(&mut core, 3);
        plan(&mut core);
        core.inserted(Inserted::Duplicate(0), at(0));
        let look = core.looks(at(0)).unwrap();
        let name = (look.conversations[0], Dedup::of(&earlier));
        let looked = Looked {
            highest: [(name.0, 3)].into_iter().collect(),
            found: [(name, stored(&earlier, 2))].into_iter().collect(),
            ..Looked::default()
        };
        core.looked(&look, &looked, at(0));
        assert_eq!(plan(&mut core), numbered(&[("b", 4)]));
        core.inserted(Inserted::All, at(0));
        assert_eq!(tell(&mut core), [4], "a repeat is no commit");
        assert_eq!(seq(&mut next), 4);
        match repeat.try_recv().unwrap() {
            Ok(Appended { message, repeated }) => assert_eq!((message.seq, repeated, same), (2, true, true)),
            Err(error) => assert_eq!((matches!(error, AppendError::ClientIdTaken), same), (true, false)),
        }
    }
}

#[test]
fn a_document_that_is_refused_fails_alone() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let mut answers = ["a", "b", "c"].map(|text| send(&mut core, &queue, new_message(&ids, text)));
    look(&mut core, 0);
    plan(&mut core);
    core.inserted(Inserted::Refused(1), at(0));
    assert_eq!(plan(&mut core), numbered(&[("c", 2)]), "and leaves no gap");
    core.inserted(Inserted::All, at(0));
    assert_eq!(tell(&mut core), [1, 2]);
    let [a, b, c] = &mut answers;
    assert_eq!((seq(a), seq(c)), (1, 2));
    assert!(matches!(b.try_recv().unwrap(), Err(AppendError::Store(StoreError::Internal(_)))));
}

#[test]
fn a_command_that_is_refused_is_tried_message_by_message() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let mut answers = ["a", "b"].map(|text| send(&mut core, &queue, new_message(&ids, text)));
    look(&mut core, 0);
    plan(&mut core);
    core.inserted(Inserted::Unknown { refused: true }, at(0));
    assert_eq!(look(&mut core, 0).keys.len(), 2, "it may be stored all the same");
    assert_eq!(plan(&mut core), numbered(&[("a", 1)]));
    core.inserted(Inserted::Unknown { refused: true }, at(0));
    look(&mut core, 0);
    assert_eq!(plan(&mut core), numbered(&[("b", 1)]));
    core.inserted(Inserted::All, at(0));
    assert_eq!(tell(&mut core), [1]);
    let [a, b] = &mut answers;
    assert!(a.try_recv().unwrap().is_err());
    assert_eq!(seq(b), 1);
}

#[test]
fn an_unknown_outcome_is_looked_up_and_what_is_missing_is_sent_again_as_the_same_message() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let sends = ["a", "b"].map(|text| new_message(&ids, text));
    let mut answers = sends.clone().map(|message| send(&mut core, &queue, message));
    look(&mut core, 0);
    plan(&mut core);
    core.inserted(Inserted::Unknown { refused: false }, at(0));
    assert!(plan(&mut core).is_empty(), "nothing is sent before it is known");
    let look = core.looks(at(0)).unwrap();
    let name = (look.conversations[0], Dedup::of(&sends[0]));
    let looked = Looked {
        highest: [(name.0, 1)].into_iter().collect(),
        found: [(name, stored(&sends[0], 1))].into_iter().collect(),
        ..Looked::default()
    };
    core.looked(&look, &looked, at(0));
    assert_eq!(tell(&mut core), [1]);
    let mut again = Vec::new();
    core.plan(|message, _| {
        again.push((message.id, message.seq));
        message.seq
    });
    assert_eq!(again, [(sends[1].id, 2)]);
    core.inserted(Inserted::All, at(0));
    assert_eq!(tell(&mut core), [2]);
    assert_eq!(answers.each_mut().map(seq), [1, 2]);
}

#[test]
fn what_was_answered_with_a_timeout_and_is_found_later_is_told_then_and_before_what_follows_it() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let late = NewMessage { deadline: at(50), ..new_message(&ids, "late") };
    let mut answer = send(&mut core, &queue, late.clone());
    look(&mut core, 0);
    plan(&mut core);
    core.expire(at(60));
    tell(&mut core);
    assert!(matches!(answer.try_recv().unwrap(), Err(AppendError::Store(StoreError::Timeout))), "in time");
    core.inserted(Inserted::Unknown { refused: false }, at(5_000));
    let mut next = send(&mut core, &queue, new_message(&ids, "next"));
    assert!(plan(&mut core).is_empty());
    let look = core.looks(at(5_000)).unwrap();
    let name = (look.conversations[0], Dedup::of(&late));
    assert_eq!(look.keys.iter().map(|key| key.id).collect::<Vec<_>>(), [late.id]);
    let looked = Looked {
        highest: [(name.0, 0)].into_iter().collect(),
        found: [(name, stored(&late, 1))].into_iter().collect(),
        ..Looked::default()
    };
    core.looked(&look, &looked, at(5_000));
    assert_eq!(tell(&mut core), [1]);
    assert_eq!(plan(&mut core), numbered(&[("next", 2)]));
    core.inserted(Inserted::All, at(5_000));
    assert_eq!(tell(&mut core), [2]);
    assert_eq!(seq(&mut next), 2);
}

#[test]
fn what_can_not_be_stored_any_more_is_looked_for_no_longer() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let _late = send(&mut core, &queue, NewMessage { deadline: at(50), ..new_message(&ids, "late") });
    look(&mut core, 0);
    plan(&mut core);
    core.expire(at(60));
    core.inserted(Inserted::Unknown { refused: false }, at(60));
    assert!(core.is_idle() && core.is_restless());
    assert_eq!(core.looks(at(61)), None, "not at once");
    let look = core.looks(at(2_000)).unwrap();
    let highest = look.conversations.iter().map(|conversation| (*conversation, 1)).collect();
    core.looked(&look, &Looked { highest, ..Looked::default() }, at(2_000));
    assert!(!core.is_restless(), "another has its place");
}

#[test]
fn what_a_majority_does_not_know_yet_is_waited_for() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let mut answer = send(&mut core, &queue, new_message(&ids, "a"));
    look(&mut core, 0);
    plan(&mut core);
    core.inserted(Inserted::Duplicate(0), at(0));
    for _ in 0..3 {
        look(&mut core, 0);
        assert!(plan(&mut core).is_empty());
        assert_eq!(core.looks(at(0)), None, "not at once");
        core.inserted(Inserted::All, at(0));
        let again = core.looks(at(1_000)).expect("after a pause");
        core.looked_in_vain(at(0));
        assert_eq!(again.keys.len(), 1);
        core.pause = None;
        core.pauses.clear();
    }
    look(&mut core, 1);
    assert_eq!(plan(&mut core), numbered(&[("a", 2)]));
    core.inserted(Inserted::All, at(0));
    tell(&mut core);
    assert_eq!(seq(&mut answer), 2);
}

#[test]
fn a_copy_waits_for_the_first_one_and_never_enters_a_batch() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let mut first = send(&mut core, &queue, named(&ids, "a", "n1"));
    let mut copies = ["a", "other"].map(|text| send(&mut core, &queue, named(&ids, text, "n1")));
    look(&mut core, 0);
    assert_eq!(plan(&mut core), numbered(&[("a", 1)]));
    let mut late = send(&mut core, &queue, named(&ids, "a", "n1"));
    assert!(first.try_recv().is_err() && late.try_recv().is_err());
    core.inserted(Inserted::All, at(0));
    assert_eq!(tell(&mut core), [1]);
    assert_eq!((seq(&mut first), seq(&mut late)), (1, 1));
    let [same, other] = &mut copies;
    assert!(same.try_recv().unwrap().unwrap().repeated);
    assert!(matches!(other.try_recv().unwrap(), Err(AppendError::ClientIdTaken)));
}

#[test]
fn a_copy_takes_the_place_of_a_first_one_whose_time_was_over_before_it_was_sent() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let mut first = send(&mut core, &queue, NewMessage { deadline: at(50), ..named(&ids, "a", "n1") });
    let mut copy = send(&mut core, &queue, named(&ids, "a", "n1"));
    let mut behind = send(&mut core, &queue, new_message(&ids, "b"));
    core.expire(at(60));
    look(&mut core, 0);
    assert_eq!(plan(&mut core), numbered(&[("a", 1), ("b", 2)]));
    core.inserted(Inserted::All, at(60));
    tell(&mut core);
    assert!(first.try_recv().unwrap().is_err());
    assert!(!copy.try_recv().unwrap().unwrap().repeated);
    assert_eq!(seq(&mut behind), 2);
}

#[test]
fn an_insert_ends_at_its_bounds() {
    let (mut core, queue, ids) = (core(|bounds| bounds.batch_entries = 2), queue(), SequentialIds::new());
    let _answers = ["a", "b", "c"].map(|text| send(&mut core, &queue, new_message(&ids, text)));
    look(&mut core, 0);
    assert_eq!(plan(&mut core).len(), 2);
    assert!(plan(&mut core).is_empty(), "one is on its way");
    let (mut core, queue) = (super::core(|bounds| bounds.batch_bytes = 2_000), queue);
    let long = "x".repeat(1_400);
    let _answers = [0; 2].map(|_| send(&mut core, &queue, new_message(&ids, &long)));
    look(&mut core, 0);
    assert_eq!(plan(&mut core).len(), 1);
}

#[test]
fn another_primary_or_an_unknown_outcome_forgets_every_number() {
    let (mut core, queue, ids) = (core(|_| {}), queue(), SequentialIds::new());
    let _answer = send(&mut core, &queue, new_message(&ids, "a"));
    look(&mut core, 0);
    core.forget_numbers();
    assert!(plan(&mut core).is_empty());
    look(&mut core, 0);
    let elsewhere = NewMessage { receiver: user(3), text: build::text("x"), ..new_message(&ids, "x") };
    let _other = send(&mut core, &queue, elsewhere.clone());
    plan(&mut core);
    look(&mut core, 5);
    core.inserted(Inserted::Unknown { refused: false }, at(0));
    assert!(plan(&mut core).is_empty(), "of other conversations as well");
}

#[test]
fn what_lingers_is_bounded() {
    let (mut core, queue, ids) = (core(|bounds| bounds.doubtful_entries = 2), queue(), SequentialIds::new());
    let brief = |text| NewMessage { deadline: at(50), ..new_message(&ids, text) };
    let _answers = ["a", "b", "c"].map(|text| send(&mut core, &queue, brief(text)));
    look(&mut core, 0);
    plan(&mut core);
    core.expire(at(60));
    core.inserted(Inserted::Unknown { refused: false }, at(60));
    assert_eq!(core.lingering.len(), 2);
    for (time, left) in [(2_000, 2), (70_000, 0)] {
        core.expire(at(time));
        assert_eq!(core.lingering.len(), 2, "while it can't be looked for");
        let late = core.looks(at(time)).unwrap();
        core.looked(&late, &Looked::default(), at(time));
        assert_eq!(core.lingering.len(), left, "and in time");
    }
    assert!(!core.is_restless());
}
