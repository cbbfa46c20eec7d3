//! The list of users against mocked ports.

use chat_ports::model::{Page, SocketId, Timestamp};
use futures_executor::block_on;

use super::*;
use crate::{
    ErrorCode,
    support::{Mocks, identity, user, user_id},
};

#[test]
fn the_prefix_is_folded_oneself_left_out_and_the_default_limit_taken() {
    let mut mocks = Mocks::new().unblocked();
    let cursor = Some(UserCursor { folded: "anke".into(), id: user_id(3) });
    let query = UserQuery { prefix: "an".into(), except: user_id(1), after: cursor.clone(), limit: 50 };
    mocks
        .users
        .expect_list()
        .withf(move |asked| *asked == query)
        .returning(|_| Ok(Page { items: vec![user(2, "Anna")], more: false }));
    let request = ListUsers { prefix: Some("AN".into()), after: cursor, limit: None };
    let page = block_on(mocks.chat().directory.list(user_id(1), request)).unwrap();
    assert_eq!(page.items[0].username, "Anna");
    assert_eq!(page.next, None);
}

#[test]
fn the_next_page_begins_after_the_last_user_where_there_are_more() {
    let mut mocks = Mocks::new().unblocked();
    mocks
        .users
        .expect_list()
        .returning(|_| Ok(Page { items: vec![user(2, "Anna"), user(3, "BERTA")], more: true }));
    let page = block_on(mocks.chat().directory.list(user_id(1), ListUsers::default())).unwrap();
    assert_eq!(page.next, Some(UserCursor { folded: "berta".into(), id: user_id(3) }));
}

#[test]
fn a_limit_outside_the_bounds_is_refused_by_name_before_the_store_is_asked() {
    let chat = Mocks::new().chat();
    for limit in [0, 101] {
        let request = ListUsers { limit: Some(limit), ..ListUsers::default() };
        let error = block_on(chat.directory.list(user_id(1), request)).unwrap_err();
        assert_eq!(
            (error.code(), error.details()),
            (ErrorCode::InvalidInput, Some("limit: must be 1 to 100".into()))
        );
    }
}

#[test]
fn live_presence_is_laid_over_what_is_stored() {
    let mut mocks = Mocks::new().unblocked();
    let seen = Some(Timestamp::from_millis(5));
    let stored = [user(2, "anna"), User { is_online: true, last_seen: seen, ..user(3, "berta") }];
    let items = stored.to_vec();
    mocks.users.expect_list().returning(move |_| Ok(Page { items: items.clone(), more: false }));
    let now = chat_ports::Clock::now(&mocks.clock);
    let chat = mocks.chat();
    chat.presence.connect(&identity(&stored[0]), SocketId::new("s1"), &Arc::default());
    let page = block_on(chat.directory.list(user_id(1), ListUsers::default())).unwrap();
    let shown: Vec<_> = page.items.iter().map(|user| (user.is_online, user.last_seen)).collect();
    assert_eq!(shown, [(true, Some(now)), (false, seen)]);
}
