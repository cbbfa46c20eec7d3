//! Accounts, by id.

use bson::{Document, RawArrayBuf, RawDocumentBuf, doc};
use chat_ports::{
    ArchiveError, TakenField,
    model::{User, UserId, fold},
    user_difference,
};
use foldhash::HashMap;
use mongodb::Cursor;

use super::{insert, refused};
use crate::{
    connection::Collections,
    documents::{encode_user, object_id, read_user},
    error::{Fault, is_duplicate_code},
};

const COLLECTION: &str = "users";

/// The users after this one.
pub(super) async fn page(
    collections: &Collections,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<User>, Fault> {
    let filter = after.map_or_else(Document::new, |after| doc! { "_id": { "$gt": object_id(after.0) } });
    let find = collections.users.find(filter).sort(doc! { "_id": 1 }).limit(limit.into());
    read(find.batch_size(limit).max_time(collections.operation_timeout).await?).await
}

/// All that a cursor gives.
async fn read(mut cursor: Cursor<RawDocumentBuf>) -> Result<Vec<User>, Fault> {
    let mut users = Vec::new();
    while cursor.advance().await? {
        users.push(read_user(cursor.current())?);
    }
    Ok(users)
}

/// The one with the largest id.
pub(super) async fn last(collections: &Collections) -> Result<Option<UserId>, Fault> {
    let last = collections.users.find_one(doc! {}).sort(doc! { "_id": -1 }).projection(doc! { "_id": 1 });
    let last = last.max_time(collections.operation_timeout).await?;
    let id = last.map(|document| document.get_object_id("_id").map_err(|_other_type| Fault::Answer("_id")));
    Ok(id.transpose()?.map(|id| UserId::from_bytes(id.bytes())))
}

/// Puts accounts, in order: those that come first hold the folded names.
pub(super) async fn put(collections: &Collections, users: Vec<User>) -> Result<(), ArchiveError> {
    let mut rest = users.as_slice();
    while !rest.is_empty() {
        let mut documents = RawArrayBuf::new();
        rest.iter().for_each(|user| documents.push(encode_user(user)));
        let Some((stopped, code)) = insert(collections, COLLECTION, documents).await? else { return Ok(()) };
        let (Some(user), behind) = (rest.get(stopped), rest.get(stopped..).unwrap_or_default()) else {
            return Err(Fault::Answer("writeErrors.index").into());
        };
        if !is_duplicate_code(code) {
            return Err(refused(COLLECTION, user.id, code));
        }
        rest = match same(collections, behind).await? {
            0 => {
                put_twin(collections, user).await?;
                behind.get(1..).unwrap_or_default()
            }
            there => behind.get(there..).unwrap_or_default(),
        };
    }
    Ok(())
}

/// How many of these stand there already, from the first on.
async fn same(collections: &Collections, users: &[User]) -> Result<usize, ArchiveError> {
    let ids: Vec<_> = users.iter().map(|user| object_id(user.id.0)).collect();
    let there = collections.limit(find(collections, doc! { "_id": { "$in": ids } })).await?;
    let there: HashMap<UserId, User> = there.into_iter().map(|user| (user.id, user)).collect();
    let mut same = 0;
    while let Some(user) = users.get(same)
        && let Some(there) = there.get(&user.id)
    {
        if let Some(field) = user_difference(there, user) {
            return Err(ArchiveError::Differs { collection: COLLECTION, id: user.id.to_string(), field });
        }
        same += 1;
    }
    Ok(same)
}

/// Puts an account whose folded name or address another one holds: it has no key, and is found by its
/// exact name.
async fn put_twin(collections: &Collections, user: &User) -> Result<(), ArchiveError> {
    let mut document: Document = encode_user(user).try_into().map_err(|_own| Fault::Answer("document"))?;
    for (key, value) in [("usernameKey", fold(&user.username)), ("emailKey", fold(&user.email))] {
        if holder(collections, doc! { key: value }).await?.is_some() {
            document.remove(key);
        }
    }
    let mut documents = RawArrayBuf::new();
    documents.push(RawDocumentBuf::try_from(&document).map_err(|_own| Fault::Answer("document"))?);
    match insert(collections, COLLECTION, documents).await? {
        None => Ok(()),
        Some((_, code)) if is_duplicate_code(code) => Err(collision(collections, user, code).await?),
        Some((_, code)) => Err(refused(COLLECTION, user.id, code)),
    }
}

/// An older application's own indexes may keep exact names unique.
async fn collision(collections: &Collections, user: &User, code: i32) -> Result<ArchiveError, Fault> {
    let exact = [
        (doc! { "username": &user.username }, TakenField::Username),
        (doc! { "email": &user.email }, TakenField::Email),
    ];
    for (filter, field) in exact {
        if let Some(other) = holder(collections, filter).await? {
            return Ok(ArchiveError::Collides { user: user.id, other, field });
        }
    }
    Ok(refused(COLLECTION, user.id, code))
}

async fn holder(collections: &Collections, filter: Document) -> Result<Option<UserId>, Fault> {
    let holder = collections.limit(find(collections, filter)).await?;
    Ok(holder.first().map(|user| user.id))
}

async fn find(collections: &Collections, filter: Document) -> Result<Vec<User>, Fault> {
    read(collections.users.find(filter).max_time(collections.operation_timeout).await?).await
}
