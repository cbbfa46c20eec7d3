//! Stores that are moved, with interruptions and damage on the way.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chat_ports::{
    Archive, ArchiveError, ArchiveQuery, Extent, StoreError, TakenField,
    model::{Block, Message, MessageId, PasswordHash, TextDigest, Timestamp, User, UserId},
};
use chat_testkit::{ManualClock, MemoryStore, RecordingListener};
use futures_executor::block_on;
use tempfile::TempDir;

use crate::{ExportError, FileError, ImportError, Progress, Step, Summary, export, import};

fn user(number: u16) -> User {
    let mut id = [0; 12];
    id[..2].copy_from_slice(&number.to_be_bytes());
    User {
        id: UserId::from_bytes(id),
        username: format!("User{number}"),
        email: format!("user{number}@example.org"),
        password: PasswordHash::new(format!("$2b$12${number}")),
        is_online: number.is_multiple_of(2),
        last_seen: number.is_multiple_of(3).then_some(Timestamp::from_millis(5)),
        created_at: Timestamp::from_millis(1),
        updated_at: Timestamp::from_millis(i64::MAX),
    }
}

fn message(a: u16, b: u16, seq: u64) -> Message {
    let mut id = [0; 12];
    id[..2].copy_from_slice(&a.to_be_bytes());
    id[2..4].copy_from_slice(&b.to_be_bytes());
    id[4..].copy_from_slice(&seq.to_be_bytes());
    Message {
        id: MessageId::from_bytes(id),
        seq,
        sender: user(a).id,
        receiver: user(b).id,
        text: format!("\"line\"\n\u{0}\u{2028}👩‍👩‍👧 {seq}"),
        timestamp: Timestamp::from_millis(-1),
        delivered_at: (!seq.is_multiple_of(3))
            .then_some(Timestamp::from_millis(70 + i64::from(seq.is_multiple_of(2)) * 7)),
        read_at: (seq % 3 == 1).then_some(Timestamp::from_millis(77)),
        edited_at: (seq % 5 == 1).then_some(Timestamp::from_millis(-78)),
        deleted_at: (seq % 5 == 2).then_some(Timestamp::from_millis(79)),
        first_text: (seq % 5 == 1).then(|| TextDigest::from_bytes([seq as u8; 16])),
        client_id: seq.is_multiple_of(2).then(|| format!("c{seq}")),
    }
}

/// A store that goes away after a number of calls, and is back at the next try.
struct Flaky {
    store: Arc<MemoryStore>,
    calls: AtomicI64,
    twins: bool,
}

impl Flaky {
    fn new() -> Self {
        let store = MemoryStore::new(Arc::new(ManualClock::new()), RecordingListener::new());
        Self { store, calls: AtomicI64::new(i64::MAX), twins: false }
    }

    /// Three users, two conversations of which one is longer than a page.
    fn filled() -> Self {
        let new = Self::new();
        block_on(new.store.put_users((1..4).map(user).collect())).unwrap();
        block_on(new.store.put_messages((1..2_501).map(|seq| message(1, 2, seq)).collect())).unwrap();
        block_on(new.store.put_messages((1..6).map(|seq| message(2, 3, seq)).collect())).unwrap();
        let block = |(a, b, since)| Block {
            blocker: user(a).id,
            blocked: user(b).id,
            since: Timestamp::from_millis(since),
        };
        let pairs = (1..4).flat_map(|a| (10..410).map(move |b| (a, b, i64::from(b) - 100)));
        block_on(new.store.put_blocks(pairs.map(block).collect())).unwrap();
        new
    }

    fn lets(&self, calls: i64) {
        self.calls.store(calls, Ordering::Relaxed);
    }

    fn call(&self) -> Result<&MemoryStore, StoreError> {
        if self.calls.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Ok(&self.store);
        }
        self.lets(i64::MAX);
        Err(StoreError::Unavailable("it is away".into()))
    }
}

#[async_trait::async_trait]
impl Archive for Flaky {
    fn holds_case_twins(&self) -> bool {
        self.twins
    }

    async fn extent(&self) -> Result<Extent, StoreError> {
        self.call()?.extent().await
    }

    async fn users(&self, after: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.call()?.users(after, limit).await
    }

    async fn messages(&self, query: ArchiveQuery) -> Result<Vec<Arc<Message>>, StoreError> {
        self.call()?.messages(query).await
    }

    async fn put_users(&self, users: Vec<User>) -> Result<(), ArchiveError> {
        self.call()?.put_users(users).await
    }

    async fn put_messages(&self, messages: Vec<Message>) -> Result<(), ArchiveError> {
        self.call()?.put_messages(messages).await
    }

    async fn blocks(&self, after: Option<(UserId, UserId)>, limit: u32) -> Result<Vec<Block>, StoreError> {
        self.call()?.blocks(after, limit).await
    }

    async fn put_blocks(&self, blocks: Vec<Block>) -> Result<(), ArchiveError> {
        self.call()?.put_blocks(blocks).await
    }
}

struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn export(&self, store: &Flaky, name: &str) -> Result<Summary, ExportError> {
        let now = Timestamp::from_millis(9);
        block_on(export(store, &self.file(name), "embedded", now, &mut |_| {}))
    }

    fn import(&self, store: &Flaky, name: &str) -> Result<Summary, ImportError> {
        block_on(import(store, &self.file(name), &mut |_| {}))
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }
}

fn extent(store: &Flaky) -> Extent {
    block_on(store.store.extent()).unwrap()
}

#[test]
fn a_store_is_moved_whole_and_its_file_is_the_same_from_there() {
    let (world, from, to) = (World::new(), Flaky::filled(), Flaky::new());
    let exported = world.export(&from, "a").unwrap();
    assert_eq!((exported.users, exported.messages, &exported.resumed), (3, 2_505, &None));
    let imported = world.import(&to, "a").unwrap();
    assert_eq!(imported, exported);
    assert_eq!(extent(&to), extent(&from));
    assert_eq!(world.export(&to, "b").unwrap(), exported);
    assert_eq!(world.text("a"), world.text("b"));
    assert_eq!(fs::metadata(world.file("a")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!world.file("a.partial").exists());
}

#[test]
fn the_lines_are_in_their_canonical_form() {
    let (world, from) = (World::new(), Flaky::new());
    block_on(from.store.put_users(vec![user(1)])).unwrap();
    block_on(from.store.put_messages(vec![message(1, 2, 1), message(1, 2, 2)])).unwrap();
    world.export(&from, "a").unwrap();
    let text = world.text("a");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], r#"{"archive":{"version":2,"exportedAt":9,"source":"embedded"}}"#);
    assert_eq!(
        lines[1],
        r#"{"user":{"id":"000100000000000000000000","username":"User1","email":"user1@example.org","password":"$2b$12$1","isOnline":false,"lastSeen":null,"createdAt":1,"updatedAt":9223372036854775807}}"#
    );
    assert_eq!(
        lines[2],
        "{\"message\":{\"id\":\"000100020000000000000001\",\"seq\":1,\"sender\":\"000100000000000000000000\",\"receiver\":\"000200000000000000000000\",\"text\":\"\\\"line\\\"\\n\\u0000\u{2028}👩‍👩‍👧 1\",\"timestamp\":-1,\"deliveredAt\":70,\"readAt\":77,\"editedAt\":-78,\"firstText\":\"01010101010101010101010101010101\"}}"
    );
    assert!(lines[3].ends_with(r#""timestamp":-1,"deliveredAt":77,"deletedAt":79,"clientId":"c2"}}"#));
    assert!(lines[4].starts_with(r#"{"end":{"users":1,"messages":2,"content":""#));
}

#[test]
fn a_file_of_version_1_is_imported_and_exported_again_as_version_2() {
    let (world, to) = (World::new(), Flaky::new());
    let old = include_str!("tests/version_1.jsonl");
    fs::write(world.file("old"), old).unwrap();
    assert_eq!(world.import(&to, "old").unwrap().messages, 2);
    world.export(&to, "new").unwrap();
    let (old, new) = (old.lines(), world.text("new"));
    let middle = |lines: Vec<&str>| lines[1..lines.len() - 1].join("\n");
    assert_eq!(middle(new.lines().collect()), middle(old.collect()), "the same content is the same lines");
    assert!(new.starts_with(r#"{"archive":{"version":2,"#));
}

#[test]
fn an_empty_store_is_moved_as_well() {
    let (world, store) = (World::new(), Flaky::new());
    assert_eq!(world.export(&store, "a").unwrap().users, 0);
    assert_eq!(world.import(&store, "a").unwrap().messages, 0);
}

#[test]
fn an_interrupted_export_goes_on_behind_its_last_whole_line() {
    let from = Flaky::filled();
    let whole = World::new();
    whole.export(&from, "a").unwrap();
    let text = whole.text("a");
    for cut in [0, 30, 73, 500, 10_000, 200_000, text.len() - 90, text.len() - 1, text.len()] {
        let world = World::new();
        fs::write(world.file("a.partial"), &text.as_bytes()[..cut]).unwrap();
        let summary = world.export(&from, "a").unwrap();
        assert_eq!(summary.messages, 2_505);
        assert_eq!(summary.resumed.is_some(), cut >= 500, "{cut}");
        assert_eq!(world.text("a"), text, "cut at {cut}");
    }
}

#[test]
fn an_export_during_an_outage_is_finished_by_the_next() {
    let (world, from) = (World::new(), Flaky::filled());
    for calls in [0, 1, 2, 3, 4] {
        from.lets(calls);
        assert!(matches!(world.export(&from, "a"), Err(ExportError::Store(_))), "{calls}");
    }
    assert_eq!(world.export(&from, "a").unwrap().resumed, Some((3, 2_505)));
    world.import(&Flaky::new(), "a").unwrap();
}

#[test]
fn an_export_does_not_go_on_over_a_store_that_has_changed() {
    let (world, from) = (World::new(), Flaky::filled());
    from.lets(3);
    assert!(world.export(&from, "a").is_err());
    let partial = fs::read_to_string(world.file("a.partial")).unwrap().replace("user1@", "user9@");
    fs::write(world.file("a.partial"), partial).unwrap();
    assert!(matches!(world.export(&from, "a"), Err(ExportError::Changed)));
    assert_eq!(world.export(&from, "a").unwrap().resumed, None, "what was wrong is gone");
}

#[test]
fn nothing_is_written_over_and_no_other_kind_of_store_is_mixed_in() {
    let (world, from) = (World::new(), Flaky::filled());
    world.export(&from, "a").unwrap();
    assert!(matches!(world.export(&from, "a"), Err(ExportError::Exists(_))));
    let other = world.text("a").replace("\"embedded\"", "\"mongodb\"");
    fs::write(world.file("b.partial"), other).unwrap();
    assert!(matches!(world.export(&from, "b"), Err(ExportError::OtherSource { .. })));
    let missing = world.export(&from, "none/a").unwrap_err();
    assert!(matches!(missing, ExportError::File(FileError::Io { .. })), "{missing}");
}

#[test]
fn an_interrupted_import_goes_on_where_it_stopped() {
    let (world, from) = (World::new(), Flaky::filled());
    world.export(&from, "a").unwrap();
    for calls in [1, 2, 3, 4, 5, 6, 9] {
        let to = Flaky::new();
        to.lets(calls);
        let Err(ImportError::Store(_)) = world.import(&to, "a") else { panic!("after {calls} calls") };
        let before = extent(&to);
        let mut first = None;
        let done = block_on(import(&to, &world.file("a"), &mut |progress: Progress| {
            if progress.step == Step::Importing {
                first.get_or_insert(progress.messages);
            }
        }));
        let resumed = done.unwrap().resumed;
        assert_eq!(resumed, (before.users > 0).then_some((before.users, before.messages)), "{calls}");
        assert!(first.unwrap() > before.messages || before.messages == 2_505, "{calls}");
        assert_eq!(extent(&to), extent(&from));
    }
}

#[test]
fn a_store_with_something_else_in_it_is_refused_and_stays_as_it_is() {
    let (world, from) = (World::new(), Flaky::filled());
    world.export(&from, "a").unwrap();
    for users in [vec![user(9)], vec![user(1), user(9)], (1..5).map(user).collect()] {
        let to = Flaky::new();
        block_on(to.store.put_users(users)).unwrap();
        let before = extent(&to);
        assert!(matches!(world.import(&to, "a"), Err(ImportError::Occupied { .. })));
        assert_eq!(extent(&to), before);
    }
    assert!(world.import(&from, "a").unwrap().resumed.is_some(), "what is whole is compared only");
}

#[test]
fn what_differs_within_the_beginning_is_named() {
    let (world, from, to) = (World::new(), Flaky::filled(), Flaky::new());
    world.export(&from, "a").unwrap();
    let changed = User { password: PasswordHash::new("another"), ..user(2) };
    block_on(to.store.put_users(vec![user(1), changed, user(3)])).unwrap();
    let refused = world.import(&to, "a").unwrap_err();
    assert!(
        matches!(refused, ImportError::UserDiffers { id, field: "password" } if id == user(2).id),
        "{refused}"
    );
    assert!(!refused.to_string().contains("another"));
}

#[test]
fn a_damaged_file_is_refused_before_anything_is_changed() {
    let (world, from) = (World::new(), Flaky::filled());
    world.export(&from, "a").unwrap();
    let text = world.text("a");
    let lines: Vec<_> = text.lines().collect();
    let without = |at: usize| {
        let kept =
            lines.iter().enumerate().filter(|(line, _)| *line != at).map(|(_, line)| format!("{line}\n"));
        kept.collect::<String>()
    };
    for damaged in [
        String::new(),
        "no archive\n".to_owned(),
        text[..text.len() - 1].to_owned(),
        text[..text.len() / 2].to_owned(),
        without(0),
        without(1),
        without(3),
        without(100),
        without(lines.len() - 1),
        format!("{text}{}\n", lines[1]),
        text.replacen("User2", "User7", 1),
        text.replacen("\"seq\":7,", "\"seq\":8,", 1),
        text.replacen("\"isOnline\":true", "\"isOnline\": true", 1),
        text.replacen("\"isOnline\":true", "\"extra\":1,\"isOnline\":true", 1),
        text.replacen("\"exportedAt\":9", "\"exportedAt\":8", 1),
    ] {
        fs::write(world.file("damaged"), &damaged).unwrap();
        let to = Flaky::new();
        let refused = world.import(&to, "damaged").unwrap_err();
        assert!(matches!(refused, ImportError::File(FileError::Damaged { .. })), "{refused}");
        assert_eq!(extent(&to), Extent::default());
    }
    fs::write(world.file("newer"), text.replacen("\"version\":2", "\"version\":3", 1)).unwrap();
    let newer = world.import(&Flaky::new(), "newer").unwrap_err();
    assert!(matches!(newer, ImportError::File(FileError::Newer { version: 3, known: 2, .. })), "{newer}");
    let none = world.import(&Flaky::new(), "none").unwrap_err();
    assert!(matches!(none, ImportError::File(FileError::Io { .. })), "{none}");
}

#[test]
fn accounts_that_differ_by_case_only_are_named_before_anything_is_changed() {
    let (world, from) = (World::new(), Flaky::filled());
    world.export(&from, "a").unwrap();
    // As a MongoDB would have written it: the second one's name and the third one's address.
    let text = world.text("a");
    let text = text.replacen("\"User2\"", "\"uSER1\"", 1).replacen("user3@", "USER2@", 1);
    let mut position = crate::scan::Position::default();
    let mut twins = String::new();
    for line in text.lines().take_while(|line| !line.starts_with("{\"end\"")) {
        let bytes = format!("{line}\n");
        position.pass(&crate::line::Line::decode(bytes.as_bytes()).unwrap(), bytes.as_bytes()).unwrap();
        twins += &bytes;
    }
    let mut end = Vec::new();
    crate::line::Line::End(position.tally.end()).encode(&mut end).unwrap();
    fs::write(world.file("twins"), twins + std::str::from_utf8(&end).unwrap()).unwrap();

    let to = Flaky::new();
    let refused = world.import(&to, "twins").unwrap_err();
    let line = refused.to_string();
    let ImportError::Twins { found, more: 0 } = refused else { panic!("{line}") };
    let pairs: Vec<_> = found.iter().map(|twin| (twin.field, twin.one.0, twin.other.0)).collect();
    let ids = [1, 2, 3].map(|number| user(number).id);
    assert_eq!(pairs, [(TakenField::Username, ids[0], ids[1]), (TakenField::Email, ids[1], ids[2])]);
    assert!(line.contains("\"User1\" and") && !line.contains('@') && !line.contains('\n'), "{line}");
    assert_eq!(extent(&to), Extent::default());

    let holding = Flaky { twins: true, ..Flaky::new() };
    let refused = world.import(&holding, "twins").unwrap_err();
    assert!(
        matches!(refused, ImportError::Store(ArchiveError::Collides { .. })),
        "the store's own word: {refused}"
    );
}
