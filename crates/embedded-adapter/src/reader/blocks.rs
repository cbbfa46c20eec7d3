//! Who blocks whom, as the log's file has it.

use chat_ports::model::{Block, Timestamp, UserId};
use rusqlite::Row;

use super::Desk;
use crate::fault::Fault;

const BY: &str = "SELECT blocker, blocked, since FROM blocks WHERE blocker = ?1";
const OF: &str = "SELECT blocker, blocked, since FROM blocks WHERE blocker = ?1 AND blocked = ?2";
const AFTER: &str = "SELECT blocker, blocked, since FROM blocks WHERE (blocker, blocked) > (?1, ?2)
    ORDER BY blocker, blocked LIMIT ?3";

impl Desk {
    /// Everybody whom a user blocks.
    pub(crate) fn blocked_by(&mut self, blocker: UserId) -> Result<Vec<Block>, Fault> {
        let mut find = self.log()?.prepare_cached(BY)?;
        let blocks = find.query_map([blocker.bytes()], block_at)?;
        Ok(blocks.collect::<Result<_, _>>()?)
    }

    /// The blocks between a user and others, in either direction.
    pub(crate) fn blocks_between(&mut self, user: UserId, others: &[UserId]) -> Result<Vec<Block>, Fault> {
        let mut find = self.log()?.prepare_cached(OF)?;
        let mut found = Vec::new();
        for other in others {
            for pair in [(user, *other), (*other, user)] {
                let blocks = find.query_map((pair.0.bytes(), pair.1.bytes()), block_at)?;
                for block in blocks {
                    found.push(block?);
                }
            }
        }
        Ok(found)
    }

    /// The blocks after this one, by blocker, then blocked.
    pub(crate) fn blocks_after(
        &mut self,
        after: Option<(UserId, UserId)>,
        limit: u32,
    ) -> Result<Vec<Block>, Fault> {
        let pair = after.map(|(blocker, blocked)| (blocker.bytes(), blocked.bytes()));
        let (blocker, blocked) = pair.as_ref().map_or((&[][..], &[][..]), |(a, b)| (a, b));
        let mut find = self.log()?.prepare_cached(AFTER)?;
        let blocks = find.query_map((blocker, blocked, limit), block_at)?;
        Ok(blocks.collect::<Result<_, _>>()?)
    }
}

fn block_at(row: &Row<'_>) -> rusqlite::Result<Block> {
    Ok(Block {
        blocker: UserId::from_bytes(row.get(0)?),
        blocked: UserId::from_bytes(row.get(1)?),
        since: Timestamp::from_millis(row.get(2)?),
    })
}
