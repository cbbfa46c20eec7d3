//! The accounts.
//!
//! Uniqueness is that of the indexes on `usernameKey` and `emailKey`: the folded name and address of the
//! account that holds them. A database that an older application filled may have accounts that differ
//! by case only; the oldest of them holds the key, the others log in by their exact name.

mod list;
mod login;
mod presence;

use std::sync::Arc;

use async_trait::async_trait;
use bson::{RawDocumentBuf, doc};
use chat_ports::{
    InsertUserError, Login, NewUser, PresenceRecord, StoreError, TakenField, UserQuery, Users,
    model::{Page, User, UserId, fold},
};
use mongodb::Cursor;

use crate::{
    Store,
    connection::Collections,
    documents::{encode_user, object_id, read_user},
    error::Fault,
};

#[async_trait]
impl Users for Store {
    async fn insert(&self, user: NewUser) -> Result<User, InsertUserError> {
        let work = move |collections: Arc<Collections>| async move { insert(&collections, made(user)).await };
        match self.inner.run(work).await? {
            Ok(user) => Ok(user),
            Err(field) => Err(InsertUserError::Taken(field)),
        }
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.inner.run(move |collections| async move { find(&collections, id).await }).await
    }

    async fn find_many(&self, ids: Vec<UserId>) -> Result<Vec<User>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.inner.run(move |collections| async move { find_many(&collections, ids).await }).await
    }

    async fn find_by_login(&self, login: Login) -> Result<Option<User>, StoreError> {
        self.inner.run(move |collections| async move { login::find(&collections, &login).await }).await
    }

    async fn list(&self, query: UserQuery) -> Result<Page<User>, StoreError> {
        self.inner.run(move |collections| async move { list::page(&collections, &query).await }).await
    }

    async fn record_presence(&self, records: Vec<PresenceRecord>) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        self.inner.run(move |collections| async move { presence::record(&collections, records).await }).await
    }

    async fn clear_presence(&self) -> Result<(), StoreError> {
        self.inner.run(|collections| async move { presence::clear(&collections).await }).await
    }
}

/// An account as it begins.
fn made(new: NewUser) -> User {
    let NewUser { id, username, email, password, created_at } = new;
    User {
        id,
        username: username.as_str().to_owned(),
        email: email.as_str().to_owned(),
        password,
        is_online: false,
        last_seen: None,
        created_at,
        updated_at: created_at,
    }
}

async fn insert(collections: &Collections, user: User) -> Result<Result<User, TakenField>, Fault> {
    match collections.users.insert_one(encode_user(&user)).await.map_err(Fault::from) {
        Ok(_) => Ok(Ok(user)),
        Err(fault) if fault.is_duplicate() => collision(collections, user, fault).await,
        Err(fault) => Err(fault),
    }
}

/// Whose name or address is in the way; the account itself where the insert was done before.
async fn collision(
    collections: &Collections,
    user: User,
    fault: Fault,
) -> Result<Result<User, TakenField>, Fault> {
    let name = doc! { "$or": [{ "username": &user.username }, { "usernameKey": fold(&user.username) }] };
    let address = doc! { "$or": [{ "email": &user.email }, { "emailKey": fold(&user.email) }] };
    for (filter, field) in [(name, TakenField::Username), (address, TakenField::Email)] {
        let holder = collections.users.find_one(filter).max_time(collections.operation_timeout).await?;
        if let Some(holder) = holder {
            let is_same = holder.get_object_id("_id").is_ok_and(|id| id == object_id(user.id.0));
            return Ok(if is_same { Ok(user) } else { Err(field) });
        }
    }
    Err(fault)
}

async fn find(collections: &Collections, id: UserId) -> Result<Option<User>, Fault> {
    let filter = doc! { "_id": object_id(id.0) };
    let found = collections.users.find_one(filter).max_time(collections.operation_timeout).await?;
    Ok(found.map(|document| read_user(&document)).transpose()?)
}

async fn find_many(collections: &Collections, ids: Vec<UserId>) -> Result<Vec<User>, Fault> {
    let ids: Vec<_> = ids.into_iter().map(|id| object_id(id.0)).collect();
    let filter = doc! { "_id": { "$in": ids } };
    users(collections.users.find(filter).max_time(collections.operation_timeout).await?).await
}

/// All that a cursor gives.
async fn users(mut cursor: Cursor<RawDocumentBuf>) -> Result<Vec<User>, Fault> {
    let mut users = Vec::new();
    while cursor.advance().await? {
        users.push(read_user(cursor.current())?);
    }
    Ok(users)
}
