//! Users as documents.

use bson::{RawDocument, RawDocumentBuf, cstr};
use chat_ports::{
    StoreError,
    model::{PasswordHash, Timestamp, User, UserId, fold},
};

use super::fields::{Source, as_bool, as_id, as_text, as_time, date, made_at, object_id, put};

const COLLECTION: &str = "users";

/// A new user's document, which holds the folded name and address.
pub(crate) fn encode_user(user: &User) -> RawDocumentBuf {
    let User { id, username, email, password, is_online, last_seen, created_at, updated_at } = user;
    let (folded, email_key) = (fold(username), fold(email));
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("_id"), object_id(id.0));
    document.append(cstr!("username"), username.as_str());
    document.append(cstr!("email"), email.as_str());
    document.append(cstr!("password"), password.expose());
    document.append(cstr!("isOnline"), *is_online);
    if let Some(last_seen) = last_seen {
        document.append(cstr!("lastSeen"), date(*last_seen));
    }
    document.append(cstr!("createdAt"), date(*created_at));
    document.append(cstr!("updatedAt"), date(*updated_at));
    document.append(cstr!("usernameFolded"), folded.as_str());
    document.append(cstr!("usernameKey"), folded.as_str());
    document.append(cstr!("emailKey"), email_key.as_str());
    document
}

/// Reads a user.
///
/// # Errors
/// [`StoreError::Corrupt`] where a field is missing or of another type. Presence and dates may be
/// missing: an older application did not always write them.
pub(crate) fn read_user(document: &RawDocument) -> Result<User, StoreError> {
    let source = Source { collection: COLLECTION, document };
    let (mut id, mut username, mut email, mut password) = (None, None, None, None);
    let (mut is_online, mut last_seen, mut created_at, mut updated_at) = (None, None, None, None);
    source.each(|name, value| match name {
        "_id" => put(&mut id, value, as_id, "_id"),
        "username" => put(&mut username, value, as_text, "username"),
        "email" => put(&mut email, value, as_text, "email"),
        "password" => put(&mut password, value, as_text, "password"),
        "isOnline" => put(&mut is_online, value, as_bool, "isOnline"),
        "lastSeen" => put(&mut last_seen, value, as_time, "lastSeen"),
        "createdAt" => put(&mut created_at, value, as_time, "createdAt"),
        "updatedAt" => put(&mut updated_at, value, as_time, "updatedAt"),
        _ => None,
    })?;
    let id = source.need(id, "_id")?;
    let created_at: Timestamp = created_at.unwrap_or_else(|| made_at(id));
    Ok(User {
        id: UserId(id),
        username: source.need(username, "username")?,
        email: source.need(email, "email")?,
        password: PasswordHash::new(source.need(password, "password")?),
        is_online: is_online.unwrap_or_default(),
        last_seen,
        created_at,
        updated_at: updated_at.unwrap_or(created_at),
    })
}
