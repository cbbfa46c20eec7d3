//! Looks for damage before the store is used: what can be made again is made again, the rest is refused.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{Paths, beside, fault_error, io_error, rebuild, sqlite_error};
use crate::{
    OpenError, Options,
    fault::Fault,
    schema::{DERIVED_TABLES, TRUTH_TABLES},
    sqlite::{self, Role},
};

/// Has a file checked completely at the next start.
pub(super) fn suspect(file: &Path) {
    let note = suspicion(file);
    if note.exists() {
        return;
    }
    tracing::error!(file = %file.display(), "the file is damaged; the next start checks it, and repairs what can be");
    if let Err(error) = File::create(&note) {
        tracing::error!(file = %note.display(), %error, "the damage could not be noted down");
    }
}

/// What says that damage was met in a file.
fn suspicion(file: &Path) -> PathBuf {
    beside(file, ".suspect")
}

/// Checks both files: completely up to [`Options::check_bytes`], and beyond after damage was met.
pub(super) fn check(paths: &Paths, options: &Options) -> Result<(), OpenError> {
    let (log, tables) = (paths.log(), paths.tables());
    let is_due = |file: &Path| Ok(suspicion(file).exists() || size(file)? <= options.check_bytes);
    if is_due(&log)? {
        refuse_damage(&log, &["meta", "entries", "users", "blocks"])?;
    }
    if is_due(&tables)? {
        refuse_damage(&tables, &TRUTH_TABLES)?;
        if let Some(reason) = find_damage(&tables, &DERIVED_TABLES)? {
            tracing::warn!(file = %tables.display(), reason, "derived tables are damaged; they are rebuilt");
            rebuild::rebuild(paths)?;
        }
    } else {
        look_at_roots(&tables)?;
    }
    for note in [&log, &tables].map(|file| suspicion(file)).iter().filter(|note| note.exists()) {
        fs::remove_file(note).map_err(|error| io_error(note, error))?;
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
