//! What a device says to a server and hears from it, and the JSON of both.

use serde::Deserialize;
use serde_json::{Value, json};

/// A message as the server shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its name.
    pub id: String,
    /// Its place in the conversation.
    pub seq: u64,
    /// Who wrote it.
    pub sender_id: String,
    /// To whom.
    pub receiver_id: String,
    /// The text; empty once it is deleted.
    #[serde(rename = "message")]
    pub text: String,
    /// Whether the receiver has read it.
    pub is_read: bool,
    /// The sender's own name for it.
    pub client_id: Option<String>,
    /// When it reached a device of the receiver.
    pub delivered_at: Option<String>,
    /// When it was last edited.
    pub edited_at: Option<String>,
    /// When it was deleted.
    pub deleted_at: Option<String>,
}

impl Message {
    /// The other side of the conversation, as `me` sees it.
    #[must_use]
    pub fn other(&self, me: &str) -> &str {
        if self.sender_id == me { &self.receiver_id } else { &self.sender_id }
    }
}

/// What a device asks for, always with an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Send a message.
    Send {
        /// To whom.
        to: String,
        /// The sender's own name for it.
        client_id: String,
        /// The text.
        text: String,
    },
    /// Give a message another text.
    Edit {
        /// Which.
        message: String,
        /// The new text.
        text: String,
    },
    /// Delete a message.
    Delete {
        /// Which.
        message: String,
    },
    /// Everything up to this message arrived, or was read.
    Receipt {
        /// Up to which.
        message: String,
        /// Whether it was read.
        read: bool,
    },
    /// Block somebody, or no longer.
    Block {
        /// Whom.
        user: String,
        /// Whether from now on.
        on: bool,
    },
    /// Tell somebody that one types.
    Typing {
        /// Whom.
        to: String,
    },
    /// What was missed.
    Sync {
        /// Since when; without it the cursor of now.
        since: Option<String>,
        /// Most events.
        limit: u32,
    },
    /// A page of a conversation.
    History {
        /// With whom.
        other: String,
        /// After which message; without it the newest.
        after: Option<String>,
        /// Before which message.
        before: Option<String>,
        /// Most messages.
        limit: u32,
    },
}

impl Request {
    /// The event's name.
    #[must_use]
    pub const fn event(&self) -> &'static str {
        match self {
            Self::Send { .. } => "private_message",
            Self::Edit { .. } => "edit_message",
            Self::Delete { .. } => "delete_message",
            Self::Receipt { read: true, .. } => "message_read",
            Self::Receipt { .. } => "message_delivered",
            Self::Block { on: true, .. } => "block_user",
            Self::Block { .. } => "unblock_user",
            Self::Typing { .. } => "typing",
            Self::Sync { .. } => "sync",
            Self::History { .. } => "get_chat_history",
        }
    }

    /// The event's argument.
    #[must_use]
    pub fn payload(&self) -> Value {
        match self {
            Self::Send { to, client_id, text } => {
                json!({ "receiverId": to, "clientId": client_id, "message": text })
            }
            Self::Edit { message, text } => json!({ "messageId": message, "message": text }),
            Self::Delete { message } | Self::Receipt { message, .. } => json!({ "messageId": message }),
            Self::Block { user, .. } => json!({ "userId": user }),
            Self::Typing { to } => json!({ "receiverId": to, "isTyping": true }),
            Self::Sync { since, limit } => with(json!({ "limit": limit }), "since", since.as_deref()),
            Self::History { other, after, before, limit } => {
                let payload = json!({ "otherUserId": other, "limit": limit });
                with(with(payload, "after", after.as_deref()), "before", before.as_deref())
            }
        }
    }

    /// Reads the acknowledgement of this request.
    ///
    /// # Errors
    /// What of it is not as the contract says.
    pub fn answer(&self, arguments: &str) -> Result<Answer, String> {
        let ack: Ack = chat_client::packets::first(arguments).map_err(|error| error.to_string())?;
        if !ack.ok {
            return ack.error.map(Answer::Refused).ok_or_else(|| "a refusal without an error".to_owned());
        }
        match self {
            Self::Send { .. } | Self::Edit { .. } => ack.message.map(Answer::Message).ok_or("no message"),
            Self::Sync { .. } => match (ack.events, ack.cursor, ack.complete) {
                (Some(events), Some(cursor), Some(complete)) => {
                    let messages = events.into_iter().map(|event| event.message).collect();
                    Ok(Answer::Changes { messages, cursor, complete })
                }
                _ => Err("no page of sync"),
            },
            Self::History { .. } => {
                ack.messages.map(|messages| Answer::Page { messages, next: ack.next }).ok_or("no messages")
            }
            Self::Delete { .. } | Self::Receipt { .. } | Self::Block { .. } | Self::Typing { .. } => {
                Ok(Answer::Done)
            }
        }
        .map_err(|what| format!("{what} in the acknowledgement of {}", self.event()))
    }
}

fn with(mut payload: Value, name: &str, value: Option<&str>) -> Value {
    if let (Some(fields), Some(value)) = (payload.as_object_mut(), value) {
        fields.insert(name.to_owned(), value.into());
    }
    payload
}

#[derive(Deserialize)]
struct Ack {
    ok: bool,
    error: Option<Refusal>,
    message: Option<Message>,
    messages: Option<Vec<Message>>,
    next: Option<String>,
    events: Option<Vec<Change>>,
    cursor: Option<String>,
    complete: Option<bool>,
}

#[derive(Deserialize)]
struct Change {
    message: Message,
}

/// What a request was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The message as it is now.
    Message(Message),
    /// It is done.
    Done,
    /// A page of what was missed.
    Changes {
        /// The messages as they are now.
        messages: Vec<Message>,
        /// Where to go on.
        cursor: String,
        /// Whether that is all for now.
        complete: bool,
    },
    /// A page of a conversation, oldest first.
    Page {
        /// The messages.
        messages: Vec<Message>,
        /// Where the following page begins.
        next: Option<String>,
    },
    /// It is not done, or nobody knows.
    Refused(Refusal),
}

/// A failure as the contract shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The code for programs.
    pub code: String,
    /// After which time it makes sense to try again.
    pub retry_after_ms: Option<u64>,
}

/// What a server tells a device without being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A message arrived, or was sent from another device.
    Arrived(Message),
    /// A message got another text.
    Edited(Message),
    /// A message was deleted.
    Deleted(String),
    /// A message was delivered, or read.
    Receipt {
        /// Which.
        message: String,
        /// Whether it was read.
        read: bool,
    },
    /// Something that has nothing to do with what is kept.
    Other,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    message_id: String,
}

impl Notice {
    /// Reads an event.
    ///
    /// # Errors
    /// What of it is not as the contract says.
    pub fn parse(name: &str, arguments: &str) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| format!("{name}: {error}");
        let message = || chat_client::packets::first::<Message>(arguments).map_err(wrong);
        let named = || chat_client::packets::first::<Named>(arguments).map_err(wrong);
        Ok(match name {
            "private_message" => Self::Arrived(message()?),
            "message_edited" => Self::Edited(message()?),
            "message_deleted" => Self::Deleted(named()?.message_id),
            "message_read" => Self::Receipt { message: named()?.message_id, read: true },
            "message_delivered" => Self::Receipt { message: named()?.message_id, read: false },
            _ => Self::Other,
        })
    }
}
