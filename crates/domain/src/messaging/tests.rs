//! Sending and reading against mocked ports.

use std::task::{Context, Poll, Waker};

use chat_ports::{
    AppendError, StoreError,
    model::{ConversationId, Message},
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

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_prepared_message_has_all_that_was_given_an_id_and_the_time() {
    let mocks = Mocks::new().knowing(&[user(2, "berta")]);
    let (send, now) = (hello(&mocks), mocks.clock.now());
    let prepared = block_on(mocks.chat().messaging.prepare(send.clone())).unwrap();
    assert_eq!((prepared.sender, prepared.receiver), (send.sender, send.receiver));
    assert_eq!((prepared.text, prepared.client_id), (send.text, send.client_id));
    assert_eq!((prepared.deadline, prepared.except), (send.deadline, send.except));
    assert_eq!(prepared.timestamp, now);
}

#[test]
fn a_known_receiver_is_looked_up_once_and_prepared_at_the_first_poll_from_then_on() {
    let mut mocks = Mocks::new();
    mocks.users.expect_find().times(1).returning(|_| Ok(Some(user(2, "berta"))));
    let send = hello(&mocks);
    let chat = mocks.chat();
    let first = block_on(chat.messaging.prepare(send.clone())).unwrap();
    let Poll::Ready(second) = poll_once(chat.messaging.prepare(send)) else { panic!("not at once") };
    assert_ne!(first.id, second.unwrap().id);
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
    let mut mocks = Mocks::new();
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
