//! Backups: one file with all that can't be derived, and the way back from it.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use rusqlite::{Connection, OpenFlags};

use crate::{
    BackupError, OpenError, files,
    files::{beside, rebuild},
    schema,
    shared::Shared,
    sqlite,
    sqlite::Role,
};

/// Copies what can't be derived, as of one moment, into a new file.
///
/// The tables' snapshot is opened before the log's, while pruning is held: so every entry past the
/// tables' mark is in the log's, and every user whom a message names.
pub(crate) fn backup(shared: &Shared, file: &Path) -> Result<(), BackupError> {
    let _one_at_a_time = shared.backup.lock();
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let partial = beside(file, ".partial");
    claim(&partial)?;
    let failed = |source| BackupError::Sqlite { path: file.to_owned(), source };
    let result = copy(shared, &partial).map_err(failed).and_then(|()| finish(&partial, file));
    if result.is_err() {
        // What is left of it must not be taken for a backup.
        drop(fs::remove_file(&partial));
    }
    result
}

/// Makes an empty file, unless there is one: another process may be writing its backup there.
fn claim(path: &Path) -> Result<(), BackupError> {
    files::private(File::options().create_new(true).write(true)).open(path).map(drop).map_err(|source| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::AlreadyExists {
            BackupError::Exists(path)
        } else {
            BackupError::Io { path, source }
        }
    })
}

fn copy(shared: &Shared, partial: &Path) -> rusqlite::Result<()> {
    let target = Connection::open(partial)?;
    sqlite::configure(&target, Role::Sweeper)?;
    // Nobody reads this file before it is whole and synced.
    target.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
    target.pragma_update(None, "synchronous", "off")?;
    let sql = [schema::META, schema::TRUTH, schema::LOG].concat();
    sqlite::create(&target, schema::BACKUP_ID, schema::FORMAT, &sql)?;
    for (path, name) in [(shared.paths.tables(), "tables_db"), (shared.paths.log(), "log_db")] {
        target.execute(&format!("ATTACH ?1 AS {name}"), [path.to_string_lossy().as_ref()])?;
    }
    let held = shared.pruning.hold();
    target.execute_batch("BEGIN")?;
    target.query_row("SELECT count(*) FROM tables_db.meta", [], |_| Ok(()))?;
    target.query_row("SELECT count(*) FROM log_db.meta", [], |_| Ok(()))?;
    drop(held);
    target.execute_batch(
        "INSERT INTO main.meta SELECT name, value FROM tables_db.meta WHERE name IN ('store', 'mark');
         INSERT INTO main.messages SELECT * FROM tables_db.messages ORDER BY k;
         INSERT INTO main.reads SELECT * FROM tables_db.reads ORDER BY k;
         INSERT INTO main.deliveries SELECT * FROM tables_db.deliveries ORDER BY k;
         INSERT INTO main.users SELECT * FROM log_db.users ORDER BY id;
         INSERT INTO main.blocks SELECT * FROM log_db.blocks ORDER BY blocker, blocked;
         INSERT INTO main.entries SELECT * FROM log_db.entries
             WHERE n > coalesce((SELECT value FROM main.meta WHERE name = 'mark'), 0) ORDER BY n;
         COMMIT;
         DETACH tables_db;
         DETACH log_db;",
    )?;
    target.close().map_err(|(_, error)| error)
}

/// Gives a whole backup its name. The name is claimed first, because renaming would overwrite a
/// file that was made meanwhile.
fn finish(partial: &Path, file: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::Io { path: file.to_owned(), source };
    File::open(partial).and_then(|file| file.sync_all()).map_err(failed)?;
    claim(file)?;
    fs::rename(partial, file).map_err(|source| {
        drop(fs::remove_file(file));
        failed(source)
    })?;
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(rebuild::sync_dir(dir)?)
}

/// Makes a store of a backup in a folder that has none. It becomes a new store: what clients
/// remember of positions in the old one does not hold for it.
///
/// Blocks: some seconds a million messages, with progress in the log.
///
/// # Errors
/// The folder has a store already or another process has it open, the file is no backup, or
/// something can't be read or written.
/// What is half made is refused by [`Store::open`](crate::Store::open): empty the folder and try
/// again.
pub fn restore(file: &Path, dir: &Path) -> Result<(), BackupError> {
    check_backup(file)?;
    files::make_dir(dir)?;
    let paths = files::Paths::new(dir.to_owned());
    let _lock = paths.lock()?;
    for path in [paths.log(), paths.tables()] {
        if path.exists() {
            return Err(BackupError::Exists(path));
        }
    }
    let store_id = files::new_store_id(dir)?;
    let source = file.to_string_lossy();
    // The log comes first: without tables it is refused, whatever interrupts this.
    files::make(&paths.log(), schema::LOG_ID, &[schema::META, schema::LOG].concat(), store_id, |log| {
        log.execute("ATTACH ?1 AS source", [source.as_ref()])?;
        log.execute_batch(
            "BEGIN;
             INSERT INTO users SELECT * FROM source.users ORDER BY id;
             INSERT INTO blocks SELECT * FROM source.blocks ORDER BY blocker, blocked;
             INSERT INTO entries SELECT * FROM source.entries ORDER BY n;
             COMMIT;
             DETACH source;",
        )?;
        files::renew_life(log)
    })?;
    rebuild::make(file, &paths.tables())?;
    set_store_id(&paths.tables(), store_id)?;
    files::complete(&paths.tables())?;
    Ok(rebuild::sync_dir(dir)?)
}

fn check_backup(file: &Path) -> Result<(), BackupError> {
    let found = || {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        sqlite::identity(&connection)
    };
    match found() {
        Ok((schema::BACKUP_ID, schema::FORMAT)) => Ok(()),
        Ok(_) => Err(BackupError::Foreign(file.to_owned())),
        Err(_) if !file.exists() => {
            Err(BackupError::Io { path: file.to_owned(), source: io::ErrorKind::NotFound.into() })
        }
        Err(source) => Err(BackupError::Sqlite { path: file.to_owned(), source }),
    }
}

fn set_store_id(tables: &Path, store_id: [u8; 16]) -> Result<(), OpenError> {
    let set = || -> rusqlite::Result<()> {
        let connection = sqlite::open(tables, Role::LogWriter, None)?;
        crate::tables::set_meta(&connection, "store", store_id)?;
        connection.close().map_err(|(_, error)| error)
    };
    set().map_err(|error| files::sqlite_error(tables, error))
}
