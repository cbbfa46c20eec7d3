//! The starts of a store: a folder that was put back as it was earlier goes on with numbers that entries had already which it lost. So a
//! position also says under which start it was given out, and is good up to where the start after that began.

use std::io;

use rusqlite::Connection;

use crate::{fault::Fault, schema};

/// How many starts are known, the newest: who has not come since an older one begins anew.
const KEPT: i64 = 10_000;

/// Which starts there were, as of this one.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    /// This start; 0 where it could not be noted.
    current: i64,
    /// By start, with the number of the first entry that the start after it wrote, or was to write.
    earlier: Vec<(i64, u64)>,
}

impl Starts {
    /// Notes in the log that the store starts, and with which entry it goes on.
    pub(crate) fn begin(log: &Connection, next_n: u64) -> Result<Self, Fault> {
        let current = random()?;
        log.execute_batch("BEGIN IMMEDIATE")?;
        log.execute_batch(schema::STARTS)?;
        log.execute("INSERT INTO starts (id, first) VALUES (?1, ?2)", (current, next_n.cast_signed()))?;
        log.execute("DELETE FROM starts WHERE nth <= (SELECT max(nth) FROM starts) - ?1", [KEPT])?;
        log.execute_batch("COMMIT")?;
        let mut find = log.prepare("SELECT id, lead(first) OVER (ORDER BY nth) FROM starts")?;
        let rows = find.query_map([], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)))?;
        let mut earlier = Vec::new();
        for row in rows {
            if let (id, Some(past)) = row? {
                earlier.push((id, past.cast_unsigned()));
            }
        }
        earlier.sort_unstable();
        Ok(Self { current, earlier })
    }

    /// What a position that is given out now says.
    pub(crate) const fn current(&self) -> i64 {
        self.current
    }

    /// Whether an entry that was the last one under a start is one of this store. Of a start that is not noted nothing is known.
    pub(crate) fn knows(&self, start: i64, last: u64) -> bool {
        if start == 0 || start == self.current {
            return true;
        }
        let found = self.earlier.binary_search_by_key(&start, |(id, _)| *id);
        found.ok().and_then(|place| self.earlier.get(place)).is_some_and(|(_, past)| last < *past)
    }
}

/// Any number but 0.
fn random() -> Result<i64, Fault> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(io::Error::other(error).into()))?;
    Ok(i64::from_be_bytes(bytes) | 1)
}
