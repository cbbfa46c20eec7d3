//! Settings of what input may be: one for each field of [`chat_domain::model::Limits`].

use super::{Integer, Setting, bytes, chars, count};

pub(crate) static MIN_USERNAME_CHARS: Integer = chars("MIN_USERNAME_CHARS", 3, 1, 254, "Shortest username.");
pub(crate) static MAX_USERNAME_CHARS: Integer = chars("MAX_USERNAME_CHARS", 32, 1, 254, "Longest username.");
pub(crate) static MAX_EMAIL_CHARS: Integer = chars("MAX_EMAIL_CHARS", 254, 3, 254, "Longest e-mail address.");
pub(crate) static MIN_PASSWORD_BYTES: Integer =
    bytes("MIN_PASSWORD_BYTES", 8, 1, 72, "Shortest new password.");
pub(crate) static MAX_PASSWORD_BYTES: Integer =
    bytes("MAX_PASSWORD_BYTES", 72, 1, 72, "Longest new password; bcrypt reads no more than 72 bytes.");
pub(crate) static MAX_MESSAGE_CHARS: Integer =
    chars("MAX_MESSAGE_CHARS", 4_000, 1, 1_000_000, "Longest message, in Unicode scalar values.");
pub(crate) static MAX_CLIENT_ID_CHARS: Integer =
    chars("MAX_CLIENT_ID_CHARS", 64, 1, 1_024, "Longest `clientId`.");
pub(crate) static DEFAULT_PAGE_ITEMS: Integer =
    count("DEFAULT_PAGE_ITEMS", 50, 1, 10_000, "Items of a page when the client names no number.");
pub(crate) static MAX_PAGE_ITEMS: Integer = count("MAX_PAGE_ITEMS", 100, 1, 10_000, "Most items of a page.");
pub(crate) static MAX_PAGE_BYTES: Integer =
    bytes("MAX_PAGE_BYTES", 262_144, 1_024, 1 << 30, "Bytes of message text after which a page ends early.");
pub(crate) static MAX_UNREAD_COUNT: Integer =
    count("MAX_UNREAD_COUNT", 100, 1, 1_000_000, "Where counting unread messages stops.");
pub(crate) static MAX_RECEIPT_EVENTS: Integer = count(
    "MAX_RECEIPT_EVENTS",
    100,
    1,
    100_000,
    "Most `message_read` or `message_delivered` events that one receipt causes.",
);
pub(crate) static DEFAULT_SYNC_EVENTS: Integer = count(
    "DEFAULT_SYNC_EVENTS",
    100,
    1,
    10_000,
    "Events of a page of `sync` when the client names no number.",
);
pub(crate) static MAX_SYNC_EVENTS: Integer =
    count("MAX_SYNC_EVENTS", 500, 1, 10_000, "Most events of a page of `sync`.");
pub(crate) static MAX_BLOCKED_USERS: Integer =
    count("MAX_BLOCKED_USERS", 1_000, 1, 100_000, "Most users whom one may block.");

pub(super) static LIMITS: &[Setting] = &[
    Setting::Integer(&MIN_USERNAME_CHARS),
    Setting::Integer(&MAX_USERNAME_CHARS),
    Setting::Integer(&MAX_EMAIL_CHARS),
    Setting::Integer(&MIN_PASSWORD_BYTES),
    Setting::Integer(&MAX_PASSWORD_BYTES),
    Setting::Integer(&MAX_MESSAGE_CHARS),
    Setting::Integer(&MAX_CLIENT_ID_CHARS),
    Setting::Integer(&DEFAULT_PAGE_ITEMS),
    Setting::Integer(&MAX_PAGE_ITEMS),
    Setting::Integer(&MAX_PAGE_BYTES),
    Setting::Integer(&MAX_UNREAD_COUNT),
    Setting::Integer(&MAX_RECEIPT_EVENTS),
    Setting::Integer(&DEFAULT_SYNC_EVENTS),
    Setting::Integer(&MAX_SYNC_EVENTS),
    Setting::Integer(&MAX_BLOCKED_USERS),
];
