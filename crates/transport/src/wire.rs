//! The wire mapping: how what the domain says is written as JSON, and how requests are read.
//!
//! Written by hand onto a byte buffer, because a message is written on the hot path and nothing here needs
//! a value tree. Each aggregate is taken apart exhaustively, so that a new field breaks the build here.

mod cursor;
mod error;
mod json;
mod params;
mod reading;
mod request;

#[cfg(any(test, fuzzing))]
pub(crate) use cursor::conversation_cursor;
pub(crate) use cursor::{parse_conversation_cursor, parse_user_cursor, user_cursor};
pub(crate) use error::{error_body, write_error};
pub(crate) use json::{
    acknowledgement, event, messages_capacity, open_event, write_blocked, write_conversations, write_grant,
    write_history, write_id, write_message, write_number, write_profile, write_string, write_sync,
    write_users,
};
pub(crate) use params::{HistoryParams, ListParams, ListUsersQuery, LoginBody, RegisterBody};
pub(crate) use reading::{parse_body, parse_id, parse_query};
pub(crate) use request::{EventRequest, OtherRequest, SendRequest, parse_request};
