//! Looks for damage before the store is used: what can be made again is made again, the rest is refused.

use std::{fs, path::Path};

use rusqlite::Connection;

use super::{Paths, fault_error, io_error, rebuild, sqlite_error};
use crate::{
    OpenError, Options,
    fault::Fault,
    schema::{DERIVED_TABLES, TRUTH_TABLES},
    sqlite::{self, Role},
};

/// Checks both files: completely up to [`Options::check_bytes`], and the tables also after damage
/// was met.
pub(super) fn check(paths: &Paths, options: &Options) -> Result<(), OpenError> {
    let (log, tables) = (paths.log(), paths.tables());
    if size(&log)? <= options.check_bytes {
        refuse_damage(&log, &["meta", "entries", "users"])?;
    }
    let suspect = paths.suspect();
    let suspected = suspect.exists();
    if suspected || size(&tables)? <= options.check_bytes {
        refuse_damage(&tables, &TRUTH_TABLES)?;
        if let Some(reason) = find_damage(&tables, &DERIVED_TABLES)? {
            tracing::warn!(file = %tables.display(), reason, "derived tables are damaged; they are rebuilt");
            rebuild::rebuild(paths)?;
        }
    } else {
        look_at_roots(&tables)?;
    }
    if suspected {
        fs::remove_file(&suspect).map_err(|error| io_error(&suspect, error))?;
    }
    Ok(())
}

fn refuse_damage(path: &Path, names: &[&str]) -> Result<(), OpenError> {
    match find_damage(path, names)? {
        Some(reason) => Err(OpenError::Damaged { path: path.to_owned(), reason }),
        None => Ok(()),
    }
}

/// The first thing that is wrong with these tables.
fn find_damage(path: &Path, names: &[&str]) -> Result<Option<String>, OpenError> {
    let connection = sqlite::open(path, Role::Reader, None).map_err(|error| sqlite_error(path, error))?;
    for name in names {
        match integrity(&connection, name) {
            Ok(None) => {}
            Ok(Some(problem)) => return Ok(Some(format!("{name}: {problem}"))),
            Err(fault) if fault.is_damage() => return Ok(Some(format!("{name}: {fault}"))),
            Err(fault) => return Err(fault_error(path, fault)),
        }
    }
    Ok(None)
}

fn integrity(connection: &Connection, table: &str) -> Result<Option<String>, Fault> {
    // A table that is gone altogether is no error of the check.
    connection.query_row(&format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1)"), [], |_| Ok(()))?;
    let report: String =
        connection.query_row(&format!("PRAGMA integrity_check('{table}')"), [], |row| row.get(0))?;
    Ok((report != "ok").then_some(report))
}

/// What costs nothing on a large file: every table is there and its first and last pages can be read.
fn look_at_roots(path: &Path) -> Result<(), OpenError> {
    let look = || -> Result<(), Fault> {
        let connection = sqlite::open(path, Role::Reader, None)?;
        for (table, key) in [("messages", "k"), ("reads", "k"), ("conversations", "cid"), ("ids", "id")] {
            for order in ["ASC", "DESC"] {
                let sql =
                    format!("SELECT count(*) FROM (SELECT * FROM {table} ORDER BY {key} {order} LIMIT 1)");
                connection.query_row(&sql, [], |_| Ok(()))?;
            }
        }
        Ok(())
    };
    look().map_err(|fault| fault_error(path, fault))
}

fn size(path: &Path) -> Result<u64, OpenError> {
    Ok(fs::metadata(path).map_err(|error| io_error(path, error))?.len())
}
