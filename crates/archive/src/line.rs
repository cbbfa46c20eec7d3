//! What a line looks like: one canonical form for each value.

use std::borrow::Cow;

use chat_ports::model::{Message, MessageId, PasswordHash, Timestamp, User, UserId};
use serde::{Deserialize, Serialize};

/// The version of the format that this build writes and reads.
pub(crate) const VERSION: u32 = 1;

/// A line of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Header(Header),
    User(User),
    Message(Message),
    End(End),
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) exported_at: Timestamp,
    /// The kind of store.
    pub(crate) source: String,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct End {
    pub(crate) users: u64,
    pub(crate) messages: u64,
    /// SHA-256 of the lines of users and messages, line ends included.
    pub(crate) content: String,
    /// SHA-256 of all lines before this one.
    pub(crate) sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Form<'a> {
    Archive(Cow<'a, Header>),
    #[serde(borrow)]
    User(UserForm<'a>),
    Message(MessageForm<'a>),
    End(Cow<'a, End>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserForm<'a> {
    id: UserId,
    username: Cow<'a, str>,
    email: Cow<'a, str>,
    password: Cow<'a, str>,
    is_online: bool,
    last_seen: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MessageForm<'a> {
    id: MessageId,
    seq: u64,
    sender: UserId,
    receiver: UserId,
    text: Cow<'a, str>,
    timestamp: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivered_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edited_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<Cow<'a, str>>,
}

impl Line {
    /// Writes the line, with its end, behind what stands in `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let form = match self {
            Self::Header(header) => Form::Archive(Cow::Borrowed(header)),
            Self::User(user) => Form::User(user_form(user)),
            Self::Message(message) => Form::Message(message_form(message)),
            Self::End(end) => Form::End(Cow::Borrowed(end)),
        };
        serde_json::to_writer(&mut *out, &form)?;
        out.push(b'\n');
        Ok(())
    }

    /// Reads a line with its end; `None` unless it stands in its canonical form.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let line = match serde_json::from_slice(bytes).ok()? {
            Form::Archive(header) => Self::Header(header.into_owned()),
            Form::User(form) => Self::User(user(form)),
            Form::Message(form) => Self::Message(message(form)),
            Form::End(end) => Self::End(end.into_owned()),
        };
        let mut canonical = Vec::with_capacity(bytes.len());
        line.encode(&mut canonical).ok()?;
        (canonical == bytes).then_some(line)
    }
}

fn user_form(user: &User) -> UserForm<'_> {
    let User { id, username, email, password, is_online, last_seen, created_at, updated_at } = user;
    UserForm {
        id: *id,
        username: username.into(),
        email: email.into(),
        password: password.expose().into(),
        is_online: *is_online,
        last_seen: *last_seen,
        created_at: *created_at,
        updated_at: *updated_at,
    }
}

fn user(form: UserForm<'_>) -> User {
    let UserForm { id, username, email, password, is_online, last_seen, created_at, updated_at } = form;
    User {
        id,
        username: username.into_owned(),
        email: email.into_owned(),
        password: PasswordHash::new(password),
        is_online,
        last_seen,
        created_at,
        updated_at,
    }
}

fn message_form(message: &Message) -> MessageForm<'_> {
    let Message {
        id,
        seq,
        sender,
        receiver,
        text,
        timestamp,
        delivered_at,
        read_at,
        edited_at,
        deleted_at,
        client_id,
        first_text: _,
    } = message;
    MessageForm {
        id: *id,
        seq: *seq,
        sender: *sender,
        receiver: *receiver,
        text: text.into(),
        timestamp: *timestamp,
        delivered_at: *delivered_at,
        read_at: *read_at,
        edited_at: *edited_at,
        deleted_at: *deleted_at,
        client_id: client_id.as_deref().map(Cow::Borrowed),
    }
}

fn message(form: MessageForm<'_>) -> Message {
    let MessageForm {
        id,
        seq,
        sender,
        receiver,
        text,
        timestamp,
        delivered_at,
        read_at,
        edited_at,
        deleted_at,
        client_id,
    } = form;
    Message {
        id,
        seq,
        sender,
        receiver,
        text: text.into_owned(),
        timestamp,
        delivered_at,
        read_at,
        edited_at,
        deleted_at,
        first_text: None,
        client_id: client_id.map(Cow::into_owned),
    }
}
