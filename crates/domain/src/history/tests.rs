//! Pages of messages and conversations against mocked ports.

use chat_ports::{
    StoreError,
    model::{SocketId, Timestamp},
};
use futures_executor::block_on;

use super::*;
use crate::{
    ErrorCode, Missing,
    support::{Mocks, identity, message, message_id, user, user_id},
};

const ME: u8 = 1;
const OTHER: u8 = 2;

fn newest(limit: Option<u32>) -> HistoryRequest {
    HistoryRequest { limit, position: HistoryPosition::Newest { skip: 0 } }
}

fn ask(mocks: Mocks, request: HistoryRequest) -> Result<HistoryPage, ChatError> {
    block_on(mocks.chat().history.page(user_id(ME), user_id(OTHER), request))
}

/// Expects this anchor, and answers messages 5, 6 and 7.
fn answering(anchor: HistoryAnchor, more: bool) -> Mocks {
    let mut mocks = Mocks::new().knowing(&[user(OTHER, "berta")]);
    let conversation = ConversationId::between(user_id(ME), user_id(OTHER));
    let query = HistoryQuery { conversation, anchor, limit: 50, max_bytes: 256 * 1024 };
    let items: Vec<_> = (5..=7).map(|seq| message(user_id(ME), user_id(OTHER), seq)).collect();
    mocks
        .messages
        .expect_history()
        .withf(move |asked| *asked == query)
        .times(1)
        .returning(move |_| Ok(Page { items: items.clone(), more }));
    mocks
}

#[test]
fn a_walk_backwards_goes_on_before_the_oldest_message() {
    let anchor = HistoryAnchor::Newest { skip: 3 };
    let request = HistoryRequest { limit: None, position: HistoryPosition::Newest { skip: 3 } };
    let page = ask(answering(anchor, true), request).unwrap();
    assert_eq!(page.messages.len(), 3);
    assert_eq!(page.next, Some(message_id(5)));
}

#[test]
fn a_cursor_message_becomes_its_place_in_the_conversation() {
    for (position, anchor, next) in [
        (HistoryPosition::Before(message_id(9)), HistoryAnchor::Before(9), message_id(5)),
        (HistoryPosition::After(message_id(9)), HistoryAnchor::After(9), message_id(7)),
    ] {
        let mut mocks = answering(anchor, true);
        let found = message(user_id(OTHER), user_id(ME), 9);
        mocks.messages.expect_find().times(1).returning(move |_| Ok(Some(Arc::clone(&found))));
        let page = ask(mocks, HistoryRequest { limit: None, position }).unwrap();
        assert_eq!(page.next, Some(next));
    }
}

#[test]
fn at_the_end_there_is_no_next_page() {
    let page = ask(answering(HistoryAnchor::Newest { skip: 0 }, false), newest(None)).unwrap();
    assert_eq!(page.next, None);
}

#[test]
fn a_limit_outside_the_bounds_is_refused_by_name_before_any_port_is_asked() {
    for limit in [0, 101] {
        let error = ask(Mocks::new(), newest(Some(limit))).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidInput);
        assert!(error.details().unwrap().starts_with("limit: "));
        let error = block_on(Mocks::new().chat().history.conversations(user_id(ME), None, Some(limit)));
        assert!(error.unwrap_err().details().unwrap().starts_with("limit: "));
    }
}

#[test]
fn an_unknown_other_user_is_not_found() {
    let error = ask(Mocks::new().knowing(&[]), newest(None)).unwrap_err();
    assert!(matches!(error, ChatError::NotFound(Missing::User)), "{error}");
}

#[test]
fn a_cursor_that_is_no_message_of_this_conversation_is_refused_by_name() {
    let elsewhere = message(user_id(ME), user_id(3), 9);
    for (found, position, field) in [
        (None, HistoryPosition::Before(message_id(9)), "before: "),
        (Some(elsewhere.clone()), HistoryPosition::Before(message_id(9)), "before: "),
        (Some(elsewhere), HistoryPosition::After(message_id(9)), "after: "),
    ] {
        let mut mocks = Mocks::new().knowing(&[user(OTHER, "berta")]);
        mocks.messages.expect_find().returning(move |_| Ok(found.clone()));
        let error = ask(mocks, HistoryRequest { limit: None, position }).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidInput);
        assert!(error.details().unwrap().starts_with(field), "{error}");
    }
}

#[test]
fn a_store_that_can_not_is_unavailable() {
    let mut mocks = Mocks::new().knowing(&[user(OTHER, "berta")]);
    mocks.messages.expect_history().returning(|_| Err(StoreError::Timeout));
    assert_eq!(ask(mocks, newest(None)).unwrap_err().code(), ErrorCode::Unavailable);
}

/// A list with a conversation with each of these users.
fn listing(others: &'static [u8], more: bool) -> Mocks {
    let mut mocks = Mocks::new().unblocked();
    mocks.conversations.expect_list().times(1).returning(move |query| {
        assert_eq!((query.user, query.limit, query.max_unread), (user_id(ME), 50, 100));
        let items = others.iter().map(|other| {
            let last_message = message(user_id(*other), user_id(ME), *other);
            ConversationEntry { other: user_id(*other), last_message, unread: 2 }
        });
        Ok(Page { items: items.collect(), more })
    });
    mocks
}

#[test]
fn conversations_keep_their_order_and_show_who_is_online() {
    let mut mocks = listing(&[4, 2, 3], true);
    mocks.users.expect_find_many().times(1).returning(|ids| {
        assert_eq!(ids, [user_id(4), user_id(2), user_id(3)]);
        Ok(vec![user(2, "berta"), user(3, "carla"), user(4, "dora")])
    });
    let chat = mocks.chat();
    chat.presence.connect(&identity(&user(3, "carla")), SocketId::new("s1"), &Arc::default());
    let page = block_on(chat.history.conversations(user_id(ME), None, None)).unwrap();
    let shown: Vec<_> = page.items.iter().map(|item| (&*item.user.username, item.user.is_online)).collect();
    assert_eq!(shown, [("dora", false), ("berta", false), ("carla", true)]);
    assert_eq!((page.items[0].unread, page.items[0].last_message.seq), (2, 4));
    let next = ConversationCursor { timestamp: Timestamp::from_millis(1_003), message: message_id(3) };
    assert_eq!(page.next, Some(next));
}

#[test]
fn who_was_erased_keeps_a_place_without_a_name() {
    let mut mocks = listing(&[2], false);
    mocks.users.expect_find_many().returning(|_| Ok(Vec::new()));
    let page = block_on(mocks.chat().history.conversations(user_id(ME), None, None)).unwrap();
    assert_eq!(page.items[0].user, UserView::erased(user_id(2)));
    assert_eq!(page.items[0].user.username, "deleted");
    assert_eq!(page.next, None);
}
