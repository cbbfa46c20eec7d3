//! What a line looks like: one canonical form for each value.

use std::{borrow::Cow, fmt::Write};

use chat_ports::model::{Block, Message, MessageId, PasswordHash, TextDigest, Timestamp, User, UserId};
use serde::{Deserialize, Serialize};

/// The version of the format that this build writes. It reads every one up to it: they differ in what may be missing.
pub(crate) const VERSION: u32 = 2;

/// A line of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Header(Header),
    User(User),
    Message(Message),
    Block(Block),
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
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) blocks: u64,
    /// SHA-256 of the lines of users, messages and blocks, line ends included.
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
    Block(BlockForm),
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
    /// The digest of the text as it was first sent, in hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_text: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BlockForm {
    blocker: UserId,
    blocked: UserId,
    since: Timestamp,
}

const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Line {
    /// Writes the line, with its end, behind what stands in `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let form = match self {
            Self::Header(header) => Form::Archive(Cow::Borrowed(header)),
            Self::User(user) => Form::User(user_form(user)),
            Self::Message(message) => Form::Message(message_form(message)),
            Self::Block(Block { blocker, blocked, since }) => {
                Form::Block(BlockForm { blocker: *blocker, blocked: *blocked, since: *since })
            }
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
            Form::Message(form) => Self::Message(message(form)?),
            Form::Block(BlockForm { blocker, blocked, since }) => {
                Self::Block(Block { blocker, blocked, since })
            }
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
        first_text,
    } = message;
    MessageForm {
        id: *id,
        seq: *seq,
        sender: *sender,
        receiver: *receiver,
        text: text.into(),
        timestamp: *timestamp,
        // What is read was delivered with it, where nothing else stands here.
        delivered_at: delivered_at.filter(|at| Some(*at) != *read_at),
        read_at: *read_at,
        edited_at: *edited_at,
        deleted_at: *deleted_at,
        client_id: client_id.as_deref().map(Cow::Borrowed),
        first_text: first_text.map(|digest| hex(&digest.bytes())),
    }
}

fn message(form: MessageForm<'_>) -> Option<Message> {
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
        first_text,
    } = form;
    let first_text = match first_text {
        Some(digits) => Some(digest(&digits)?),
        None => None,
    };
    Some(Message {
        id,
        seq,
        sender,
        receiver,
        text: text.into_owned(),
        timestamp,
        delivered_at: delivered_at.or(read_at),
        read_at,
        edited_at,
        deleted_at,
        first_text,
        client_id: client_id.map(Cow::into_owned),
    })
}

/// Bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

fn digest(digits: &str) -> Option<TextDigest> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let mut bytes = [0; 16];
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(TextDigest::from_bytes(bytes))
}
