//! Sending and reading against mocked ports.

use std::task::{Context, Poll, Waker};

use chat_ports::{
    AppendError, StoreError,
    model::{Block, ConversationId, Message, Timestamp},
};
use chat_testkit::build;
use futures_executor::block_on;

use super::*;
use crate::{
    ErrorCode,
    support::{Mocks, message, message_id, user, user_id},
};

fn hello(mocks: &Mocks) -> SendMessage {
    SendMessage {
        sender: user_id(1),
        receiver: user_id(2),
        text: build::text("hello"),
        client_id: Some(build::client_id("n1")),
        deadline: mocks.clock.instant() + Duration::from_secs(5),
        except: Some(SocketId::new("s1")),
    }
}

fn new(prepared: Prepared) -> NewMessage {
    match prepared {
        Prepared::New(message) => message,
        Prepared::Repeat(stored) => panic!("{stored:?} is no new message"),
    }
}

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_prepared_message_has_all_that_was_given_an_id_and_the_time() {
    let mocks = Mocks::new().knowing(&[user(2, "berta")]);
    let (send, now) = (hello(&mocks), mocks.clock.now());
    let prepared = new(block_on(mocks.chat().messaging.prepare(send.clone())).unwrap());
    assert_eq!((prepared.sender, prepared.receiver), (send.sender, send.receiver));
    assert_eq!((prepared.text, prepared.client_id), (send.text, send.client_id));
    assert_eq!((prepared.deadline, prepared.except), (send.deadline, send.except));
    assert_eq!(prepared.timestamp, now);
}

#[test]
fn a_known_receiver_is_looked_up_once_and_prepared_at_the_first_poll_from_then_on() {
    let mut mocks = Mocks::new().unblocked();
    mocks.users.expect_find().times(1).returning(|_| Ok(Some(user(2, "berta"))));
    let send = hello(&mocks);
    let chat = mocks.chat();
    let Preparation::Asks(asked) = chat.messaging.prepare_at_once(send.clone()) else { panic!("of whom?") };
    let first = new(block_on(chat.messaging.prepare(asked)).unwrap());
    let Poll::Ready(second) = poll_once(chat.messaging.prepare(send.clone())) else { panic!("not at once") };
    let Preparation::Done(third) = chat.messaging.prepare_at_once(send) else { panic!("not at once") };
    let (second, third) = (new(second.unwrap()), new(third.unwrap()));
    assert!(first.id != second.id && second.id != third.id);
    assert_eq!((third.receiver, third.text), (first.receiver, first.text));
}

#[test]
fn a_message_to_oneself_is_refused_before_any_port_is_asked() {
    let mocks = Mocks::new();
    let send = SendMessage { receiver: user_id(1), ..hello(&mocks) };
    let error = block_on(mocks.chat().messaging.send(send)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidInput);
    assert!(error.details().unwrap().starts_with("receiverId: "));
}

#[test]
fn an_unknown_receiver_is_not_found_and_that_is_not_remembered() {
    let mut mocks = Mocks::new();
    mocks.users.expect_find().times(2).returning(|_| Ok(None));
    let send = hello(&mocks);
    let chat = mocks.chat();
    for _ in 0..2 {
        let error = block_on(chat.messaging.prepare(send.clone())).unwrap_err();
        assert!(matches!(error, ChatError::NotFound(Missing::User)), "{error}");
    }
}

#[test]
fn submitting_reaches_the_log_at_the_first_poll_and_not_before() {
    let mut mocks = Mocks::new().knowing(&[user(2, "berta")]);
    let stored = message(user_id(1), user_id(2), 1);
    let answer = Appended { message: stored, repeated: true };
    let answered = answer.clone();
    mocks.log.expect_append().times(1).returning(move |_| Ok(answered.clone()));
    let send = hello(&mocks);
    let chat = mocks.chat();
    let prepared = block_on(chat.messaging.prepare(send)).unwrap();
    drop(chat.messaging.submit(prepared.clone()));
    let Poll::Ready(appended) = poll_once(chat.messaging.submit(prepared)) else { panic!("not at once") };
    assert_eq!(appended.unwrap(), answer);
}

#[test]
fn an_answer_after_the_deadline_is_as_good_as_one_in_time() {
    let mut mocks = Mocks::new().knowing(&[user(2, "berta")]);
    let clock = mocks.clock.clone();
    mocks.log.expect_append().returning(move |new| {
        clock.advance(Duration::from_secs(60));
        assert!(clock.instant() > new.deadline);
        Ok(Appended { message: message(new.sender, new.receiver, 1), repeated: false })
    });
    let send = hello(&mocks);
    assert_eq!(block_on(mocks.chat().messaging.send(send)).unwrap().message.seq, 1);
}

#[test]
fn what_the_log_refuses_has_a_code() {
    type Refusal = fn() -> AppendError;
    let table: [(Refusal, ErrorCode); 4] = [
        (|| AppendError::ClientIdTaken, ErrorCode::Conflict),
        (|| StoreError::Timeout.into(), ErrorCode::Unavailable),
        (|| StoreError::Unavailable("queue".into()).into(), ErrorCode::Unavailable),
        (|| StoreError::Internal("statement".into()).into(), ErrorCode::Internal),
    ];
    for (refusal, code) in table {
        let mut mocks = Mocks::new().knowing(&[user(2, "berta")]);
        mocks.log.expect_append().returning(move |_| Err(refusal()));
        let send = hello(&mocks);
        let error = block_on(mocks.chat().messaging.send(send)).unwrap_err();
        assert_eq!(error.code(), code);
    }
}

fn receipt(kind: ReceiptKind, deadline: Instant) -> GiveReceipt {
    let (receiver, message) = (user_id(2), message_id(7));
    GiveReceipt { kind, receiver, message, deadline, except: Some(SocketId::new("s1")) }
}

#[test]
fn a_receipt_is_handed_to_the_log_with_the_time_and_the_limit() {
    for kind in [ReceiptKind::Delivered, ReceiptKind::Read] {
        let mut mocks = Mocks::new();
        let (deadline, at) = (mocks.clock.instant(), mocks.clock.now());
        let span = ReceiptSpan {
            conversation: ConversationId::between(user_id(1), user_id(2)),
            sender: user_id(1),
            count: 3,
            messages: vec![message_id(7)],
        };
        let answer = span.clone();
        mocks.log.expect_receipt().times(1).returning(move |receipt| {
            assert_eq!((receipt.kind, receipt.receiver, receipt.message), (kind, user_id(2), message_id(7)));
            assert_eq!((receipt.at, receipt.max_ids, receipt.deadline), (at, 100, deadline));
            assert_eq!(receipt.except, Some(SocketId::new("s1")));
            Ok(Some(answer.clone()))
        });
        assert_eq!(block_on(mocks.chat().messaging.receipt(receipt(kind, deadline))).unwrap(), span);
    }
}

#[test]
fn a_message_that_was_not_sent_to_the_receiver_is_not_found() {
    let mut mocks = Mocks::new();
    mocks.log.expect_receipt().returning(|_| Ok(None));
    let receipt = receipt(ReceiptKind::Read, mocks.clock.instant());
    let error = block_on(mocks.chat().messaging.receipt(receipt)).unwrap_err();
    assert!(matches!(error, ChatError::NotFound(Missing::Message)), "{error}");
}

#[test]
fn the_deadline_counts_from_the_arrival() {
    let mocks = Mocks::new();
    let arrived = mocks.clock.instant();
    assert_eq!(mocks.chat().messaging.deadline(arrived), arrived + Duration::from_secs(5));
}

#[test]
fn names_of_more_users_than_are_kept_are_read_again() {
    let mut mocks = Mocks::new().unblocked();
    mocks.settings.cached_users = 4;
    mocks.users.expect_find().times(20..=40).returning(|id| Ok(Some(user(id.bytes()[0], "somebody"))));
    let send = hello(&mocks);
    let chat = mocks.chat();
    for number in (2..22).chain(2..22) {
        let send = SendMessage { receiver: user_id(number), ..send.clone() };
        assert!(block_on(chat.messaging.prepare(send)).is_ok());
    }
}

#[test]
fn a_submitted_send_can_be_spawned_anywhere() {
    fn spawnable<T: Future + Send + 'static>(_: &T) {}
    let mut mocks = Mocks::new().knowing(&[user(2, "berta")]);
    mocks.log.expect_append().returning(|new| {
        let message: Arc<Message> = message(new.sender, new.receiver, 1);
        Ok(Appended { message, repeated: false })
    });
    let send = hello(&mocks);
    let submitted = {
        let chat = mocks.chat();
        let prepared = block_on(chat.messaging.prepare(send)).unwrap();
        chat.messaging.submit(prepared)
    };
    spawnable(&submitted);
    assert!(block_on(submitted).is_ok(), "it outlives the chat");
}

/// Anna's message to Berta, sent an hour ago.
fn mine(mocks: &Mocks) -> Message {
    let timestamp = Timestamp::from_millis(mocks.clock.now().millis() - 3_600_000);
    Message { timestamp, ..Message::clone(&message(user_id(1), user_id(2), 7)) }
}

fn code<T>(result: Result<T, ChatError>) -> Option<ErrorCode> {
    result.err().map(|error| error.code())
}

#[test]
fn ones_own_message_is_edited_and_deleted_and_nobody_elses() {
    let mut mocks = Mocks::new().knowing(&[]);
    let (found, deadline, at) = (mine(&mocks), mocks.clock.instant(), mocks.clock.now());
    let stored = Arc::new(found.clone());
    mocks.messages.expect_find().returning(move |id| Ok((id == stored.id).then(|| Arc::clone(&stored))));
    let edited = Arc::new(found.edited("other".to_owned(), at));
    let answer = Arc::clone(&edited);
    mocks.log.expect_edit().times(1).returning(move |edit| {
        assert_eq!((edit.message, edit.text.as_str()), (message_id(7), "other"));
        assert_eq!((edit.at, edit.deadline), (at, deadline));
        Ok(Some(Arc::clone(&answer)))
    });
    let tombstone = Arc::new(found.tombstone(at));
    let answer = Arc::clone(&tombstone);
    mocks.log.expect_delete().times(1).returning(move |delete| {
        assert_eq!((delete.message, delete.at, delete.deadline), (message_id(7), at, deadline));
        Ok(Some(Arc::clone(&answer)))
    });
    let chat = mocks.chat();
    let edit =
        |who, id| block_on(chat.messaging.edit(user_id(who), message_id(id), build::text("other"), deadline));
    let delete = |who, id| block_on(chat.messaging.delete(user_id(who), message_id(id), deadline));
    assert_eq!(edit(1, 7).unwrap(), edited);
    assert_eq!(delete(1, 7).unwrap(), tombstone);
    for (who, id) in [(2, 7), (3, 7), (1, 8)] {
        assert_eq!(code(edit(who, id)), Some(ErrorCode::NotFound));
        assert_eq!(code(delete(who, id)), Some(ErrorCode::NotFound));
    }
}

#[test]
fn a_deleted_message_and_one_of_long_ago_are_not_edited() {
    for (age, answer) in [(23, Some(ErrorCode::NotFound)), (25, Some(ErrorCode::Forbidden))] {
        let mut mocks = Mocks::new().knowing(&[]);
        let deadline = mocks.clock.instant();
        let timestamp = Timestamp::from_millis(mocks.clock.now().millis() - age * 3_600_000);
        let found = Arc::new(Message { timestamp, ..mine(&mocks) });
        mocks.messages.expect_find().returning(move |_| Ok(Some(Arc::clone(&found))));
        mocks.log.expect_edit().returning(|_| Ok(None));
        let chat = mocks.chat();
        let edit = chat.messaging.edit(user_id(1), message_id(7), build::text("other"), deadline);
        assert_eq!(code(block_on(edit)), answer);
    }
}

#[test]
fn a_deleted_message_of_long_ago_is_as_unknown_to_an_edit_as_one_of_just_now() {
    let mut mocks = Mocks::new().knowing(&[]);
    let (now, deadline) = (mocks.clock.now(), mocks.clock.instant());
    let timestamp = Timestamp::from_millis(now.millis() - 25 * 3_600_000);
    let found = Arc::new(Message { timestamp, ..mine(&mocks) }.tombstone(now));
    mocks.messages.expect_find().returning(move |_| Ok(Some(Arc::clone(&found))));
    let chat = mocks.chat();
    let edit = chat.messaging.edit(user_id(1), message_id(7), build::text("other"), deadline);
    assert_eq!(code(block_on(edit)), Some(ErrorCode::NotFound));
}

#[test]
fn where_one_blocks_the_other_nothing_is_edited_but_deleted() {
    let mut mocks = Mocks::new();
    let (found, deadline) = (Arc::new(mine(&mocks)), mocks.clock.instant());
    let tombstone = Arc::new(found.tombstone(mocks.clock.now()));
    mocks.messages.expect_find().returning(move |_| Ok(Some(Arc::clone(&found))));
    let block = Block { blocker: user_id(2), blocked: user_id(1), since: Timestamp::from_millis(1) };
    mocks.blocks.expect_between().returning(move |_, _| Ok(vec![block]));
    mocks.log.expect_delete().returning(move |_| Ok(Some(Arc::clone(&tombstone))));
    let chat = mocks.chat();
    let edit = chat.messaging.edit(user_id(1), message_id(7), build::text("other"), deadline);
    assert_eq!(code(block_on(edit)), Some(ErrorCode::Forbidden));
    assert_eq!(code(block_on(chat.messaging.delete(user_id(1), message_id(7), deadline))), None);
}

#[test]
fn a_block_is_read_once_where_nobody_else_writes_and_again_after_a_while_where_others_do() {
    for (fresh_for, reads) in [(None, 1), (Some(Duration::from_secs(5)), 3)] {
        let mut mocks = Mocks::new();
        mocks.users.expect_find().returning(|_| Ok(Some(user(2, "berta"))));
        mocks.blocks.expect_between().times(reads).returning(|_, _| Ok(Vec::new()));
        mocks.settings.blocks_fresh_for = fresh_for;
        let (clock, send) = (mocks.clock.clone(), hello(&mocks));
        let chat = mocks.chat();
        for _ in 0..9 {
            block_on(chat.messaging.prepare(send.clone())).unwrap();
            clock.advance(Duration::from_secs(2));
        }
    }
}

#[test]
fn what_was_stored_before_a_block_is_answered_as_a_repeat_and_nothing_else_is() {
    let block = Block { blocker: user_id(2), blocked: user_id(1), since: Timestamp::from_millis(1) };
    let stored = message(user_id(1), user_id(2), 7);
    for (found, client_id, answer) in [
        (Some("hello"), Some("n1"), None),
        (Some("other"), Some("n1"), Some(ErrorCode::Conflict)),
        (None, Some("n1"), Some(ErrorCode::Forbidden)),
        // Without a client id nothing is looked for.
        (Some("hello"), None, Some(ErrorCode::Forbidden)),
    ] {
        let mut mocks = Mocks::new();
        mocks.users.expect_find().returning(|_| Ok(Some(user(2, "berta"))));
        mocks.blocks.expect_between().returning(move |_, _| Ok(vec![block]));
        let found = found.map(|text| Arc::new(Message { text: text.into(), ..(*stored).clone() }));
        mocks.messages.expect_sent_as().times(usize::from(client_id.is_some())).returning(
            move |sender, receiver, client_id| {
                let asked = (sender, receiver, client_id.as_str());
                assert_eq!(asked, (user_id(1), user_id(2), "n1"));
                Ok(found.clone())
            },
        );
        let send = SendMessage { client_id: client_id.map(build::client_id), ..hello(&mocks) };
        match block_on(mocks.chat().messaging.send(send)) {
            Ok(appended) => {
                assert_eq!(answer, None);
                assert!(appended.repeated);
                assert_eq!(appended.message, stored);
            }
            Err(error) => assert_eq!(Some(error.code()), answer),
        }
    }
}
