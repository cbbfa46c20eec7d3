//! Pages of a conversation, at every anchor.

use std::{ops::RangeInclusive, sync::Arc};

use chat_ports::{
    HistoryAnchor::{self, After, Before, Newest},
    HistoryQuery,
    model::{ConversationId, Message, Page, UserId},
};

use super::world::{World, seqs};
use crate::Fixture;

pub fn the_newest_page_is_the_end_of_the_conversation_oldest_first(fixture: Fixture) {
    let (world, a, b) = conversation(fixture);
    assert_page(&world.page(a, b, Newest { skip: 0 }, 10), 16..=25, true);
    assert_page(&world.page(a, b, Newest { skip: 0 }, 25), 1..=25, false);
    assert_page(&world.page(a, b, Newest { skip: 0 }, 26), 1..=25, false);
    assert_page(&world.page(a, b, Newest { skip: 0 }, 1), 25..=25, true);
}

pub fn skipping_passes_over_the_newest(fixture: Fixture) {
    let (world, a, b) = conversation(fixture);
    assert_page(&world.page(a, b, Newest { skip: 5 }, 10), 11..=20, true);
    assert_page(&world.page(a, b, Newest { skip: 15 }, 10), 1..=10, false);
    assert_page(&world.page(a, b, Newest { skip: 20 }, 10), 1..=5, false);
    assert_page(&world.page(a, b, Newest { skip: 24 }, 10), 1..=1, false);
}

pub fn skipping_past_the_end_is_an_empty_page(fixture: Fixture) {
    let (world, a, b) = conversation(fixture);
    for skip in [25, 26, 1_000_000, u64::from(u32::MAX) + 1, i64::MAX as u64, u64::MAX] {
        assert_empty(&world.page(a, b, Newest { skip }, 10));
    }
}

pub fn a_page_before_a_message_ends_just_before_it(fixture: Fixture) {
    let (world, a, b) = conversation(fixture);
    assert_page(&world.page(a, b, Before(25), 10), 15..=24, true);
    assert_page(&world.page(a, b, Before(12), 10), 2..=11, true);
    assert_page(&world.page(a, b, Before(11), 10), 1..=10, false);
    assert_page(&world.page(a, b, Before(2), 10), 1..=1, false);
    for seq in [1, 0] {
        assert_empty(&world.page(a, b, Before(seq), 10));
    }
    for seq in [26, 1_000, i64::MAX as u64, u64::MAX] {
        assert_page(&world.page(a, b, Before(seq), 10), 16..=25, true);
    }
}

pub fn a_page_after_a_message_begins_just_after_it(fixture: Fixture) {
    let (world, a, b) = conversation(fixture);
    assert_page(&world.page(a, b, After(0), 10), 1..=10, true);
    assert_page(&world.page(a, b, After(14), 10), 15..=24, true);
    assert_page(&world.page(a, b, After(15), 10), 16..=25, false);
    assert_page(&world.page(a, b, After(24), 10), 25..=25, false);
    for seq in [25, 26, i64::MAX as u64, u64::MAX] {
        assert_empty(&world.page(a, b, After(seq), 10));
    }
}

pub fn walks_in_both_directions_meet_every_message_once(fixture: Fixture) {
    let (world, a, b) = conversation(fixture);
    for limit in [1, 4, 5, 24, 25, 100] {
        let (mut met, mut anchor) = (Vec::new(), Newest { skip: 0 });
        loop {
            let page = world.page(a, b, anchor, limit);
            met.splice(0..0, seqs(&page.items));
            anchor = Before(page.items[0].seq);
            if !page.more {
                break;
            }
        }
        assert_eq!(met, (1..=25).collect::<Vec<_>>(), "backwards by {limit}");
        let (mut met, mut anchor) = (Vec::new(), After(0));
        loop {
            let page = world.page(a, b, anchor, limit);
            met.extend(seqs(&page.items));
            anchor = After(met[met.len() - 1]);
            if !page.more {
                break;
            }
        }
        assert_eq!(met, (1..=25).collect::<Vec<_>>(), "forwards by {limit}");
    }
}

pub fn a_page_ends_early_away_from_the_anchor_when_its_text_is_long(fixture: Fixture) {
    let (world, a, b) = conversation_of(fixture, 12, &"é".repeat(50));
    let page = |anchor, max_bytes| {
        let conversation = ConversationId::between(a, b);
        world.history(HistoryQuery { conversation, anchor, limit: 10, max_bytes })
    };
    // Each text has 100 bytes; whether the one that crosses the line still belongs is left open.
    for (anchor, nearest) in [(Newest { skip: 2 }, 10), (Before(11), 10)] {
        let page = page(anchor, 350);
        assert!((3..=4).contains(&page.items.len()));
        assert_page(&page, nearest + 1 - page.items.len() as u64..=nearest, true);
    }
    let forwards = page(After(2), 350);
    assert!((3..=4).contains(&forwards.items.len()));
    assert_page(&forwards, 3..=2 + forwards.items.len() as u64, true);
}

pub fn a_page_has_at_least_one_message_however_long(fixture: Fixture) {
    let (world, a, b) = conversation_of(fixture, 3, &"x".repeat(4_000));
    let page = |anchor, max_bytes| {
        let conversation = ConversationId::between(a, b);
        world.history(HistoryQuery { conversation, anchor, limit: 10, max_bytes })
    };
    for max_bytes in [0, 1, 4_000] {
        assert_page(&page(Newest { skip: 0 }, max_bytes), 3..=3, true);
        assert_page(&page(Before(3), max_bytes), 2..=2, true);
        assert_page(&page(After(0), max_bytes), 1..=1, true);
        assert_page(&page(Before(2), max_bytes), 1..=1, false);
        assert_page(&page(After(2), max_bytes), 3..=3, false);
    }
}

pub fn both_sides_see_the_same(fixture: Fixture) {
    let (world, a, b) = conversation(fixture);
    let anchors: [HistoryAnchor; 3] = [Newest { skip: 3 }, Before(9), After(9)];
    for anchor in anchors {
        assert_eq!(world.page(a, b, anchor, 7), world.page(b, a, anchor, 7));
    }
}

pub fn a_conversation_without_messages_is_an_empty_page(fixture: Fixture) {
    let (world, a, _) = conversation(fixture);
    let stranger = world.ids.user();
    let anchors: [HistoryAnchor; 3] = [Newest { skip: 0 }, Before(9), After(0)];
    for anchor in anchors {
        assert_empty(&world.page(a, stranger, anchor, 10));
    }
}

pub fn a_long_conversation_is_paged_everywhere(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let news: Vec<_> = (0..1_500).map(|_| world.message(a, b, "hello")).collect();
    let begun: Vec<_> =
        news.into_iter().map(|new| super::world::begin(world.fixture.ports.log.append(new))).collect();
    begun.into_iter().for_each(|begun| drop(begun.finish().unwrap()));
    assert_page(&world.page(a, b, Newest { skip: 0 }, 100), 1_401..=1_500, true);
    assert_page(&world.page(a, b, Newest { skip: 1_000 }, 100), 401..=500, true);
    assert_page(&world.page(a, b, Before(701), 100), 601..=700, true);
    assert_page(&world.page(a, b, After(700), 100), 701..=800, true);
}

/// Users with 25 messages, in alternating directions; another conversation stands beside.
fn conversation(fixture: Fixture) -> (World, UserId, UserId) {
    conversation_of(fixture, 25, "hello")
}

fn conversation_of(fixture: Fixture, count: usize, text: &str) -> (World, UserId, UserId) {
    let (world, [a, b, c]) = World::with_users(fixture);
    for number in 0..count {
        let (from, to) = if number % 3 == 0 { (b, a) } else { (a, b) };
        world.send(from, to, text);
        world.send(a, c, "beside");
    }
    (world, a, b)
}

fn assert_page(page: &Page<Arc<Message>>, expected: RangeInclusive<u64>, more: bool) {
    assert_eq!(seqs(&page.items), expected.collect::<Vec<_>>());
    assert_eq!(page.more, more);
}

fn assert_empty(page: &Page<Arc<Message>>) {
    assert_eq!(seqs(&page.items), [0; 0]);
    assert!(!page.more);
}
