//! Who may know of whom, against mocked ports.

use chat_ports::{
    Clock,
    model::{Block, SocketId},
};
use futures_executor::block_on;

use super::*;
use crate::{
    Chat, ListUsers,
    support::{Mocks, identity, user, user_id},
};

fn block(blocker: u8, blocked: u8, since: i64) -> Block {
    Block { blocker: user_id(blocker), blocked: user_id(blocked), since: Timestamp::from_millis(since) }
}

fn contacts(mut mocks: Mocks) -> Mocks {
    mocks.settings.presence_audience = PresenceAudience::Contacts;
    mocks
}

/// What user 1 sees of users 2, 3 and 4, of whom 2 and 3 are online.
fn seen(mut mocks: Mocks) -> Vec<(bool, Option<i64>)> {
    let stored = [user(2, "berta"), user(3, "carla"), user(4, "dora")];
    let listed = stored.to_vec();
    mocks
        .users
        .expect_list()
        .returning(move |_| Ok(chat_ports::model::Page { items: listed.clone(), more: false }));
    let chat: Chat = mocks.chat();
    for user in &stored[..2] {
        chat.presence.connect(&identity(user), SocketId::new("s"), &Arc::default());
    }
    let page = block_on(chat.directory.list(user_id(1), ListUsers::default())).unwrap();
    page.items.iter().map(|view| (view.is_online, view.last_seen.map(Timestamp::millis))).collect()
}

#[test]
fn everybody_is_seen_live() {
    let now = Mocks::new().clock.now().millis();
    let expected = [(true, Some(now)), (true, Some(now)), (false, None)];
    assert_eq!(seen(Mocks::new().unblocked()), expected);
}

#[test]
fn who_blocks_or_is_blocked_is_seen_offline_since_the_block() {
    for blocks in [vec![block(1, 2, 500)], vec![block(2, 1, 500)], vec![block(1, 2, 900), block(2, 1, 500)]] {
        let mut mocks = Mocks::new();
        let now = mocks.clock.now().millis();
        mocks.blocks.expect_between().returning(move |_, _| Ok(blocks.clone()));
        assert_eq!(seen(mocks), [(false, Some(500)), (true, Some(now)), (false, None)]);
    }
}

#[test]
fn where_only_contacts_hear_of_each_other_others_are_as_if_never_seen() {
    let mut mocks = contacts(Mocks::new().unblocked());
    let now = mocks.clock.now().millis();
    mocks.conversations.expect_partners_among().returning(|me, others| {
        assert_eq!((me, others.len()), (user_id(1), 3));
        Ok(vec![user_id(3), user_id(4)])
    });
    assert_eq!(seen(mocks), [(false, None), (true, Some(now)), (false, None)]);
}

#[test]
fn a_circle_is_whom_one_blocks_and_ones_contacts_where_they_count() {
    let mut mocks = Mocks::new();
    mocks.blocks.expect_blocked_by().returning(|_| Ok(vec![block(1, 3, 5)]));
    let around = block_on(mocks.chat().circles.around(user_id(1))).unwrap();
    assert_eq!(around, Circle { blocked: Arc::new([user_id(3)]), contacts: None });

    let mut mocks = contacts(Mocks::new());
    mocks.blocks.expect_blocked_by().returning(|_| Ok(Vec::new()));
    mocks.conversations.expect_partners().times(1).returning(|me, most| {
        assert_eq!((me, most), (user_id(1), 1_000));
        Ok(vec![user_id(2)])
    });
    let around = block_on(mocks.chat().circles.around(user_id(1))).unwrap();
    assert_eq!(around.contacts, Some(Arc::from([user_id(2)])));
}
