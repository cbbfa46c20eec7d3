//! Blocking against mocked ports: who may, who is told, and what ends.

use chat_ports::{BlockError, StoreError, model::Timestamp};
use chat_testkit::build;
use futures_executor::block_on;

use super::*;
use crate::{
    Chat, ErrorCode, SendMessage,
    support::{Mocks, identity, user, user_id},
};

fn both() -> Mocks {
    let mut mocks = Mocks::new();
    let users = [user(1, "anna"), user(2, "berta")];
    mocks.users.expect_find().returning(move |id| Ok(users.iter().find(|user| user.id == id).cloned()));
    mocks
}

fn send(chat: &Chat, deadline: std::time::Instant) -> Result<crate::Prepared, ChatError> {
    block_on(chat.messaging.prepare(SendMessage {
        sender: user_id(2),
        receiver: user_id(1),
        text: build::text("hello"),
        client_id: None,
        deadline,
        except: None,
    }))
}

#[test]
fn a_block_is_stored_told_on_the_bus_and_refuses_messages_in_both_directions_from_then_on() {
    let mut mocks = both();
    let (bus, at) = (Arc::clone(&mocks.bus), mocks.clock.now());
    let deadline = mocks.clock.instant();
    let block = Block { blocker: user_id(1), blocked: user_id(2), since: at };
    // Asked before the block, and once after it.
    let mut answers = vec![vec![block], vec![]];
    mocks.blocks.expect_between().times(2).returning(move |_, _| Ok(answers.pop().unwrap()));
    mocks.blocks.expect_change().times(1).returning(move |change| {
        let expected =
            BlockChange { blocker: user_id(1), blocked: user_id(2), blocks: true, at, most: 1_000 };
        assert_eq!(change, expected);
        Ok(true)
    });
    let chat = mocks.chat();
    assert!(send(&chat, deadline).is_ok());
    block_on(chat.blocking.set(user_id(1), user_id(2), true)).unwrap();
    assert_eq!(bus.take(), [Event::Blocking { block, blocks: true }]);
    for _ in 0..3 {
        assert_eq!(send(&chat, deadline).unwrap_err().code(), ErrorCode::Forbidden);
    }
}

#[test]
fn what_stands_already_is_told_to_nobody() {
    let mut mocks = both();
    let bus = Arc::clone(&mocks.bus);
    mocks.blocks.expect_change().returning(|_| Ok(false));
    let chat = mocks.chat();
    for blocks in [true, false] {
        block_on(chat.blocking.set(user_id(1), user_id(2), blocks)).unwrap();
    }
    assert_eq!(bus.take(), []);
}

#[test]
fn a_block_holds_once_it_is_acknowledged_also_where_another_call_made_it() {
    let mut mocks = both();
    let deadline = mocks.clock.instant();
    let block = Block { blocker: user_id(1), blocked: user_id(2), since: mocks.clock.now() };
    // The call that made it has not told of it yet, and this one finds nothing to do; or it never came to that.
    let mut outcomes = vec![Err(StoreError::Timeout.into()), Ok(false)];
    mocks.blocks.expect_change().times(2).returning(move |_| outcomes.pop().unwrap());
    let mut answers = vec![vec![], vec![block], vec![]];
    mocks.blocks.expect_between().times(3).returning(move |_, _| Ok(answers.pop().unwrap()));
    let chat = mocks.chat();
    assert!(send(&chat, deadline).is_ok());
    block_on(chat.blocking.set(user_id(1), user_id(2), true)).unwrap();
    assert_eq!(send(&chat, deadline).unwrap_err().code(), ErrorCode::Forbidden);
    block_on(chat.blocking.set(user_id(1), user_id(2), false)).unwrap_err();
    assert!(send(&chat, deadline).is_ok(), "its outcome is not known");
}

#[test]
fn oneself_an_unknown_user_and_one_too_many_are_refused() {
    let mut mocks = both();
    mocks.blocks.expect_change().returning(
        |change| {
            if change.blocks { Err(BlockError::TooMany) } else { Ok(false) }
        },
    );
    let chat = mocks.chat();
    let code = |blocked, blocks| {
        block_on(chat.blocking.set(user_id(1), user_id(blocked), blocks)).map_err(|error| error.code())
    };
    assert_eq!(code(1, true), Err(ErrorCode::InvalidInput));
    assert_eq!(code(9, true), Err(ErrorCode::NotFound));
    assert_eq!(code(2, true), Err(ErrorCode::Forbidden));
    assert_eq!(code(9, false), Ok(()), "who is gone may be unblocked");
}

#[test]
fn a_block_ends_typing_in_both_directions_and_keeps_it_silent() {
    let mut mocks = both();
    let bus = Arc::clone(&mocks.bus);
    let block = Block { blocker: user_id(1), blocked: user_id(2), since: mocks.clock.now() };
    let blocked = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stands = Arc::clone(&blocked);
    mocks.blocks.expect_between().returning(move |_, _| {
        Ok(if stands.load(std::sync::atomic::Ordering::Relaxed) { vec![block] } else { vec![] })
    });
    mocks.blocks.expect_change().returning(|_| Ok(true));
    let chat = mocks.chat();
    let (anna, berta) = (identity(&user(1, "anna")), identity(&user(2, "berta")));
    block_on(chat.typing.set(&anna, user_id(2), true)).unwrap();
    block_on(chat.typing.set(&berta, user_id(1), true)).unwrap();
    bus.take();
    blocked.store(true, std::sync::atomic::Ordering::Relaxed);
    block_on(chat.blocking.set(user_id(1), user_id(2), true)).unwrap();
    let ends = bus.take();
    let ended = |event: &&Event| matches!(event, Event::Typing { is_typing: false, .. });
    assert_eq!(ends.iter().filter(ended).count(), 2, "{ends:?}");
    block_on(chat.typing.set(&berta, user_id(1), true)).unwrap();
    assert_eq!(bus.take(), [], "and nobody learns of it");
}

#[test]
fn whom_one_blocks_is_listed_by_id_in_pages_also_who_is_gone() {
    let mut mocks = Mocks::new();
    let block =
        |blocked| Block { blocker: user_id(1), blocked: user_id(blocked), since: Timestamp::from_millis(5) };
    mocks.blocks.expect_blocked_by().returning(move |_| Ok(vec![block(4), block(2), block(3)]));
    let users = [user(2, "berta"), user(4, "dora")];
    mocks
        .users
        .expect_find_many()
        .returning(move |ids| Ok(users.iter().filter(|user| ids.contains(&user.id)).cloned().collect()));
    let chat = mocks.chat();
    let list = |after, limit| {
        let page = block_on(chat.blocking.list(user_id(1), after, limit)).unwrap();
        let names: Vec<String> = page.items.into_iter().map(|user| user.username).collect();
        (names.join(" "), page.next)
    };
    assert_eq!(list(None, None), ("berta deleted dora".to_owned(), None));
    assert_eq!(list(None, Some(2)), ("berta deleted".to_owned(), Some(user_id(3))));
    assert_eq!(list(Some(user_id(3)), Some(2)), ("dora".to_owned(), None));
    assert_eq!(list(Some(user_id(9)), Some(2)), (String::new(), None));
    let refusal = block_on(chat.blocking.list(user_id(1), None, Some(0))).unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::InvalidInput);
}
