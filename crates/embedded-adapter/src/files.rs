//! The folder: which files there are, whose they are, and who may open them.

mod damage;
pub(crate) mod rebuild;
mod starts;
mod upgrade;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode};

use crate::{
    OpenError, Options,
    fault::Fault,
    schema, sqlite,
    sqlite::Role,
    tables::{self, meta, set_meta},
    writer,
};

pub(crate) use starts::Starts;

/// The oldest SQLite whose WAL is safe: before it, a reset could lose commits.
const OLDEST_SQLITE: i32 = 3_051_003;

/// The names in a store's folder.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    dir: PathBuf,
}

impl Paths {
    pub(crate) const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The log, and what is no message traffic.
    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("log.db")
    }

    /// The projections.
    pub(crate) fn tables(&self) -> PathBuf {
        self.dir.join("tables.db")
    }

    /// Locks the folder for this process, until the file is closed.
    pub(crate) fn lock(&self) -> Result<File, OpenError> {
        lock(&self.dir.join("store.lock"))
    }

    /// Tables that are being made again.
    fn rebuilding(&self) -> PathBuf {
        self.dir.join("tables.db.rebuilding")
    }

    /// Tables that were made again and are whole, on their way to their own name.
    fn rebuilt(&self) -> PathBuf {
        self.dir.join("tables.db.rebuilt")
    }

    /// The tables that they replace.
    fn damaged(&self) -> PathBuf {
        self.dir.join("tables.db.damaged")
    }

    /// Has the log checked completely at the next start.
    pub(crate) fn suspect_log(&self) {
        damage::suspect(&self.log());
    }

    /// Has the tables checked completely at the next start.
    pub(crate) fn suspect_tables(&self) {
        damage::suspect(&self.tables());
    }
}

/// A folder that is open: identified, checked, and locked.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) paths: Paths,
    pub(crate) store_id: [u8; 16],
    /// The number of the last entry that the tables have.
    pub(crate) mark: u64,
    /// Kept for its lock.
    pub(crate) lock: File,
}

/// Opens the folder of a store, or makes it.
pub(crate) fn open(options: &Options) -> Result<Folder, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite(rusqlite::version()));
    }
    let paths = Paths::new(options.dir.clone());
    make_dir(&paths.dir)?;
    let lock = paths.lock()?;
    rebuild::finish(&paths)?;
    let log = identify(&paths.log(), schema::LOG_ID)?;
    let tables = identify(&paths.tables(), schema::TABLES_ID)?;
    let store_id = match (log, tables) {
        // Also what a making leaves behind that was interrupted early.
        (None, None) => create(&paths)?,
        (None, Some(_)) if is_fresh(&paths.tables())? => create(&paths)?,
        (None, Some(_)) => return Err(OpenError::Missing(paths.log())),
        (Some(_), None) => return Err(OpenError::Missing(paths.tables())),
        (Some(log), Some(tables)) if log == tables => log,
        (Some(_), Some(_)) => {
            return Err(OpenError::Mismatch { path: paths.tables(), reason: "another store's".into() });
        }
    };
    complete(&paths.tables())?;
    damage::check(&paths, options)?;
    let mark = check_ages(&paths)?;
    Ok(Folder { paths, store_id, mark, lock })
}

/// The id of the store that a file says it belongs to.
pub(crate) fn store_id(connection: &Connection) -> Result<Option<[u8; 16]>, Fault> {
    Ok(meta(connection, "store")?)
}

/// Which life of the store it is: positions of what users missed are good within one.
pub(crate) fn life(log: &Connection) -> Result<i64, Fault> {
    Ok(meta(log, "life")?.unwrap_or_default())
}

/// Begins another one: after messages were moved in, or the tables made again, an older position says nothing.
pub(crate) fn renew_life(log: &Connection) -> rusqlite::Result<()> {
    let mut life = [0; 8];
    getrandom::fill(&mut life)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(io::Error::other(error).into()))?;
    set_meta(log, "life", i64::from_be_bytes(life))
}

/// Makes an empty store of a new identity.
fn create(paths: &Paths) -> Result<[u8; 16], OpenError> {
    let store_id = new_store_id(&paths.dir)?;
    remove(&paths.tables())?;
    remove(&paths.log())?;
    let sql = [schema::META, schema::TRUTH, schema::DERIVED].concat();
    // The log comes last: tables without a log are begun anew until they are noted as complete, and
    // only then.
    make(&paths.tables(), schema::TABLES_ID, &sql, store_id, |_| Ok(()))?;
    make(&paths.log(), schema::LOG_ID, &[schema::META, schema::LOG].concat(), store_id, renew_life)?;
    Ok(store_id)
}

/// Notes in the tables that the log beside them is made: from now on a log that is missing is lost,
/// and with it what stands in it only.
pub(crate) fn complete(tables: &Path) -> Result<(), OpenError> {
    let note = || -> Result<(), Fault> {
        let connection = sqlite::open(tables, Role::LogWriter, None)?;
        if meta::<i64>(&connection, "complete")?.is_none() {
            set_meta(&connection, "complete", 1)?;
        }
        Ok(connection.close().map_err(|(_, error)| error)?)
    };
    note().map_err(|fault| fault_error(tables, fault))
}

/// 16 random bytes.
pub(crate) fn new_store_id(dir: &Path) -> Result<[u8; 16], OpenError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| io_error(dir, io::Error::other(error)))?;
    Ok(id)
}

/// Makes one of the files.
pub(crate) fn make(
    path: &Path,
    application: i32,
    sql: &str,
    store_id: [u8; 16],
    fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(), OpenError> {
    make_private(path)?;
    let store_id = u128::from_be_bytes(store_id);
    // In the same transaction as the rest: a file that has an identity says whose it is.
    let sql = format!("{sql}\nINSERT INTO meta (name, value) VALUES ('store', x'{store_id:032x}');");
    let make = || -> Result<(), Fault> {
        let connection = Connection::open(path)?;
        sqlite::configure(&connection, Role::LogWriter)?;
        sqlite::create(&connection, application, schema::FORMAT, &sql)?;
        sqlite::use_wal(&connection)?;
        fill(&connection)?;
        Ok(connection.close().map_err(|(_, error)| error)?)
    };
    make().map_err(|fault| fault_error(path, fault))
}

/// Whose file it is: the store's id. `None` if there is none, or nothing in it yet.
///
/// That its connection is the only one, and closed at the end, matters: closing copies what a crash
/// has left in the WAL into the file, and syncs it. What the start replays is on disk then, also if
/// the commit before the crash was never synced.
fn identify(path: &Path, application: i32) -> Result<Option<[u8; 16]>, OpenError> {
    if !path.try_exists().map_err(|error| io_error(path, error))? {
        return Ok(None);
    }
    let failed = |error| sqlite_error(path, error);
    let connection = sqlite::open(path, Role::LogWriter, None).map_err(failed)?;
    if connection.is_readonly("main").map_err(failed)? {
        return Err(io_error(path, io::ErrorKind::ReadOnlyFilesystem.into()));
    }
    let (found, format) = sqlite::identity(&connection).map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(failed)?;
    if (found, format, tables) == (0, 0, 0) {
        return Ok(None);
    }
    if found != application {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    if format > schema::FORMAT {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found: format.into(),
            known: schema::FORMAT.into(),
        });
    }
    match store_id(&connection) {
        Ok(Some(id)) if format > 0 => {
            // The making may have been interrupted just before.
            sqlite::use_wal(&connection).map_err(|fault| fault_error(path, fault))?;
            upgrade::upgrade(&connection, application, format).map_err(failed)?;
            Ok(Some(id))
        }
        Ok(_) => Err(OpenError::Foreign(path.to_owned())),
        Err(fault) => Err(fault_error(path, fault)),
    }
}

/// Whether these tables have never been used, nor had a log.
fn is_fresh(path: &Path) -> Result<bool, OpenError> {
    let fresh = || -> Result<bool, Fault> {
        let connection = sqlite::open(path, Role::Reader, None)?;
        let complete = meta::<i64>(&connection, "complete")?.is_some();
        let messages: bool =
            connection.query_row("SELECT EXISTS (SELECT 1 FROM messages)", [], |row| row.get(0))?;
        Ok(!complete && !messages && tables::mark(&connection)? == 0)
    };
    fresh().map_err(|fault| fault_error(path, fault))
}

/// Checks that the log goes on where the tables end, and gives the tables' mark.
fn check_ages(paths: &Paths) -> Result<u64, OpenError> {
    let mark = || -> Result<u64, Fault> { tables::mark(&sqlite::open(&paths.tables(), Role::Reader, None)?) };
    let mark = mark().map_err(|fault| fault_error(&paths.tables(), fault))?;
    let bounds = || -> Result<_, Fault> { writer::bounds(&sqlite::open(&paths.log(), Role::Reader, None)?) };
    let bounds = bounds().map_err(|fault| fault_error(&paths.log(), fault))?;
    match bounds {
        Some((first, _)) if first > mark + 1 => Err(OpenError::Mismatch {
            path: paths.tables(),
            reason: format!("it is older: entries {} to {} are in neither", mark + 1, first - 1),
        }),
        // Entries leave the log oldest first: as long as there are any, the newest is among them.
        Some((_, last)) if last < mark => Err(OpenError::Mismatch {
            path: paths.log(),
            reason: format!("it is older: it ends at entry {last}, and the tables at {mark}"),
        }),
        _ => Ok(mark),
    }
}

/// Makes an empty file for its owner only: it will hold messages and password hashes. SQLite gives
/// what it keeps beside a file the same mode.
pub(crate) fn make_private(path: &Path) -> Result<(), OpenError> {
    let made = private(File::options().create(true).truncate(false).write(true)).open(path);
    made.map(drop).map_err(|error| io_error(path, error))
}

/// Has what is made be for its owner only.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes a folder for its owner only, unless it is there.
pub(crate) fn make_dir(dir: &Path) -> Result<(), OpenError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| io_error(dir, error))
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| io_error(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(io_error(path, error)),
    }
}

/// Removes a database and what SQLite keeps beside it.
pub(crate) fn remove(path: &Path) -> Result<(), OpenError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let path = beside(path, suffix);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(&path, error)),
        }
    }
    Ok(())
}

/// The name of a file with something behind it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(crate) fn io_error(path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { path: path.to_owned(), source }
}

/// What SQLite says about a file, in the words of an operator.
pub(crate) fn sqlite_error(path: &Path, source: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            OpenError::Damaged { path, reason: source.to_string() }
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            OpenError::Io { path, source: io::Error::new(io::ErrorKind::PermissionDenied, source) }
        }
        _ => OpenError::Sqlite { path, source },
    }
}

pub(crate) fn fault_error(path: &Path, fault: Fault) -> OpenError {
    match fault {
        Fault::Sqlite(source) => sqlite_error(path, source),
        Fault::Corrupt { .. } => OpenError::Damaged { path: path.to_owned(), reason: fault.to_string() },
        Fault::Down(reason) => OpenError::Io { path: path.to_owned(), source: io::Error::other(reason) },
    }
}
