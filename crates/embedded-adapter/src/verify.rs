//! Checks that what is derived says the same as the messages, and that the log goes on where they end.

use std::path::Path;

use rusqlite::Connection;

use crate::{
    OpenError,
    fault::Fault,
    files::{Paths, fault_error},
    record::Entry,
    sqlite::{self, Role},
    tables, writer,
};

/// What each question says if its count is not zero.
const QUESTIONS: [(&str, &str); 12] = [
    (
        "conversations have gaps in their numbers",
        "SELECT count(*) FROM (SELECT 1 FROM messages GROUP BY k >> 32
         HAVING min(k & 4294967295) <> 1 OR max(k & 4294967295) <> count(*))",
    ),
    (
        "messages have a wrong place among their sender's",
        "SELECT count(*) FROM (SELECT nth, prev,
             row_number() OVER side AS expected, lag(k & 4294967295, 1, 0) OVER side AS before
             FROM messages WINDOW side AS (PARTITION BY k >> 32, side ORDER BY k))
         WHERE nth <> expected OR prev <> before",
    ),
    (
        "messages stand before an earlier log entry",
        "SELECT count(*) FROM (SELECT n, lag(n, 1, 0) OVER (PARTITION BY k >> 32 ORDER BY k) AS before FROM messages)
         WHERE n <= before",
    ),
    (
        "conversations have no pair on their first message, or a later one",
        "SELECT count(*) FROM messages WHERE (pair IS NOT NULL) <> (k & 4294967295 = 1)",
    ),
    (
        "messages are not found by their ids",
        "SELECT (SELECT count(*) FROM messages m LEFT JOIN ids i ON i.id = m.id WHERE i.k IS NOT m.k)
             + (SELECT abs((SELECT count(*) FROM ids) - (SELECT count(*) FROM messages)))",
    ),
    (
        "messages are not found by their senders' names",
        "SELECT (SELECT count(*) FROM messages m LEFT JOIN dedup d
                 ON d.conv = (m.k >> 32 << 1 | m.side) AND d.client_id = m.client_id
                 WHERE m.client_id IS NOT NULL AND d.seq IS NOT (m.k & 4294967295))
             + (SELECT abs((SELECT count(*) FROM dedup) - (SELECT count(client_id) FROM messages)))",
    ),
    (
        "conversations disagree with their messages",
        "SELECT (SELECT count(*) FROM conversations c LEFT JOIN (
                 SELECT k >> 32 AS cid, max(k) AS k, count(*) FILTER (WHERE side = 0) AS low,
                     count(*) FILTER (WHERE side = 1) AS high, max(k & 4294967295) FILTER (WHERE side = 0) AS low_last,
                     max(k & 4294967295) FILTER (WHERE side = 1) AS high_last, max(pair) AS pair
                 FROM messages GROUP BY k >> 32) m ON m.cid = c.cid LEFT JOIN messages l ON l.k = m.k
             WHERE m.pair IS NOT c.pair OR m.low IS NOT c.low_sent OR m.high IS NOT c.high_sent
                 OR c.last IS NOT (m.k & 4294967295) OR coalesce(m.low_last, 0) <> c.low_last
                 OR coalesce(m.high_last, 0) <> c.high_last OR l.id IS NOT c.id OR l.timestamp IS NOT c.timestamp)
             + (SELECT abs((SELECT count(*) FROM conversations)
                 - (SELECT count(*) FROM messages WHERE k & 4294967295 = 1)))",
    ),
    (
        "conversations disagree with their readings",
        // Up to the last row everything is read but what the rows call unread: `schema::UNMARKED`.
        "SELECT count(*) FROM (SELECT *, (cid << 1 | reader) << 32 AS side FROM (
                 SELECT cid, 0 AS reader, low_read AS upto, low_read_nth AS nth FROM conversations
                 UNION ALL SELECT cid, 1, high_read, high_read_nth FROM conversations)) c
         LEFT JOIN messages m ON m.k = (c.cid << 32 | c.upto)
         WHERE (c.upto > 0 AND m.side IS NOT 1 - c.reader)
             OR c.upto <> coalesce((SELECT max(r.k) & 4294967295 FROM reads r
                 WHERE r.k BETWEEN c.side AND (c.side | c.upto)), 0)
             OR EXISTS (SELECT 1 FROM reads r
                 WHERE r.k BETWEEN c.side AND (c.side | c.upto) AND r.at = -9223372036854775808)
             OR c.nth <> coalesce((SELECT nth FROM messages WHERE k = (c.cid << 32 | (
                     SELECT max(r.k) & 4294967295 FROM reads r
                     WHERE r.k BETWEEN c.side AND (c.side | 4294967295)))), 0)
                 - (SELECT count(*) FROM reads r
                     WHERE r.k BETWEEN c.side AND (c.side | 4294967295) AND r.at = -9223372036854775808)",
    ),
    (
        "conversations disagree with their deliveries",
        "SELECT count(*) FROM (SELECT *, (cid << 1 | receiver) << 32 AS side FROM (
                 SELECT cid, 0 AS receiver, low_got AS upto, low_got_nth AS nth FROM conversations
                 UNION ALL SELECT cid, 1, high_got, high_got_nth FROM conversations)) c
         LEFT JOIN messages m ON m.k = (c.cid << 32 | c.upto)
         WHERE (c.upto > 0 AND m.side IS NOT 1 - c.receiver)
             OR c.upto <> coalesce((SELECT max(r.k) & 4294967295 FROM deliveries r
                 WHERE r.k BETWEEN c.side AND (c.side | c.upto)), 0)
             OR EXISTS (SELECT 1 FROM deliveries r
                 WHERE r.k BETWEEN c.side AND (c.side | c.upto) AND r.at = -9223372036854775808)
             OR c.nth <> coalesce((SELECT nth FROM messages WHERE k = (c.cid << 32 | (
                     SELECT max(r.k) & 4294967295 FROM deliveries r
                     WHERE r.k BETWEEN c.side AND (c.side | 4294967295)))), 0)
                 - (SELECT count(*) FROM deliveries r
                     WHERE r.k BETWEEN c.side AND (c.side | 4294967295) AND r.at = -9223372036854775808)",
    ),
    (
        "changes name no message",
        "SELECT count(*) FROM changes c LEFT JOIN messages m ON m.k = (c.cid << 32 | c.last)
         WHERE m.k IS NULL OR c.first > c.last OR m.side <> (c.side & 1)",
    ),
    (
        "lists disagree with their conversations",
        "SELECT (SELECT count(*) FROM inbox i LEFT JOIN conversations c ON c.cid = i.cid
                 WHERE c.id IS NOT i.id OR c.timestamp IS NOT i.timestamp
                     OR i.user NOT IN (substr(c.pair, 1, 12), substr(c.pair, 13, 12)))
             + (SELECT abs((SELECT count(*) FROM inbox) - 2 * (SELECT count(*) FROM conversations)
                 + (SELECT count(*) FROM conversations WHERE substr(pair, 1, 12) = substr(pair, 13, 12))))",

    ),
    (
        "messages are past the last entry that was swept",
        "SELECT count(*) FROM messages WHERE n > (SELECT value FROM meta WHERE name = 'mark')",
    ),
];

/// Checks a store that nobody has open: whether its files are whole, its derived tables say the
/// same as its messages, and its log goes on where they end. Returns what is wrong, one line each.
/// Takes some seconds a million messages.
///
/// # Errors
/// A file can't be read at all.
pub fn verify(dir: &Path) -> Result<Vec<String>, OpenError> {
    let paths = Paths::new(dir.to_owned());
    let open = |path: &Path| {
        let connection = sqlite::open(path, Role::Reader, None);
        let connection = connection.and_then(|opened| sqlite::sort_on_disk(&opened).map(|()| opened));
        connection.map_err(|error| fault_error(path, error.into()))
    };
    let (tables, log) = (open(&paths.tables())?, open(&paths.log())?);
    let mut problems = tables_problems(&tables).map_err(|fault| fault_error(&paths.tables(), fault))?;
    problems.extend(log_problems(&log, &tables).map_err(|fault| fault_error(&paths.log(), fault))?);
    Ok(problems)
}

fn tables_problems(tables: &Connection) -> Result<Vec<String>, Fault> {
    let mut problems = integrity(tables, "tables.db")?;
    for (problem, question) in QUESTIONS {
        let count: i64 = tables.query_row(question, [], |row| row.get(0))?;
        if count != 0 {
            problems.push(format!("tables.db: {count} {problem}"));
        }
    }
    Ok(problems)
}

fn log_problems(log: &Connection, tables: &Connection) -> Result<Vec<String>, Fault> {
    let mut problems = integrity(log, "log.db")?;
    let mark = tables::mark(tables)?;
    let Some((mut expected, last)) = writer::bounds(log)? else { return Ok(problems) };
    if expected > mark + 1 {
        problems.push(format!("log.db: begins at entry {expected}, but tables.db ends at {mark}"));
    }
    if last < mark {
        problems.push(format!("log.db: ends at entry {last}, but tables.db at {mark}"));
    }
    let mut statement = log.prepare("SELECT n, entry FROM entries ORDER BY n")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let n = row.get::<_, i64>(0)?.cast_unsigned();
        if n != expected {
            problems.push(format!("log.db: entries {expected} to {} are missing", n - 1));
        }
        if let Err(fault) = Entry::decode(n, &row.get::<_, Vec<u8>>(1)?) {
            problems.push(format!("log.db: {fault}"));
        }
        expected = n + 1;
    }
    Ok(problems)
}

fn integrity(connection: &Connection, file: &str) -> Result<Vec<String>, Fault> {
    let mut check = connection.prepare("PRAGMA integrity_check")?;
    let lines = check.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").map(|line| format!("{file}: {line}")).collect())
}
