//! Documents of ours and of older applications.

use bson::{DateTime, Document, RawDocumentBuf, doc, oid};
use chat_ports::{
    StoreError,
    model::{Message, MessageId, PasswordHash, Timestamp, User, UserId},
};
use chat_testkit::SequentialIds;
use proptest::prelude::*;

use super::{Dedup, encode_message, encode_user, read_message, read_user};

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

/// What mongoose writes: our fields absent, its version key present.
fn old_message() -> Document {
    doc! {
        "_id": oid::ObjectId::from_bytes([0x60, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]),
        "sender": oid::ObjectId::from_bytes([1; 12]),
        "receiver": oid::ObjectId::from_bytes([2; 12]),
        "message": "hello",
        "isRead": false,
        "timestamp": DateTime::from_millis(5_000),
        "__v": 0,
    }
}

fn old_user() -> Document {
    doc! {
        "_id": oid::ObjectId::from_bytes([1; 12]), "username": "Ann", "email": "Ann@example.org",
        "password": "$2a$10$abc", "__v": 0,
    }
}

#[test]
fn a_message_of_an_older_application_is_read_whatever_types_it_wrote() {
    let message = read_message(&raw(&old_message())).unwrap().message;
    assert_eq!((message.seq, message.text.as_str(), message.read_at), (0, "hello", None));
    assert_eq!(message.timestamp, Timestamp::from_millis(5_000));
    let with = |name: &str, value: bson::Bson| {
        let mut document = old_message();
        document.insert(name, value);
        read_message(&raw(&document)).unwrap().message
    };
    for number in [bson::Bson::Double(7_000.0), bson::Bson::Int32(7_000), bson::Bson::Int64(7_000)] {
        assert_eq!(with("timestamp", number.clone()).timestamp, Timestamp::from_millis(7_000));
        assert_eq!(with("seq", number).seq, 7_000);
    }
    assert_eq!(with("isRead", bson::Bson::Int32(1)).read_at, Some(Timestamp::from_millis(5_000)));
    assert_eq!(
        with("isRead", true.into()).read_at,
        Some(Timestamp::from_millis(5_000)),
        "no readAt: its time"
    );
    assert_eq!(with("sender", "010101010101010101010101".into()).sender, message.sender);
    assert_eq!(with("readAt", bson::Bson::Null).read_at, None);
}

#[test]
fn without_a_timestamp_the_id_tells_when_a_message_was_made() {
    let mut document = old_message();
    document.remove("timestamp");
    let message = read_message(&raw(&document)).unwrap().message;
    assert_eq!(message.timestamp, Timestamp::from_millis(0x6000_0000 * 1_000));
}

#[test]
fn a_document_that_can_not_be_read_is_named_with_its_field() {
    let cases = [
        ("_id", bson::Bson::Int32(1)),
        ("sender", "nobody".into()),
        ("receiver", bson::Bson::Null),
        ("message", 1.into()),
        ("isRead", "yes".into()),
        ("timestamp", "yesterday".into()),
        ("seq", bson::Bson::Double(1.5)),
        ("seq", bson::Bson::Int64(-1)),
        ("dedup", 1.into()),
        ("clientId", 1.into()),
        ("changedAt", "now".into()),
        ("readAt", "now".into()),
    ];
    for (name, value) in cases {
        let mut document = old_message();
        document.insert(name, value);
        match read_message(&raw(&document)).unwrap_err() {
            StoreError::Corrupt { collection, id, field } => {
                let expected = if name == "_id" { "(an unusual id)" } else { "600000000101010101010101" };
                assert_eq!((collection, id.as_str(), field), ("messages", expected, name));
            }
            other @ (StoreError::Unavailable(_) | _) => unreachable!("{other}"),
        }
    }
}

#[test]
fn a_user_of_an_older_application_is_read_without_presence_and_dates() {
    let user = read_user(&raw(&old_user())).unwrap();
    assert_eq!((user.username.as_str(), user.is_online, user.last_seen), ("Ann", false, None));
    assert_eq!(user.created_at, Timestamp::from_millis(0x0101_0101 * 1_000));
    assert_eq!(user.updated_at, user.created_at);
    for name in ["username", "email", "password"] {
        let mut document = old_user();
        document.remove(name);
        let error = read_user(&raw(&document)).unwrap_err().to_string();
        assert_eq!(error, format!("users 010101010101010101010101: field {name} can't be read"));
    }
}

#[test]
fn a_user_is_read_as_it_was_written_and_holds_its_folded_names() {
    let user = User {
        id: UserId::from_bytes([7; 12]),
        username: "Ann".into(),
        email: "Ann@Example.org".into(),
        password: PasswordHash::new("$2b$12$abc"),
        is_online: true,
        last_seen: Some(Timestamp::from_millis(3)),
        created_at: Timestamp::from_millis(1),
        updated_at: Timestamp::from_millis(2),
    };
    let document = encode_user(&user);
    assert_eq!(read_user(&document).unwrap(), user);
    assert_eq!(document.get_str("usernameKey").unwrap(), "ann");
    assert_eq!(document.get_str("usernameFolded").unwrap(), "ann");
    assert_eq!(document.get_str("emailKey").unwrap(), "ann@example.org");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_message_is_read_as_it_was_written(
        seq in 1..=1_u64 << 40,
        text in "\\PC{0,40}",
        times in (any::<i32>(), proptest::option::of(any::<i32>())),
        client_id in proptest::option::of("[!-~]{1,64}"),
    ) {
        let ids = SequentialIds::new();
        let at = |millis: i32| Timestamp::from_millis(i64::from(millis));
        let message = Message {
            id: MessageId(ids.message().0),
            seq,
            sender: ids.user(),
            receiver: ids.user(),
            text,
            timestamp: at(times.0),
            delivered_at: times.1.map(at),
            read_at: times.1.map(at),
            edited_at: None,
            deleted_at: None,
            first_text: None,
            client_id,
        };
        let dedup = Dedup("name".into());
        let stored = read_message(&encode_message(&message, &dedup, at(9), Some(7))).unwrap();
        prop_assert_eq!(stored.message, message);
        prop_assert_eq!(stored.dedup, Some(dedup));
        prop_assert_eq!(stored.changed_at, Some(at(9)));
    }
}
