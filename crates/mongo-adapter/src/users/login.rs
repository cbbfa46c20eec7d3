//! Whom a login names: the exact name first, else whoever holds the folded one.

use bson::doc;
use chat_ports::{
    Login,
    model::{User, fold},
};

use super::users;
use crate::{connection::Collections, error::Fault};

/// Accounts of one name that are looked at; more than two have it only where nothing kept it unique.
const MOST: u32 = 8;

/// The account that a login names, in one query. Of several with this very name it is the oldest.
pub(super) async fn find(collections: &Collections, login: &Login) -> Result<Option<User>, Fault> {
    let filter = match login {
        Login::Username(name) => doc! { "$or": [{ "username": name }, { "usernameKey": fold(name) }] },
        Login::Email(address) => doc! { "$or": [{ "email": address }, { "emailKey": fold(address) }] },
    };
    let found =
        collections.users.find(filter).limit(MOST.into()).max_time(collections.operation_timeout).await?;
    let mut found = users(found).await?;
    found.sort_unstable_by_key(|user| user.id);
    let exact = found.iter().position(|user| match login {
        Login::Username(name) => user.username == *name,
        Login::Email(address) => user.email == *address,
    });
    let chosen = exact.unwrap_or_default();
    Ok((chosen < found.len()).then(|| found.swap_remove(chosen)))
}
