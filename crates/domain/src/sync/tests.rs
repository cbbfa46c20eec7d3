//! Catching up against mocked ports: whose cursor it is, and what a bad one gets.

use chat_ports::{ChangesPage, StoreError};
use futures_executor::block_on;

use super::*;
use crate::{
    Chat, ErrorCode,
    support::{Mocks, message, user_id},
};

/// Seals as they are, so that a test sees what is sealed.
fn with_seals(mocks: &mut Mocks) {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    mocks.seals.expect_seal().returning(move |purpose, payload| {
        assert_eq!(purpose, SealPurpose::SyncCursor);
        hex(payload)
    });
    mocks.seals.expect_open().returning(|_, text| {
        let pairs = text.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    });
}

fn here() -> SocketId {
    SocketId::new("here")
}

fn walker(socket: &SocketId) -> String {
    walker_of(socket).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(chat: &Chat, me: u8, since: &str, limit: Option<u32>) -> String {
    let error = block_on(chat.sync.page((user_id(me), &here()), Some(since), limit)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidInput);
    error.details().unwrap()
}

#[test]
fn without_a_cursor_the_cursor_of_now_is_given_and_nothing_else() {
    let mut mocks = Mocks::new();
    with_seals(&mut mocks);
    mocks.changes.expect_position().returning(|| Ok(SyncPosition::new([7, 8])));
    let page = block_on(mocks.chat().sync.page((user_id(1), &here()), None, None)).unwrap();
    let cursor = "01".repeat(12) + "000000000708";
    assert_eq!(page, SyncPage { messages: Vec::new(), cursor, complete: true });
}

#[test]
fn a_page_is_asked_for_where_the_cursor_stands_and_names_the_next() {
    let mut mocks = Mocks::new();
    with_seals(&mut mocks);
    let missed = message(user_id(2), user_id(1), 3);
    let answer = ChangesPage {
        messages: vec![Arc::clone(&missed)],
        position: SyncPosition::new([9]),
        complete: false,
    };
    mocks.changes.expect_changes().times(1).returning(move |query| {
        assert_eq!((query.user, query.since.bytes()), (user_id(1), &[7, 8][..]));
        assert_eq!((query.limit, query.max_bytes), (500, 256 * 1024));
        Ok(answer.clone())
    });
    let cursor = "01".repeat(12) + "000000000708";
    let page = block_on(mocks.chat().sync.page((user_id(1), &here()), Some(&cursor), Some(500))).unwrap();
    let next = "01".repeat(12) + &walker(&here()) + "09";
    assert_eq!(page, SyncPage { messages: vec![missed], cursor: next, complete: false });
}

#[test]
fn a_walk_that_another_socket_began_is_followed_by_one_of_ones_own() {
    let mut mocks = Mocks::new();
    with_seals(&mut mocks);
    let mut left = [true, false, true, false].into_iter().rev();
    mocks.changes.expect_changes().times(4).returning(move |_| {
        let complete = left.next().unwrap();
        Ok(ChangesPage { messages: Vec::new(), position: SyncPosition::new([9]), complete })
    });
    let chat = mocks.chat();
    let mut cursor = "01".repeat(12) + &walker(&SocketId::new("before")) + "0708";
    let mut complete = Vec::new();
    for _ in 0..4 {
        let page = block_on(chat.sync.page((user_id(1), &here()), Some(&cursor), None)).unwrap();
        complete.push(page.complete);
        cursor = page.cursor;
    }
    assert_eq!(complete, [false, false, false, true], "its rest, its end, and the walk of this socket");
}

#[test]
fn a_broken_cursor_and_another_users_are_refused_with_the_advice_to_start_over() {
    let mut mocks = Mocks::new();
    with_seals(&mut mocks);
    let chat = mocks.chat();
    for cursor in ["", "rubbish", "0101", &("02".repeat(12) + "000000000708")] {
        let details = refused(&chat, 1, cursor, None);
        assert!(details.starts_with("since: ") && details.contains("sync without it"), "{details}");
    }
}

#[test]
fn a_position_of_another_store_is_refused_the_same_way() {
    let mut mocks = Mocks::new();
    with_seals(&mut mocks);
    mocks.changes.expect_changes().returning(|_| Err(ChangesError::Foreign));
    let details = refused(&mocks.chat(), 1, &"01".repeat(17), None);
    assert!(details.starts_with("since: "), "{details}");
}

#[test]
fn a_limit_outside_the_bounds_is_refused_by_name_before_any_port_is_asked() {
    let chat = Mocks::new().chat();
    for limit in [0, 501, u32::MAX] {
        assert_eq!(refused(&chat, 1, "", Some(limit)), "limit: must be 1 to 500");
    }
}

#[test]
fn a_store_that_can_not_is_unavailable() {
    let mut mocks = Mocks::new();
    with_seals(&mut mocks);
    mocks.changes.expect_position().returning(|| Err(StoreError::Timeout));
    mocks.changes.expect_changes().returning(|_| Err(StoreError::Timeout.into()));
    let chat = mocks.chat();
    for since in [None, Some("01".repeat(17))] {
        let error = block_on(chat.sync.page((user_id(1), &here()), since.as_deref(), None)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
    }
}
