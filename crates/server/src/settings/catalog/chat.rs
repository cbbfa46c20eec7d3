//! Settings of accounts and of the chat itself.

use super::{Choice, HOUR_MS, Integer, Setting, Switch, Unit, choice, count, millis, switch};

pub(crate) static BCRYPT_COST: Integer =
    count("BCRYPT_COST", 12, 4, 15, "Each step doubles the work of a login, and of guessing passwords.");
pub(crate) static BCRYPT_THREADS: Integer = count(
    "BCRYPT_THREADS",
    0,
    0,
    64,
    "Threads that hash passwords, at low priority; 0 takes one a core, at most 4.",
);
pub(crate) static BCRYPT_QUEUE: Integer = count(
    "BCRYPT_QUEUE",
    1_024,
    1,
    100_000,
    "Passwords that may wait to be hashed; past it, and after `SEND_TIMEOUT_MS`, logins get `unavailable`.",
);
pub(crate) static TOKEN_TTL_SECONDS: Integer = Integer {
    name: "TOKEN_TTL_SECONDS",
    unit: Unit::Seconds,
    default: 86_400,
    min: 1,
    max: 10 * 365 * 86_400,
    about: "How long a token is good for.",
};
pub(crate) static USERS_LIST: Switch = switch("USERS_LIST", true, "Whether `GET /api/users` lists anybody.");
pub(crate) static SEND_TIMEOUT_MS: Integer =
    millis("SEND_TIMEOUT_MS", 5_000, 10, HOUR_MS, "How long a send may take, from its arrival.");
pub(crate) static PRESENCE_GRACE_MS: Integer = millis(
    "PRESENCE_GRACE_MS",
    3_000,
    0,
    HOUR_MS,
    "How long a user whose last link was lost still counts as online.",
);
pub(crate) static TYPING_TIMEOUT_MS: Integer =
    millis("TYPING_TIMEOUT_MS", 6_000, 100, HOUR_MS, "After how long of silence typing ends by itself.");
pub(crate) static EDIT_WINDOW_SECONDS: Integer = Integer {
    name: "EDIT_WINDOW_SECONDS",
    unit: Unit::Seconds,
    default: 86_400,
    min: 0,
    max: 10 * 365 * 86_400,
    about: "How long after it was sent a message may be edited by its sender.",
};
pub(crate) static PRESENCE_AUDIENCE: Choice = choice(
    "PRESENCE_AUDIENCE",
    &["everyone", "contacts"],
    "`everyone`",
    "Who hears of a user's presence: everybody, or those with a conversation in common. Never who blocks, or is blocked.",
);
pub(crate) static MAX_CONTACTS: Integer = count(
    "MAX_CONTACTS",
    1_000,
    1,
    10_000,
    "With `PRESENCE_AUDIENCE=contacts`: of how many, the most recent ones, a user hears.",
);
pub(crate) static CACHED_USERS: Integer = count(
    "CACHED_USERS",
    100_000,
    1,
    100_000_000,
    "Users whose existence and name are kept in memory, and pairs of whom it is known whether one blocks the other.",
);

pub(super) static CHAT: &[Setting] = &[
    Setting::Integer(&BCRYPT_COST),
    Setting::Integer(&BCRYPT_THREADS),
    Setting::Integer(&BCRYPT_QUEUE),
    Setting::Integer(&TOKEN_TTL_SECONDS),
    Setting::Switch(&USERS_LIST),
    Setting::Integer(&SEND_TIMEOUT_MS),
    Setting::Integer(&PRESENCE_GRACE_MS),
    Setting::Integer(&TYPING_TIMEOUT_MS),
    Setting::Integer(&EDIT_WINDOW_SECONDS),
    Setting::Choice(&PRESENCE_AUDIENCE),
    Setting::Integer(&MAX_CONTACTS),
    Setting::Integer(&CACHED_USERS),
];
