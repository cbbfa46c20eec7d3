//! Commits become events.

use chat_ports::{
    CommitNumber, ReceiptKind,
    mocks::MockEventBus,
    model::{ConversationId, SocketId},
};
use chat_testkit::RecordingBus;

use super::*;
use crate::support::{message, message_id, user_id};

#[test]
fn commits_are_published_in_their_order_with_the_socket_to_leave_out() {
    let (a, b) = (user_id(1), user_id(2));
    let (sent, except) = (message(a, b, 1), Some(SocketId::new("s1")));
    let messages = vec![message_id(1)];
    let read = ReceiptSpan {
        conversation: ConversationId::between(a, b),
        sender: a,
        count: 1,
        messages: messages.clone(),
    };
    let bus = RecordingBus::new();
    Delivery::new(bus.clone()).committed(vec![
        Commit::Sent { message: sent.clone(), except: except.clone() }.into(),
        Committed {
            commit: Commit::Receipt { kind: ReceiptKind::Read, receiver: b, span: read, except: None },
            number: Some(CommitNumber(7)),
        },
    ]);
    let expected = [
        Event::Message { message: sent, except, number: None },
        Event::Receipt {
            kind: ReceiptKind::Read,
            receiver: b,
            sender: a,
            messages,
            except: None,
            number: Some(CommitNumber(7)),
        },
    ];
    assert_eq!(bus.events(), expected);
}

#[test]
fn each_commit_is_published_once() {
    let mut bus = MockEventBus::new();
    bus.expect_publish().times(3).return_const(());
    let sent = |seq| Commit::Sent { message: message(user_id(1), user_id(2), seq), except: None }.into();
    Delivery::new(Arc::new(bus)).committed(vec![sent(1), sent(2), sent(3)]);
}

#[test]
fn edits_and_deletions_are_published_with_what_they_left() {
    let changed = message(user_id(1), user_id(2), 1);
    let bus = RecordingBus::new();
    Delivery::new(bus.clone()).committed(vec![
        Commit::Edited { message: changed.clone() }.into(),
        Commit::Deleted { message: changed.clone() }.into(),
    ]);
    let expected = [
        Event::Edited { message: changed.clone(), number: None },
        Event::Deleted { message: changed, number: None },
    ];
    assert_eq!(bus.events(), expected);
}
