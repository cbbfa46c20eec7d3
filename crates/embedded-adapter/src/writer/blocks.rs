//! Who blocks whom: written in the same group commit as the log's entries.

use chat_ports::{ArchiveError, BlockChange, BlockError, model::Block};
use rusqlite::{Connection, OptionalExtension};

use crate::fault::Fault;

const FIND: &str = "SELECT since FROM blocks WHERE blocker = ?1 AND blocked = ?2";
const COUNT: &str = "SELECT count(*) FROM blocks WHERE blocker = ?1";
const INSERT: &str = "INSERT INTO blocks (blocker, blocked, since) VALUES (?1, ?2, ?3)";
const DELETE: &str = "DELETE FROM blocks WHERE blocker = ?1 AND blocked = ?2";

/// Makes a block, or takes it back, inside the open transaction. The outer error is the log's, the inner one the
/// caller's.
pub(super) fn change(log: &Connection, change: &BlockChange) -> Result<Result<bool, BlockError>, Fault> {
    let BlockChange { blocker, blocked, blocks, at, most } = change;
    let pair = (blocker.bytes(), blocked.bytes());
    if !blocks {
        return Ok(Ok(log.prepare_cached(DELETE)?.execute(pair)? > 0));
    }
    if since(log, pair)?.is_some() {
        return Ok(Ok(false));
    }
    let standing: u32 = log.prepare_cached(COUNT)?.query_row([pair.0], |row| row.get(0))?;
    if standing >= *most {
        return Ok(Err(BlockError::TooMany));
    }
    log.prepare_cached(INSERT)?.execute((pair.0, pair.1, at.millis()))?;
    Ok(Ok(true))
}

/// Puts blocks as they are inside the open transaction, up to the first that stands there otherwise.
pub(super) fn put(log: &Connection, blocks: &[Block]) -> Result<Result<(), ArchiveError>, Fault> {
    for Block { blocker, blocked, since: at } in blocks {
        let pair = (blocker.bytes(), blocked.bytes());
        match since(log, pair)? {
            Some(there) if there == at.millis() => {}
            Some(_) => {
                let id = format!("{blocker}:{blocked}");
                return Ok(Err(ArchiveError::Differs { collection: "blocks", id, field: "since" }));
            }
            None => drop(log.prepare_cached(INSERT)?.execute((pair.0, pair.1, at.millis()))?),
        }
    }
    Ok(Ok(()))
}

fn since(log: &Connection, pair: ([u8; 12], [u8; 12])) -> Result<Option<i64>, Fault> {
    Ok(log.prepare_cached(FIND)?.query_row(pair, |row| row.get(0)).optional()?)
}
