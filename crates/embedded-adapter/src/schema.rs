//! The two files' identities and tables.

/// What `log.db` says of itself in `application_id`: "ChLg".
pub(crate) const LOG_ID: i32 = 0x4368_4c67;
/// What `tables.db` says of itself: "ChTb".
pub(crate) const TABLES_ID: i32 = 0x4368_5462;
/// What a backup says of itself: "ChBk".
pub(crate) const BACKUP_ID: i32 = 0x4368_426b;
/// The format of all three, in `user_version`.
pub(crate) const FORMAT: i32 = 2;

/// What `deliveries.at` and `reads.at` say of a message that is not delivered, or not read.
pub(crate) const UNMARKED: i64 = i64::MIN;

/// In every file. `store` are the 16 bytes that the two files of a store share; `mark`, in
/// `tables.db`, is the number of the last entry that was swept; `complete`, in `tables.db`, is there
/// since the log was made as well.
pub(crate) const META: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
";

/// `log.db`: the entries that are not pruned yet, and what is not message traffic.
pub(crate) const LOG: &str = "
CREATE TABLE entries (n INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT;
CREATE TABLE users (
    id BLOB PRIMARY KEY,
    username TEXT NOT NULL,
    username_folded TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    is_online INTEGER NOT NULL DEFAULT 0,
    last_seen INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX users_online ON users (id) WHERE is_online = 1;
CREATE TABLE blocks (
    blocker BLOB NOT NULL,
    blocked BLOB NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (blocker, blocked)
) STRICT, WITHOUT ROWID;
";

/// `log.db`, made where it is missing: the starts of the store, in their order, each with the number of the first entry after it.
pub(crate) const STARTS: &str = "
CREATE TABLE IF NOT EXISTS starts (nth INTEGER PRIMARY KEY, id INTEGER NOT NULL, first INTEGER NOT NULL) STRICT;
";

/// `tables.db`, the truth of what is pruned from the log.
///
/// `messages.k` is the conversation's number times 2^32, plus `seq`: integer keys make the cheapest
/// B-tree, a page is a range, and full-text search can refer to a row. `n` is the log entry that it
/// came by, `side` who wrote it (0: the smaller id), `nth` its place among that side's messages,
/// `prev` the `seq` of the one before it, `pair` both users' ids, on the first message of a
/// conversation only.
///
/// `reads.k` is (the conversation's number times 2, plus the reader's side) times 2^32, plus the
/// `seq` up to which that side has read since `at`: one row a reading, however many messages it
/// read. Where messages were moved in of which some were read past unread ones, each of them from the first
/// unread one to the last one read has a row, with [`UNMARKED`] for `at` until it is read. `deliveries` is the same of
/// what reached one of the side's devices; what is read has.
pub(crate) const TRUTH: &str = "
CREATE TABLE messages (
    k INTEGER PRIMARY KEY,
    n INTEGER NOT NULL,
    id BLOB NOT NULL,
    side INTEGER NOT NULL,
    nth INTEGER NOT NULL,
    prev INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    client_id TEXT,
    text TEXT NOT NULL,
    pair BLOB,
    edited_at INTEGER,
    deleted_at INTEGER,
    first_text BLOB
) STRICT;
CREATE TABLE reads (k INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
CREATE TABLE deliveries (k INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
";

/// `tables.db`, what can be made again from the truth.
///
/// `conversations` has the numbers of [`ConversationState`](crate::state::ConversationState) and
/// the last message's `timestamp` and `id`; `inbox` the same two for each of both users, for their
/// lists; `dedup.conv` is the conversation's number times 2, plus the sender's side. `conversations.n` is the
/// last entry that concerned it. `changes` has what concerned messages that stood there already: by entry `n` the first and the last `seq`,
/// and `side`: in the lowest bit who wrote them, above it what became of
/// them ([`Touch`](crate::overlay::Touch)), for what users have missed since a position.
pub(crate) const DERIVED: &str = "
CREATE TABLE conversations (
    cid INTEGER PRIMARY KEY,
    pair BLOB NOT NULL UNIQUE,
    timestamp INTEGER NOT NULL,
    id BLOB NOT NULL,
    last INTEGER NOT NULL,
    low_sent INTEGER NOT NULL,
    low_last INTEGER NOT NULL,
    low_read INTEGER NOT NULL,
    low_read_nth INTEGER NOT NULL,
    high_sent INTEGER NOT NULL,
    high_last INTEGER NOT NULL,
    high_read INTEGER NOT NULL,
    high_read_nth INTEGER NOT NULL,
    low_got INTEGER NOT NULL DEFAULT 0,
    low_got_nth INTEGER NOT NULL DEFAULT 0,
    high_got INTEGER NOT NULL DEFAULT 0,
    high_got_nth INTEGER NOT NULL DEFAULT 0,
    n INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE changes (
    cid INTEGER NOT NULL,
    n INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    side INTEGER NOT NULL,
    PRIMARY KEY (cid, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE inbox (
    user BLOB NOT NULL,
    timestamp INTEGER NOT NULL,
    id BLOB NOT NULL,
    cid INTEGER NOT NULL,
    PRIMARY KEY (user, timestamp, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE ids (id BLOB PRIMARY KEY, k INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE dedup (
    conv INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (conv, client_id)
) STRICT, WITHOUT ROWID;
";

/// The tables that hold the truth: damage in them loses messages.
pub(crate) const TRUTH_TABLES: [&str; 4] = ["meta", "messages", "reads", "deliveries"];
/// The tables that are rebuilt when they are damaged.
pub(crate) const DERIVED_TABLES: [&str; 5] = ["conversations", "inbox", "ids", "dedup", "changes"];
