//! Settings of connections: origins, heartbeat, deadlines and bounds.

use super::{HOUR_MS, Integer, Setting, Switch, Text, bytes, count, millis, switch, text};

/// Larger buffers than this are surely a slip of the pen.
const GIB: u64 = 1 << 30;

pub(crate) static CORS_ORIGINS: Text = text(
    "CORS_ORIGINS",
    "origins with commas between, or `*`",
    "the own origin, and any on localhost in development",
    "From which origins browsers may come, beside the server's own (`https://app.example.org`).",
);
pub(crate) static QUERY_TOKEN: Switch =
    switch("QUERY_TOKEN", false, "Whether a `?token=` on the handshake counts. It lands in logs of proxies.");
pub(crate) static PING_INTERVAL_MS: Integer =
    millis("PING_INTERVAL_MS", 25_000, 100, HOUR_MS, "How often the server pings.");
pub(crate) static PING_TIMEOUT_MS: Integer =
    millis("PING_TIMEOUT_MS", 20_000, 100, HOUR_MS, "How long it waits for the pong.");
pub(crate) static CONNECT_TIMEOUT_MS: Integer = millis(
    "CONNECT_TIMEOUT_MS",
    10_000,
    100,
    HOUR_MS,
    "How long a session may take to join a namespace, to finish an upgrade, to deliver attachments.",
);
pub(crate) static HEADER_TIMEOUT_MS: Integer =
    millis("HEADER_TIMEOUT_MS", 10_000, 100, HOUR_MS, "How long each request's head may take to come in.");
pub(crate) static BODY_TIMEOUT_MS: Integer = millis(
    "BODY_TIMEOUT_MS",
    30_000,
    100,
    HOUR_MS,
    "How long a request's body may take to come in, and an HTTP client to take anything of its answer.",
);
pub(crate) static MAX_BODY_BYTES: Integer =
    bytes("MAX_BODY_BYTES", 65_536, 1_024, GIB, "Most bytes of a REST body.");
pub(crate) static MAX_PAYLOAD_BYTES: Integer = bytes(
    "MAX_PAYLOAD_BYTES",
    1_000_000,
    1_024,
    GIB,
    "Most bytes of a packet, and of all attachments of an event together.",
);
pub(crate) static MAX_ATTACHMENTS: Integer =
    count("MAX_ATTACHMENTS", 10, 0, 1_000, "Most binary attachments of an event.");
pub(crate) static MAX_ARGS: Integer = count("MAX_ARGS", 16, 1, 1_000, "Most arguments of an event.");
pub(crate) static MAX_DEPTH: Integer = count("MAX_DEPTH", 128, 2, 128, "Deepest nesting of an event's JSON.");
pub(crate) static INCOMING_BYTES: Integer = bytes(
    "INCOMING_BYTES",
    8 * 1024 * 1024,
    1024 * 1024,
    1 << 40,
    "What all clients together may have sent of bodies, messages and attachments that are not whole yet, beyond 8 KiB each; past it whoever has sent most is closed, and comes back.",
);
pub(crate) static OUTGOING_BYTES: Integer = bytes(
    "OUTGOING_BYTES",
    24 * 1024 * 1024,
    1024 * 1024,
    1 << 40,
    "What all clients together may leave unread, beyond 8 KiB each; past it whoever left most is closed as slow.",
);
pub(crate) static OUTBOX_BYTES: Integer = bytes(
    "OUTBOX_BYTES",
    1_048_576,
    16_384,
    GIB,
    "Most bytes that wait for one socket; past them it is closed as slow.",
);
pub(crate) static MAX_SOCKETS_PER_USER: Integer =
    count("MAX_SOCKETS_PER_USER", 50, 1, 1_000_000, "Most sockets of one user; one more is refused.");
pub(crate) static MAX_SOCKETS_PER_ADDRESS: Integer = count(
    "MAX_SOCKETS_PER_ADDRESS",
    10_000,
    1,
    10_000_000,
    "Most open sessions of one address, an IPv6 one by its /64; the handshake of one more gets 429.",
);
pub(crate) static TRUSTED_PROXIES: Text = text(
    "TRUSTED_PROXIES",
    "addresses and networks with commas between",
    "unset",
    "Proxies whose `X-Forwarded-For` tells the client's address (`10.0.0.0/8, ::1`); unset: whoever connects is the client.",
);
pub(crate) static RECOVERY_WINDOW_MS: Integer = millis(
    "RECOVERY_WINDOW_MS",
    120_000,
    0,
    HOUR_MS,
    "How long after its link broke a session can be recovered by clients that know how; 0: never.",
);
pub(crate) static MAX_SENDS_IN_FLIGHT: Integer = count(
    "MAX_SENDS_IN_FLIGHT",
    64,
    1,
    65_536,
    "Sends of one socket that may be on their way to the store at once.",
);
pub(crate) static MAX_QUEUED_EVENTS: Integer = count(
    "MAX_QUEUED_EVENTS",
    512,
    1,
    1_000_000,
    "Events of one socket that wait their turn; past them it is not read.",
);

pub(super) static WIRE: &[Setting] = &[
    Setting::Text(&CORS_ORIGINS),
    Setting::Text(&TRUSTED_PROXIES),
    Setting::Switch(&QUERY_TOKEN),
    Setting::Integer(&PING_INTERVAL_MS),
    Setting::Integer(&PING_TIMEOUT_MS),
    Setting::Integer(&CONNECT_TIMEOUT_MS),
    Setting::Integer(&HEADER_TIMEOUT_MS),
    Setting::Integer(&BODY_TIMEOUT_MS),
    Setting::Integer(&MAX_BODY_BYTES),
    Setting::Integer(&MAX_PAYLOAD_BYTES),
    Setting::Integer(&MAX_ATTACHMENTS),
    Setting::Integer(&MAX_ARGS),
    Setting::Integer(&MAX_DEPTH),
    Setting::Integer(&OUTBOX_BYTES),
    Setting::Integer(&INCOMING_BYTES),
    Setting::Integer(&OUTGOING_BYTES),
    Setting::Integer(&MAX_SOCKETS_PER_USER),
    Setting::Integer(&MAX_SOCKETS_PER_ADDRESS),
    Setting::Integer(&RECOVERY_WINDOW_MS),
    Setting::Integer(&MAX_SENDS_IN_FLIGHT),
    Setting::Integer(&MAX_QUEUED_EVENTS),
];
