//! The tables that are not message traffic: written in the same group commit as the log's entries.

use chat_ports::{
    ArchiveError, InsertUserError, NewUser, PresenceRecord, TakenField,
    model::{User, UserId, fold},
    user_difference,
};
use rusqlite::{Connection, OptionalExtension};

use crate::{fault::Fault, reader::user_by_id};

const PUT: &str = "INSERT INTO users (id, username, username_folded, email, email_folded, password,
    is_online, last_seen, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Makes an account inside the open transaction. The outer error is the log's, the inner one the
/// caller's.
pub(super) fn insert(log: &Connection, new: NewUser) -> Result<Result<User, InsertUserError>, Fault> {
    let (username, email) = (fold(new.username.as_str()), fold(new.email.as_str()));
    for (column, value, field) in
        [("username_folded", &username, TakenField::Username), ("email_folded", &email, TakenField::Email)]
    {
        let mut find = log.prepare_cached(&format!("SELECT 1 FROM users WHERE {column} = ?1"))?;
        if find.query_row([value], |_| Ok(())).optional()?.is_some() {
            return Ok(Err(InsertUserError::Taken(field)));
        }
    }
    let mut insert = log.prepare_cached(
        "INSERT INTO users (id, username, username_folded, email, email_folded, password, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
    )?;
    let at = new.created_at;
    let values = (
        new.id.bytes(),
        new.username.as_str(),
        username,
        new.email.as_str(),
        email,
        new.password.expose(),
        at.millis(),
    );
    match insert.execute(values) {
        Ok(_) => Ok(Ok(User {
            id: new.id,
            username: new.username.as_str().to_owned(),
            email: new.email.as_str().to_owned(),
            password: new.password,
            is_online: false,
            last_seen: None,
            created_at: at,
            updated_at: at,
        })),
        // The id is taken: this statement alone is undone.
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
            Ok(Err(InsertUserError::Store(Fault::from(error).into())))
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts accounts as they are inside the open transaction, up to the first that can't be.
pub(super) fn put(log: &Connection, users: &[User]) -> Result<Result<(), ArchiveError>, Fault> {
    for user in users {
        if let Some(there) = user_by_id(log, user.id)? {
            match user_difference(&there, user) {
                None => continue,
                Some(field) => {
                    let id = user.id.to_string();
                    return Ok(Err(ArchiveError::Differs { collection: "users", id, field }));
                }
            }
        }
        if let Err(error) = put_new(log, user)? {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

fn put_new(log: &Connection, user: &User) -> Result<Result<(), ArchiveError>, Fault> {
    let User { id, username, email, password, is_online, last_seen, created_at, updated_at } = user;
    let folded = (fold(username), fold(email));
    for (column, value, field) in
        [("username_folded", &folded.0, TakenField::Username), ("email_folded", &folded.1, TakenField::Email)]
    {
        let mut find = log.prepare_cached(&format!("SELECT id FROM users WHERE {column} = ?1"))?;
        if let Some(other) = find.query_row([value], |row| row.get(0)).optional()? {
            return Ok(Err(ArchiveError::Collides { user: *id, other: UserId::from_bytes(other), field }));
        }
    }
    log.prepare_cached(PUT)?.execute((
        id.bytes(),
        username,
        folded.0,
        email,
        folded.1,
        password.expose(),
        is_online,
        last_seen.map(|at| at.millis()),
        created_at.millis(),
        updated_at.millis(),
    ))?;
    Ok(Ok(()))
}

/// Writes presence of those users that exist.
pub(super) fn record_presence(log: &Connection, records: &[PresenceRecord]) -> Result<(), Fault> {
    let mut update = log.prepare_cached("UPDATE users SET is_online = ?2, last_seen = ?3 WHERE id = ?1")?;
    for record in records {
        update.execute((record.user.bytes(), record.is_online, record.last_seen.millis()))?;
    }
    Ok(())
}

/// Marks every user as offline.
pub(super) fn clear_presence(log: &Connection) -> Result<(), Fault> {
    log.prepare_cached("UPDATE users SET is_online = 0 WHERE is_online = 1")?.execute([])?;
    Ok(())
}
