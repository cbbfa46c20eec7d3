//! Moving: what is walked and what is put.

use std::sync::Arc;

use chat_ports::{
    Archive, ArchiveError, ArchiveQuery, Extent, Login, MessagePlace, TakenField,
    model::{Message, PasswordHash, Timestamp, User, UserId},
};
use futures_executor::block_on;

use super::world::World;
use crate::{Fixture, build};

impl World {
    pub(super) fn archive(&self) -> Arc<dyn Archive> {
        self.fixture.ports.archive.clone().unwrap()
    }

    pub(super) fn put(&self, messages: &[Message]) -> Result<(), ArchiveError> {
        block_on(self.archive().put_messages(messages.to_vec()))
    }

    fn put_users(&self, users: &[User]) -> Result<(), ArchiveError> {
        block_on(self.archive().put_users(users.to_vec()))
    }

    fn archived_users(&self, after: Option<UserId>, limit: u32) -> Vec<User> {
        block_on(self.archive().users(after, limit)).unwrap()
    }

    fn archived(&self, after: Option<&Message>, limit: u32, max_bytes: usize) -> Vec<Arc<Message>> {
        let after = after.map(MessagePlace::of);
        block_on(self.archive().messages(ArchiveQuery { after, limit, max_bytes })).unwrap()
    }

    /// All messages of the archive, in pages of this many.
    pub(super) fn walk(&self, limit: u32) -> Vec<Message> {
        let mut all: Vec<Message> = Vec::new();
        loop {
            let page = self.archived(all.last(), limit, usize::MAX);
            assert!(page.len() <= limit as usize);
            if page.is_empty() {
                return all;
            }
            all.extend(page.iter().map(|message| Message::clone(message)));
        }
    }

    pub(super) fn extent(&self) -> Extent {
        block_on(self.archive().extent()).unwrap()
    }
}

/// A user as another store may have it.
fn foreign_user(number: u8, name: &str) -> User {
    User {
        id: UserId::from_bytes([number; 12]),
        username: name.to_owned(),
        email: format!("{name}@example.org"),
        password: PasswordHash::new(format!("$2a$10${number}")),
        is_online: number.is_multiple_of(2),
        last_seen: (!number.is_multiple_of(3)).then_some(Timestamp::from_millis(-5)),
        created_at: Timestamp::from_millis(1_600_000_000_000 + i64::from(number)),
        updated_at: Timestamp::from_millis(1_700_000_000_001),
    }
}

/// What two users wrote to each other, in turns, nothing of it read.
pub(super) fn foreign_messages(world: &World, a: UserId, b: UserId, count: u64) -> Vec<Message> {
    let message = |seq: u64| {
        let (sender, receiver) = if seq.is_multiple_of(2) { (b, a) } else { (a, b) };
        Message {
            id: world.ids.message(),
            seq,
            sender,
            receiver,
            text: format!("number {seq}"),
            timestamp: Timestamp::from_millis(50_000 - i64::try_from(seq).unwrap()),
            delivered_at: None,
            read_at: None,
            edited_at: None,
            deleted_at: None,
            first_text: None,
            client_id: (seq.is_multiple_of(3)).then(|| format!("name-{seq}")),
        }
    };
    (1..=count).map(message).collect()
}

/// Whatever is read is delivered.
fn mark_read(message: &mut Message, at: Option<Timestamp>) {
    (message.delivered_at, message.read_at) = (at, at);
}

pub(super) fn assert_differs(
    result: Result<(), ArchiveError>,
    collection: &str,
    id: impl ToString,
    field: &str,
) {
    let expected = format!("{collection} {}: another {field} stands in the store", id.to_string());
    assert_eq!(result.unwrap_err().to_string(), expected);
}

/// Users whose ids stand in this order.
pub(super) fn users<const N: usize>(world: &World) -> [UserId; N] {
    std::array::from_fn(|_| world.ids.user())
}

pub fn an_empty_store_is_an_empty_archive(fixture: Fixture) {
    let world = World::new(fixture);
    assert_eq!(world.extent(), Extent::default());
    assert_eq!((world.archived_users(None, 10), world.walk(10)), (Vec::new(), Vec::new()));
}

pub fn everything_is_walked_as_it_stands_in_the_order_of_an_archive(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    for (from, to) in [(b, c), (a, c), (c, b), (b, a), (c, a), (a, b), (b, c)] {
        let sent = world.send(from, to, "hello");
        world.read(to, &sent, 20_000 + i64::try_from(sent.seq).unwrap());
    }
    world.append(world.named(c, a, "unread", "its-name")).unwrap();
    let mut expected = world.all(a, b);
    expected.extend(world.all(a, c));
    expected.extend(world.all(b, c));
    for limit in [1, 2, 3, 100] {
        let walked = world.walk(limit);
        assert!(walked.iter().eq(expected.iter().map(|message| &**message)), "in pages of {limit}");
    }
    let ids: Vec<_> = world.archived_users(None, 100).iter().map(|user| user.id).collect();
    assert_eq!(ids, [a, b, c]);
    assert_eq!(world.archived_users(Some(a), 1)[0].id, b);
    assert_eq!(world.archived_users(Some(c), 1), []);
}

pub fn an_extent_tells_how_much_there_is_and_where_it_ends(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    world.send(b, c, "hello");
    let last = world.send(c, b, "hello");
    world.send(a, b, "hello");
    let expected = Extent {
        users: 3,
        last_user: Some(c),
        messages: 3,
        last_message: Some(MessagePlace::of(&last)),
        blocks: 0,
    };
    assert_eq!(world.extent(), expected);
}

pub fn a_page_of_an_archive_ends_early_when_its_text_is_long(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..6).map(|_| world.send(a, b, &"x".repeat(1_000))).collect();
    assert_eq!(world.archived(None, 100, 2_500), &sent[..2]);
    assert_eq!(world.archived(Some(&sent[1]), 100, 1), &sent[2..3], "one at least");
    assert_eq!(world.archived(Some(&sent[4]), 100, 2_500), &sent[5..]);
}

pub fn put_users_stand_exactly_as_they_were_given(fixture: Fixture) {
    let world = World::new(fixture);
    // What is stored is served, whatever the limits of input say.
    let given = [
        foreign_user(1, "x"),
        foreign_user(2, "Jürgen Müller"),
        foreign_user(3, "MiXed"),
        foreign_user(4, &"long".repeat(50)),
    ];
    world.put_users(&given[..2]).unwrap();
    world.put_users(&given[1..]).unwrap();
    assert_eq!(world.archived_users(None, 10), given);
    let login = |login| block_on(world.fixture.ports.users.find_by_login(login)).unwrap();
    assert_eq!(login(Login::Username("mixed".into())), Some(given[2].clone()));
    assert_eq!(login(Login::Email("MIXED@example.org".into())), Some(given[2].clone()));
    let taken = block_on(world.fixture.ports.users.insert(build::new_user(world.ids.user(), "mIxEd")));
    assert!(taken.is_err(), "a name that was put is taken");
}

pub fn another_account_of_the_same_id_is_refused_by_its_field(fixture: Fixture) {
    let world = World::new(fixture);
    let user = foreign_user(1, "someone");
    world.put_users(std::slice::from_ref(&user)).unwrap();
    let other = Timestamp::from_millis(99);
    for (changed, expected) in [
        (User { username: "someone-else".into(), ..user.clone() }, "username"),
        (User { email: "else@example.org".into(), ..user.clone() }, "email"),
        (User { password: PasswordHash::new("else"), ..user.clone() }, "password"),
        (User { is_online: !user.is_online, ..user.clone() }, "is_online"),
        (User { last_seen: None, ..user.clone() }, "last_seen"),
        (User { created_at: other, ..user.clone() }, "created_at"),
        (User { updated_at: other, ..user.clone() }, "updated_at"),
    ] {
        assert_differs(world.put_users(&[changed]), "users", user.id, expected);
    }
    assert_eq!(world.archived_users(None, 10), [user]);
}

pub fn accounts_that_differ_by_case_only_both_stand_or_collide(fixture: Fixture) {
    let world = World::new(fixture);
    let older = foreign_user(1, "Someone");
    let twins = [
        (User { email: "a@example.org".into(), ..foreign_user(2, "someone") }, TakenField::Username),
        (User { email: "SOMEONE@example.org".into(), ..foreign_user(3, "other") }, TakenField::Email),
    ];
    world.put_users(std::slice::from_ref(&older)).unwrap();
    for (twin, expected) in twins {
        match world.put_users(std::slice::from_ref(&twin)) {
            Ok(()) => {
                assert!(world.archive().holds_case_twins());
                assert_eq!(world.archived_users(Some(older.id), 10).last(), Some(&twin));
            }
            Err(ArchiveError::Collides { user, other, field }) => {
                assert!(!world.archive().holds_case_twins());
                assert_eq!((user, other, field), (twin.id, older.id, expected));
                assert_eq!(world.archived_users(None, 10), std::slice::from_ref(&older));
            }
            Err(other) => assert_eq!(other.to_string(), "a collision"),
        }
    }
}

pub fn put_messages_stand_exactly_as_they_were_given(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let mut given = foreign_messages(&world, a, b, 9);
    given[0].text = String::new();
    given[1].text = "line\nbreak \u{0} \u{2028} \"quoted\" 👩‍👩‍👧".to_owned();
    given[2].text = "x".repeat(100_000);
    given[3].timestamp = Timestamp::from_millis(-1);
    for number in [0, 4, 5, 7] {
        mark_read(&mut given[number], Some(Timestamp::from_millis(70_000 - number as i64)));
    }
    world.put(&given).unwrap();
    assert_eq!(world.walk(4), given);
    assert!(world.all(a, b).iter().map(|message| &**message).eq(given.iter()), "as history");
    for message in &given {
        assert_eq!(&*world.find(message), message, "by id");
    }
    let entry = &world.conversations(b, None, 10).items[0];
    assert_eq!((entry.other, &*entry.last_message), (a, &given[8]), "in the list");
}

pub fn messages_of_absent_users_and_to_oneself_are_kept(fixture: Fixture) {
    let world = World::new(fixture);
    let [a, b] = users(&world);
    let mut given = Vec::new();
    for (x, y) in [(a, a), (a, b), (b, b)] {
        given.extend(foreign_messages(&world, x, y, 4));
    }
    mark_read(&mut given[1], Some(Timestamp::from_millis(60_000)));
    world.put(&given).unwrap();
    assert_eq!(world.walk(3), given);
    assert_eq!(world.all(a, a).len(), 4);
    assert_eq!(*world.find(&given[1]), given[1]);
    assert_eq!(world.conversations(a, None, 10).items.len(), 2);
}

pub fn putting_again_what_stands_there_changes_nothing(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let mut given = foreign_messages(&world, a, b, 8);
    mark_read(&mut given[3], Some(Timestamp::from_millis(60_000)));
    given.extend(foreign_messages(&world, a, c, 3));
    world.put(&given[..5]).unwrap();
    world.put(&given[2..9]).unwrap();
    world.put(&given).unwrap();
    world.put(&given).unwrap();
    assert_eq!(world.walk(100), given);
    assert_eq!(world.extent().messages, 11);
    let accounts = world.archived_users(None, 10);
    world.put_users(&accounts).unwrap();
    assert_eq!(world.archived_users(None, 10), accounts);
}

pub fn another_message_in_its_place_is_refused_by_its_field(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let given = foreign_messages(&world, a, b, 3);
    world.put(&given).unwrap();
    let third = &given[2];
    let other = Timestamp::from_millis(99);
    for (changed, expected) in [
        (Message { id: world.ids.message(), ..third.clone() }, "id"),
        (Message { sender: b, receiver: a, ..third.clone() }, "sender"),
        (Message { text: "another".into(), ..third.clone() }, "text"),
        (Message { timestamp: other, ..third.clone() }, "timestamp"),
        (Message { delivered_at: Some(other), ..third.clone() }, "delivered_at"),
        (Message { read_at: Some(other), ..third.clone() }, "read_at"),
        (Message { edited_at: Some(other), ..third.clone() }, "edited_at"),
        (Message { deleted_at: Some(other), ..third.clone() }, "deleted_at"),
        (Message { client_id: None, ..third.clone() }, "client_id"),
        // Where none stands yet, its id and its name must be new.
        (Message { seq: 4, client_id: None, ..third.clone() }, "seq"),
        (Message { seq: 1, receiver: c, client_id: None, ..third.clone() }, "seq"),
        (Message { seq: 4, id: world.ids.message(), ..third.clone() }, "client_id"),
    ] {
        let id = changed.id;
        assert_differs(world.put(&[changed]), "messages", id, expected);
    }
    assert_eq!(world.walk(100), given);
}

pub fn a_gap_is_refused(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let given = foreign_messages(&world, a, b, 5);
    for wrong in [&given[1..2], &given[4..]] {
        let refused = world.put(wrong).unwrap_err();
        assert!(matches!(&refused, ArchiveError::Gap { seq, .. } if *seq == wrong[0].seq), "{refused:?}");
    }
    world.put(&given[..2]).unwrap();
    let refused = world.put(&given[3..]).unwrap_err();
    assert!(matches!(refused, ArchiveError::Gap { seq: 4, .. }), "{refused:?}");
    assert!(world.put(&[Message { seq: 0, ..given[2].clone() }]).is_err(), "numbers begin with 1");
    assert_eq!(world.walk(10), &given[..2]);
}

pub fn sending_goes_on_after_what_was_put(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let given = foreign_messages(&world, a, b, 5);
    world.put(&given).unwrap();
    assert_eq!(world.send(b, a, "after").seq, 6);
    let again = world.append(world.named(a, b, "number 3", "name-3")).unwrap();
    assert!(again.repeated);
    assert_eq!(*again.message, given[2]);
    assert!(world.append(world.named(a, b, "another text", "name-3")).is_err());
    world.assert_gap_free(a, b, 6);
}

pub fn what_is_put_is_no_commit(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let mut given = foreign_messages(&world, a, b, 3);
    mark_read(&mut given[0], Some(Timestamp::from_millis(60_000)));
    world.put(&given).unwrap();
    assert_eq!(world.fixture.commits.take(), []);
    world.send(a, b, "hello");
    assert_eq!(world.fixture.commits.take().len(), 1);
}

pub fn after_a_restart_what_was_put_is_there(fixture: Fixture) {
    let world = World::new(fixture);
    let accounts = [foreign_user(1, "one"), foreign_user(2, "two")];
    world.put_users(&accounts).unwrap();
    let mut given = foreign_messages(&world, accounts[0].id, accounts[1].id, 40);
    for number in [0, 2, 7, 8, 20, 33] {
        mark_read(&mut given[number], Some(Timestamp::from_millis(60_000 + number as i64)));
    }
    world.put(&given[..25]).unwrap();
    let Some(world) = world.restarted() else { return };
    assert_eq!(world.archived_users(None, 10), accounts);
    assert_eq!(world.walk(10), &given[..25]);
    world.put(&given[20..]).unwrap();
    let world = world.restarted().unwrap();
    assert_eq!(world.walk(100), given);
}

pub fn a_long_archive_is_moved_in_pages(fixture: Fixture) {
    let world = World::new(fixture);
    let [a, b, c, d] = users(&world);
    let mut given = Vec::new();
    for (x, y, count) in [(a, b, 1), (a, c, 130), (b, c, 2), (c, d, 70)] {
        given.extend(foreign_messages(&world, x, y, count));
    }
    for (number, message) in given.iter_mut().enumerate() {
        mark_read(message, (number % 7 < 4).then(|| Timestamp::from_millis(60_000 + number as i64 / 9)));
    }
    for page in given.chunks(17) {
        world.put(page).unwrap();
    }
    for limit in [7, 64, 1_000] {
        assert_eq!(world.walk(limit), given);
    }
    let last_message = given.last().map(MessagePlace::of);
    let expected =
        Extent { users: 0, last_user: None, messages: given.len() as u64, last_message, blocks: 0 };
    assert_eq!(world.extent(), expected);
}
