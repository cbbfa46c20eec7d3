//! Uses of every port, so that a store sends every query that it has.

use std::time::Duration;

use chat_mongo_testkit::{Answer, Proxy};
use chat_ports::{
    Archive, ArchiveQuery, BlockChange, Blocks, Changes, ChangesQuery, ConversationQuery, Conversations,
    Delete, Edit, HistoryAnchor, HistoryQuery, Login, MessageLog, Messages, PresenceRecord, Receipt,
    ReceiptKind, ReplayQuery, Replays, UserQuery, Users,
    model::{Block, ConversationCursor, ConversationId, Message, Timestamp, User, UserCursor, UserId},
};
use chat_testkit::{SequentialIds, build};
use futures_executor::block_on;

use super::support::{Node, PATIENCE, SystemClock};

/// Uses every port, in every way.
pub(crate) fn use_everything(node: &Node, ids: &SequentialIds) {
    let store = &*node.store;
    let [a, b] = ["anna", "bob"]
        .map(|name| block_on(Users::insert(store, build::new_user(ids.user(), name))).unwrap().id);
    block_on(Users::insert(store, build::new_user(ids.user(), "anna"))).unwrap_err();
    let taken = chat_ports::NewUser {
        email: build::email("Anna@example.org"),
        ..build::new_user(ids.user(), "carl")
    };
    block_on(Users::insert(store, taken)).unwrap_err();
    for login in [Login::Username("Anna".into()), Login::Email("Anna@example.org".into())] {
        assert!(block_on(store.find_by_login(login)).unwrap().is_some());
    }
    block_on(Users::find(store, a)).unwrap();
    block_on(store.find_many(vec![a, b])).unwrap();
    for prefix in ["", "a"] {
        for after in [None, Some(UserCursor { folded: "anna".into(), id: a })] {
            let query = UserQuery { prefix: prefix.into(), except: b, after, limit: 5 };
            block_on(Users::list(store, query)).unwrap();
        }
    }
    let record =
        PresenceRecord { user: a, is_online: true, last_seen: chat_ports::Clock::now(&SystemClock(0)) };
    block_on(store.record_presence(vec![record])).unwrap();
    block_on(store.clear_presence()).unwrap();
    converse(node, a, b);
    move_everything(node, a, ids);
}

fn move_everything(node: &Node, a: UserId, ids: &SequentialIds) {
    let store = &*node.store;
    let extent = block_on(store.extent()).unwrap();
    for after in [None, Some(a)] {
        block_on(store.users(after, 5)).unwrap();
    }
    for after in [None, extent.last_message] {
        block_on(Archive::messages(store, ArchiveQuery { after, limit: 5, max_bytes: 1_000 })).unwrap();
    }
    let anna = block_on(Users::find(store, a)).unwrap().unwrap();
    let twin =
        User { id: ids.user(), username: "ANNA".into(), email: "ANNA@example.org".into(), ..anna.clone() };
    block_on(store.put_users(vec![anna, twin])).unwrap();
    let last = extent.last_message.unwrap();
    let (sender, receiver) = last.conversation.users();
    let next = Message {
        id: ids.message(),
        seq: last.seq + 1,
        sender,
        receiver,
        text: "moved".into(),
        timestamp: Timestamp::from_millis(1),
        delivered_at: None,
        read_at: None,
        edited_at: None,
        deleted_at: None,
        client_id: None,
        first_text: None,
    };
    for _ in 0..2 {
        block_on(store.put_messages(vec![next.clone()])).unwrap();
    }
    let clash = Message { seq: next.seq + 1, ..next };
    block_on(store.put_messages(vec![clash])).unwrap_err();
    let block = Block { blocker: a, blocked: receiver, since: Timestamp::from_millis(1) };
    for _ in 0..2 {
        block_on(store.put_blocks(vec![block])).unwrap();
    }
    for after in [None, Some((a, a))] {
        block_on(store.blocks(after, 5)).unwrap();
    }
}

/// Receipts, edits, a deletion, and what others missed of them.
fn change(node: &Node, a: UserId, b: UserId, sent: &Message) {
    let store = &*node.store;
    let since = block_on(store.position()).unwrap();
    let delivered = Receipt { kind: ReceiptKind::Delivered, ..node.reading(b, sent) };
    block_on(store.receipt(delivered)).unwrap();
    let Receipt { message, at, deadline, .. } = node.reading(b, sent);
    block_on(store.edit(Edit { message, text: build::text("other"), at, deadline })).unwrap();
    block_on(store.delete(Delete { message, at, deadline })).unwrap();
    let mut query = ChangesQuery { user: a, since, limit: 1, max_bytes: 1_000 };
    loop {
        let page = block_on(store.changes(query.clone())).unwrap();
        query.since = page.position;
        if page.complete {
            break;
        }
    }
    let last = store.numbering().unwrap().last;
    let replay = ReplayQuery { user: a, after: last, upto: last, most: 100, max_ids: 100 };
    assert!(block_on(store.replay(replay)).unwrap().is_some());
    for blocks in [true, true, false] {
        let change = BlockChange { blocker: a, blocked: b, blocks, at, most: 5 };
        block_on(Blocks::change(store, change)).unwrap();
    }
    block_on(store.blocked_by(a)).unwrap();
    block_on(store.between(a, vec![b])).unwrap();
    block_on(store.partners(a, 5)).unwrap();
    let stranger = UserId::from_bytes([77; 12]);
    block_on(store.partners_among(a, vec![b, stranger])).unwrap();
}

fn converse(node: &Node, a: UserId, b: UserId) {
    let store = &*node.store;
    let named = |text| chat_ports::NewMessage {
        client_id: Some(build::client_id("n1")),
        ..node.message(a, b, text, PATIENCE)
    };
    node.append(named("hello")).unwrap();
    node.append(named("hello")).unwrap();
    let sent = node.send(a, b, "second");
    block_on(store.receipt(node.reading(b, &sent))).unwrap();
    change(node, a, b, &node.send(a, b, "third"));
    block_on(Messages::find(store, sent.id)).unwrap();
    let conversation = ConversationId::between(a, b);
    for anchor in [
        HistoryAnchor::Newest { skip: 0 },
        HistoryAnchor::Newest { skip: 1 },
        HistoryAnchor::Before(2),
        HistoryAnchor::After(0),
    ] {
        block_on(store.history(HistoryQuery { conversation, anchor, limit: 5, max_bytes: 1_000 })).unwrap();
    }
    let listed = |after| {
        let query = ConversationQuery { user: a, after, limit: 5, max_unread: 100 };
        block_on(Conversations::list(store, query)).unwrap()
    };
    let written = || listed(Some(ConversationCursor { timestamp: sent.timestamp, message: sent.id }));
    assert_eq!(listed(None).items.len(), 1);
    assert!(written().items.is_empty());
    node.send(b, a, "last");
    // Until the list is written behind.
    assert!(chat_mongo_testkit::until(Duration::from_secs(60), || listed(None).items[0].unread == 1));
}

/// Has answers to changes lost, so that a store looks what became of them.
pub(crate) fn lose_answers(node: &Node, proxy: &Proxy) {
    let [a, b] = [UserId::from_bytes([81; 12]), UserId::from_bytes([82; 12])];
    node.send(a, b, "before");
    proxy.answer("insert messages", 1, Answer::Cut);
    let sent = node.send(a, b, "its answer is lost");
    for kind in [ReceiptKind::Delivered, ReceiptKind::Read] {
        proxy.answer("update messages", 1, Answer::Cut);
        block_on(node.store.receipt(Receipt { kind, ..node.reading(b, &sent) })).unwrap();
    }
    let refused = bson::doc! { "ok": 0.0, "code": 2, "codeName": "BadValue", "errmsg": "test" };
    let sent = node.send(a, b, "given up");
    node.commits.take();
    for kind in [ReceiptKind::Delivered, ReceiptKind::Read] {
        proxy.answer("update messages", 1, Answer::Cut);
        proxy.answer("aggregate messages", 1, Answer::Instead(refused.clone()));
        block_on(node.store.receipt(Receipt { kind, ..node.reading(b, &sent) })).unwrap_err();
    }
    assert!(chat_mongo_testkit::until(PATIENCE, || node.commits.commits().len() == 2));
}
