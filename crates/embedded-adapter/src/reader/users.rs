//! The accounts.

use std::collections::BTreeSet;

use chat_ports::{
    Login, UserQuery,
    model::{Page, PasswordHash, Timestamp, User, UserId, fold},
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::Desk;
use crate::fault::Fault;

const BY_ID: &str = "SELECT id, username, email, password, is_online, last_seen, created_at, updated_at
    FROM users WHERE id = ?1";
const BY_USERNAME: &str = "SELECT id, username, email, password, is_online, last_seen, created_at, updated_at
    FROM users WHERE username_folded = ?1";
const BY_EMAIL: &str = "SELECT id, username, email, password, is_online, last_seen, created_at, updated_at
    FROM users WHERE email_folded = ?1";
const LIST: &str = "SELECT id, username, email, password, is_online, last_seen, created_at, updated_at,
    username_folded FROM users WHERE username_folded >= ?1 ORDER BY username_folded, id";

/// The user with this id.
pub(crate) fn user_by_id(log: &Connection, id: UserId) -> Result<Option<User>, Fault> {
    Ok(log.prepare_cached(BY_ID)?.query_row([id.bytes()], user_at).optional()?)
}

impl Desk {
    /// The user with this id.
    pub(crate) fn user(&mut self, id: UserId) -> Result<Option<User>, Fault> {
        user_by_id(self.log()?, id)
    }

    /// Those of these users that exist, each once.
    pub(crate) fn users(&mut self, ids: Vec<UserId>) -> Result<Vec<User>, Fault> {
        let mut find = self.log()?.prepare_cached(BY_ID)?;
        let mut users = Vec::with_capacity(ids.len());
        for id in ids.into_iter().collect::<BTreeSet<_>>() {
            users.extend(find.query_row([id.bytes()], user_at).optional()?);
        }
        Ok(users)
    }

    /// The user whom a login names.
    pub(crate) fn user_by_login(&mut self, login: &Login) -> Result<Option<User>, Fault> {
        let (sql, name) = match login {
            Login::Username(name) => (BY_USERNAME, name),
            Login::Email(address) => (BY_EMAIL, address),
        };
        Ok(self.log()?.prepare_cached(sql)?.query_row([fold(name)], user_at).optional()?)
    }

    /// A page of users.
    pub(crate) fn user_list(&mut self, query: &UserQuery) -> Result<Page<User>, Fault> {
        let from = query.after.as_ref().map_or("", |after| after.folded.as_str()).max(query.prefix.as_str());
        let mut list = self.log()?.prepare_cached(LIST)?;
        let mut rows = list.query([from])?;
        let mut page = Page { items: Vec::new(), more: false };
        while let Some(row) = rows.next()? {
            let folded: String = row.get(8)?;
            if !folded.starts_with(query.prefix.as_str()) {
                break;
            }
            let user = user_at(row)?;
            let is_past =
                |after: &chat_ports::model::UserCursor| (&folded, user.id) > (&after.folded, after.id);
            if user.id == query.except || !query.after.as_ref().is_none_or(is_past) {
                continue;
            }
            if page.items.len() >= query.limit as usize {
                page.more = true;
                break;
            }
            page.items.push(user);
        }
        Ok(page)
    }
}

pub(super) fn user_at(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId::from_bytes(row.get(0)?),
        username: row.get(1)?,
        email: row.get(2)?,
        password: PasswordHash::new(row.get::<_, String>(3)?),
        is_online: row.get(4)?,
        last_seen: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
        created_at: Timestamp::from_millis(row.get(6)?),
        updated_at: Timestamp::from_millis(row.get(7)?),
    })
}
