//! Settings of the process: where it listens, what it keeps, what it logs, how it ends.

use super::{Choice, HOUR_MS, Integer, Setting, Text, choice, count, millis, text};

pub(crate) static APP_ENV: Choice = choice(
    "APP_ENV",
    &["development", "production"],
    "`development`",
    "Where it runs. In production a secret must be given, and logs are JSON. Wins over `NODE_ENV`.",
);
pub(crate) static NODE_ENV: Choice =
    choice("NODE_ENV", &["development", "production"], "unset", "The seed's name of `APP_ENV`.");
pub(crate) static HOST: Text = text("HOST", "address or name", "`0.0.0.0`", "The address to listen on.");
pub(crate) static PORT: Integer =
    count("PORT", 5_000, 0, 65_535, "The port to listen on; 0 takes a free one and logs it.");
pub(crate) static TLS_CERT: Text = text(
    "TLS_CERT",
    "PEM file",
    "unset: plain HTTP",
    "The certificate, behind it those that vouch for it; with it and `TLS_KEY` the server speaks TLS. Both are read again when they change, and on SIGHUP.",
);
pub(crate) static TLS_KEY: Text =
    text("TLS_KEY", "PEM file", "unset: plain HTTP", "The certificate's private key.");
pub(crate) static DATA_DIR: Text = text(
    "DATA_DIR",
    "folder",
    "`./data`",
    "The folder of the embedded store, the kept secret and the control socket.",
);
pub(crate) static MONGODB_URI: Text = Text {
    name: "MONGODB_URI",
    form: "`mongodb://…/database` or `mongodb+srv://…/database`",
    default: "unset: the embedded store",
    secret: true,
    about: "The MongoDB (4.4 or newer) and the database that hold everything; see docs/mongodb.md.",
};
pub(crate) static JWT_SECRET: Text = Text {
    name: "JWT_SECRET",
    form: "at least 32 bytes in production",
    default: "made once and kept in `DATA_DIR` (development); none (production)",
    secret: true,
    about: "What tokens are signed with. `chat-server gen-secret` makes one.",
};
pub(crate) static WORKERS: Integer =
    count("WORKERS", 0, 0, 1_024, "Threads that serve connections; 0 takes one a core.");
pub(crate) static MAX_CONNECTIONS: Integer = count(
    "MAX_CONNECTIONS",
    200_000,
    1,
    10_000_000,
    "Most connections at once; past it further ones wait to be accepted.",
);
pub(crate) static LOG_FORMAT: Choice = choice(
    "LOG_FORMAT",
    &["pretty", "json"],
    "`pretty` (development); `json` (production)",
    "Log lines for people, or one JSON object a line.",
);
pub(crate) static LOG_LEVEL: Choice = choice(
    "LOG_LEVEL",
    &["error", "warn", "info", "debug", "trace", "off"],
    "`info`",
    "The least severe level that is logged.",
);
pub(crate) static RUST_LOG: Text = text(
    "RUST_LOG",
    "directives of tracing's `EnvFilter`",
    "unset",
    "Levels by module (`info,chat_transport=debug`); wins over `LOG_LEVEL`.",
);
pub(crate) static DRAIN_GRACE_MS: Integer = millis(
    "DRAIN_GRACE_MS",
    1_000,
    0,
    HOUR_MS,
    "How long after the signal connections are still accepted, with `/ready` at 503.",
);
pub(crate) static DRAIN_DEADLINE_MS: Integer = millis(
    "DRAIN_DEADLINE_MS",
    10_000,
    100,
    HOUR_MS,
    "How long after the signal the process ends at the latest; more than `DRAIN_GRACE_MS`.",
);

pub(super) static PROCESS: &[Setting] = &[
    Setting::Choice(&APP_ENV),
    Setting::Choice(&NODE_ENV),
    Setting::Text(&HOST),
    Setting::Integer(&PORT),
    Setting::Text(&TLS_CERT),
    Setting::Text(&TLS_KEY),
    Setting::Text(&DATA_DIR),
    Setting::Text(&MONGODB_URI),
    Setting::Text(&JWT_SECRET),
    Setting::Integer(&WORKERS),
    Setting::Integer(&MAX_CONNECTIONS),
    Setting::Choice(&LOG_FORMAT),
    Setting::Choice(&LOG_LEVEL),
    Setting::Text(&RUST_LOG),
    Setting::Integer(&DRAIN_GRACE_MS),
    Setting::Integer(&DRAIN_DEADLINE_MS),
];
