//! Valid values in one call, for tests. Each panics where its argument breaks the default limits.

use chat_ports::{
    NewUser,
    model::{ClientId, Email, Limits, MessageText, PasswordHash, Timestamp, UserId, Username},
};

/// A username.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that names a bad value is to fail")]
pub fn username(text: &str) -> Username {
    Username::parse(text.to_owned(), &Limits::default()).expect("a valid username")
}

/// An address.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that names a bad value is to fail")]
pub fn email(text: &str) -> Email {
    Email::parse(text.to_owned(), &Limits::default()).expect("a valid address")
}

/// The text of a message.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that names a bad value is to fail")]
pub fn text(text: &str) -> MessageText {
    MessageText::parse(text.to_owned(), &Limits::default()).expect("a valid text")
}

/// A client's own name for a message.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that names a bad value is to fail")]
pub fn client_id(text: &str) -> ClientId {
    ClientId::parse(text.to_owned(), &Limits::default()).expect("a valid client id")
}

/// An account to be made: `name@example.org`, made at 1,000 ms.
#[must_use]
pub fn new_user(id: UserId, name: &str) -> NewUser {
    NewUser {
        id,
        username: username(name),
        email: email(&format!("{name}@example.org")),
        password: PasswordHash::new("fake:password"),
        created_at: Timestamp::from_millis(1_000),
    }
}
