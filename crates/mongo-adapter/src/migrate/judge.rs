//! What becomes of one document of an older application: pure decisions.

use std::fmt;

use bson::{RawBsonRef, RawDocument, oid::ObjectId};
use chat_ports::model::fold;

/// A message that is to be numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unnumbered {
    pub(super) id: ObjectId,
    pub(super) sender: ObjectId,
    /// Milliseconds since 1970.
    pub(super) timestamp: i64,
    /// Whether it says if it was read.
    pub(super) has_is_read: bool,
}

/// What a message is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It can be numbered.
    Fit(Unnumbered),
    /// It can once it has a timestamp, which its id tells.
    Undated(ObjectId),
    /// It is left alone.
    Odd(Oddity),
}

/// Why a document is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Oddity {
    /// `_id` is no ObjectId.
    Id,
    /// The sender is missing or no ObjectId.
    Sender,
    /// The receiver is missing or no ObjectId.
    Receiver,
    /// The timestamp is there and no date.
    Timestamp,
    /// The text is missing or no text.
    Text,
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => "an _id that is no ObjectId",
            Self::Sender => "no sender, or one that is no ObjectId",
            Self::Receiver => "no receiver, or one that is no ObjectId",
            Self::Timestamp => "a timestamp that is no date",
            Self::Text => "no text",
        })
    }
}

/// Judges a message by the fields that are looked at; its text is the query's business.
pub(super) fn judge(document: &RawDocument) -> Verdict {
    let id = |field: &str| match document.get(field) {
        Ok(Some(RawBsonRef::ObjectId(id))) => Some(id),
        _ => None,
    };
    let Some(own) = id("_id") else { return Verdict::Odd(Oddity::Id) };
    let Some(sender) = id("sender") else { return Verdict::Odd(Oddity::Sender) };
    if id("receiver").is_none() {
        return Verdict::Odd(Oddity::Receiver);
    }
    match document.get("timestamp") {
        Ok(Some(RawBsonRef::DateTime(at))) => Verdict::Fit(Unnumbered {
            id: own,
            sender,
            timestamp: at.timestamp_millis(),
            has_is_read: matches!(document.get("isRead"), Ok(Some(value)) if value != RawBsonRef::Null),
        }),
        Ok(None | Some(RawBsonRef::Null)) => Verdict::Undated(own),
        Ok(Some(_)) | Err(_) => Verdict::Odd(Oddity::Timestamp),
    }
}

/// An account that is to get its folded names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unfolded {
    pub(super) id: ObjectId,
    pub(super) username: String,
    pub(super) email: String,
}

impl Unfolded {
    /// Reads the names of an account; `None` if it is none.
    pub(super) fn read(document: &RawDocument) -> Option<Self> {
        let id = document.get_object_id("_id").ok()?;
        let text = |field| document.get_str(field).ok().map(fold);
        Some(Self { id, username: text("username")?, email: text("email")? })
    }
}
