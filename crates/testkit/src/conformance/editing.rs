//! Edits and deletions: what becomes of a text, and what stays.

use std::sync::Arc;

use chat_ports::{
    AppendError, Commit, Delete, Edit, HistoryAnchor, StoreError,
    model::{Message, MessageId, Timestamp, UserId},
};
use futures_executor::block_on;

use super::world::{World, at_once};
use crate::{Fixture, build};

impl World {
    fn an_edit(&self, message: MessageId, text: &str, at: i64) -> Edit {
        let (text, at) = (build::text(text), Timestamp::from_millis(at));
        Edit { message, text, at, deadline: self.deadline() }
    }

    pub(super) fn edit(&self, message: &Message, text: &str, at: i64) -> Option<Arc<Message>> {
        block_on(self.fixture.ports.log.edit(self.an_edit(message.id, text, at))).unwrap()
    }

    pub(super) fn delete(&self, message: &Message, at: i64) -> Option<Arc<Message>> {
        let (message, at) = (message.id, Timestamp::from_millis(at));
        block_on(self.fixture.ports.log.delete(Delete { message, at, deadline: self.deadline() })).unwrap()
    }

    /// Asserts that every way to a message, which is its conversation's last, shows this.
    fn assert_shown(&self, a: UserId, b: UserId, expected: &Arc<Message>) {
        assert_eq!(self.find(expected), *expected);
        assert_eq!(self.page(a, b, HistoryAnchor::Newest { skip: 0 }, 1).items, [Arc::clone(expected)]);
        for user in [a, b] {
            assert_eq!(self.conversations(user, None, 1).items[0].last_message, *expected);
        }
    }
}

pub fn an_edited_message_has_the_new_text_and_keeps_the_rest(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    world.send(a, b, "before it");
    let sent = world.append(world.named(a, b, "hello", "n1")).unwrap().message;
    world.read(b, &sent, 20_000);
    let stood = world.find(&sent);
    let edited = world.edit(&sent, "hello, again", 30_000).unwrap();
    assert_eq!(*edited, stood.edited("hello, again".to_owned(), Timestamp::from_millis(30_000)));
    world.assert_shown(a, b, &edited);
    let twice = world.edit(&sent, "hello", 40_000).unwrap();
    assert_eq!((twice.text.as_str(), twice.edited_at), ("hello", Some(Timestamp::from_millis(40_000))));
    assert_eq!(twice.first_text, edited.first_text);
    world.assert_shown(a, b, &twice);
}

pub fn of_two_edits_the_one_that_is_stored_later_has_the_later_time(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent = world.send(a, b, "hello");
    let mut before = world.edit(&sent, "first", 30_000).unwrap();
    for (text, at) in [("at the same time", 30_000), ("made earlier", 20_000), ("made later", 40_000)] {
        let edited = world.edit(&sent, text, at).unwrap();
        assert!(edited.edited_at > before.edited_at, "{text}");
        world.assert_shown(a, b, &edited);
        before = edited;
    }
    assert_eq!(before.edited_at, Some(Timestamp::from_millis(40_000)));
}

pub fn an_unknown_message_is_neither_edited_nor_deleted(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent = world.send(a, b, "hello");
    let unknown = Message { id: world.ids.message(), ..Message::clone(&sent) };
    world.fixture.commits.take();
    assert_eq!(world.edit(&unknown, "other", 30_000), None);
    assert_eq!(world.delete(&unknown, 30_000), None);
    assert_eq!(world.fixture.commits.take(), []);
}

pub fn a_deleted_message_has_no_text_and_keeps_its_place(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent = world.append(world.named(a, b, "hello", "n1")).unwrap().message;
    world.edit(&sent, "hello, again", 30_000).unwrap();
    let deleted = world.delete(&sent, 40_000).unwrap();
    assert_eq!(*deleted, sent.tombstone(Timestamp::from_millis(40_000)));
    world.assert_shown(a, b, &deleted);
    assert_eq!(world.conversations(b, None, 1).items[0].unread, 1, "it is still to be read");
    assert_eq!(world.send(b, a, "next").seq, 2);
    assert_eq!(world.read(b, &sent, 50_000).count, 1);
    assert_eq!(world.find(&sent).read_at, Some(Timestamp::from_millis(50_000)));
}

pub fn deleting_again_changes_nothing(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent = world.send(a, b, "hello");
    let deleted = world.delete(&sent, 40_000);
    world.fixture.commits.take();
    assert_eq!(world.delete(&sent, 50_000), deleted);
    assert_eq!(world.edit(&sent, "other", 50_000), None, "what is deleted is not edited");
    assert_eq!(world.fixture.commits.take(), []);
    assert_eq!(Some(world.find(&sent)), deleted);
}

pub fn a_repeat_is_compared_with_the_text_that_was_first_sent(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent = world.append(world.named(a, b, "hello", "n1")).unwrap().message;
    world.edit(&sent, "in between", 30_000).unwrap();
    let edited = world.edit(&sent, "at last", 31_000).unwrap();
    let again = world.append(world.named(a, b, "hello", "n1")).unwrap();
    assert_eq!((again.repeated, again.message), (true, edited));
    for text in ["in between", "at last"] {
        let refusal = world.append(world.named(a, b, text, "n1")).unwrap_err();
        assert!(matches!(refusal, AppendError::ClientIdTaken), "{refusal}");
    }
}

pub fn any_text_repeats_a_deleted_message(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent = world.append(world.named(a, b, "hello", "n1")).unwrap().message;
    let deleted = world.delete(&sent, 40_000).unwrap();
    for text in ["hello", "other"] {
        let again = world.append(world.named(a, b, text, "n1")).unwrap();
        assert_eq!((again.repeated, again.message), (true, Arc::clone(&deleted)));
    }
    world.assert_gap_free(a, b, 1);
}

pub fn an_edit_and_a_deletion_are_one_commit_each_before_their_answers(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent = world.send(a, b, "hello");
    world.fixture.commits.take();
    let message = world.edit(&sent, "other", 30_000).unwrap();
    assert_eq!(world.fixture.commits.take(), [Commit::Edited { message }]);
    let message = world.delete(&sent, 40_000).unwrap();
    assert_eq!(world.fixture.commits.take(), [Commit::Deleted { message }]);
}

pub fn of_edits_beside_a_deletion_the_deletion_wins(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    for round in 0..5 {
        let sent = world.send(a, b, "hello");
        let outcomes = at_once(4, |thread| {
            if thread == 2 { world.delete(&sent, 40_000) } else { world.edit(&sent, "other", 30_000 + round) }
        });
        assert!(outcomes[2].as_ref().is_some_and(|message| message.is_deleted()));
        let left = world.find(&sent);
        assert!(left.is_deleted() && left.text.is_empty(), "{left:?}");
        assert!(matches!(world.fixture.commits.take().last(), Some(Commit::Deleted { .. })));
    }
}

pub fn receipts_and_edits_beside_each_other_all_count(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..6).map(|_| world.send(a, b, "hello")).collect();
    at_once(3, |thread| match thread {
        0 => drop(world.read(b, &sent[5], 20_000)),
        1 => sent.iter().step_by(2).for_each(|message| drop(world.edit(message, "other", 30_000))),
        _ => sent.iter().skip(1).step_by(2).for_each(|message| drop(world.delete(message, 40_000))),
    });
    for (number, message) in world.all(a, b).iter().enumerate() {
        assert_eq!(message.read_at, Some(Timestamp::from_millis(20_000)));
        assert_eq!(message.is_deleted(), number % 2 == 1, "{message:?}");
        assert_eq!(message.text, if number % 2 == 0 { "other" } else { "" });
    }
}

pub fn an_edit_and_a_deletion_past_their_deadlines_fail(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent = world.send(a, b, "hello");
    let log = &world.fixture.ports.log;
    let edit = Edit { deadline: world.past(), ..world.an_edit(sent.id, "other", 30_000) };
    assert!(matches!(block_on(log.edit(edit)), Err(StoreError::Timeout)));
    let (at, deadline) = (Timestamp::from_millis(40_000), world.past());
    let delete = Delete { message: sent.id, at, deadline };
    assert!(matches!(block_on(log.delete(delete)), Err(StoreError::Timeout)));
    assert_eq!(world.find(&sent), sent);
}

pub fn after_a_restart_edits_and_deletions_stand(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let kept = world.append(world.named(a, b, "hello", "n1")).unwrap().message;
    let gone = world.append(world.named(a, b, "hello", "n2")).unwrap().message;
    let edited = world.edit(&kept, "other", 30_000).unwrap();
    let deleted = world.delete(&gone, 40_000).unwrap();
    let Some(world) = world.restarted() else { return };
    assert_eq!(world.all(a, b), [Arc::clone(&edited), Arc::clone(&deleted)]);
    let again = |name| world.append(world.named(a, b, "hello", name)).unwrap().message;
    assert_eq!((again("n1"), again("n2")), (edited, deleted));
    let refusal = world.append(world.named(a, b, "other", "n1")).unwrap_err();
    assert!(matches!(refusal, AppendError::ClientIdTaken), "{refusal}");
}
