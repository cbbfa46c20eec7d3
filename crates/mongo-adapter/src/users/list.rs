//! Pages of the list of users.

use bson::{Document, doc};
use chat_ports::{
    UserQuery,
    model::{Page, User},
};

use super::users;
use crate::{connection::Collections, documents::object_id, error::Fault};

/// A page by folded username, then id.
pub(super) async fn page(collections: &Collections, query: &UserQuery) -> Result<Page<User>, Fault> {
    // One that is left out, and one that tells whether there are more.
    let most = query.limit.saturating_add(2);
    let cursor = collections
        .users
        .find(filter(query))
        .sort(doc! { "usernameFolded": 1, "_id": 1 })
        .limit(most.into())
        .batch_size(most)
        .max_time(collections.operation_timeout)
        .await?;
    let mut items = users(cursor).await?;
    items.retain(|user| user.id != query.except);
    let more = items.len() > query.limit as usize;
    items.truncate(query.limit as usize);
    Ok(Page { items, more })
}

/// A prefix is a range, so no character of it has a meaning.
fn filter(query: &UserQuery) -> Document {
    let after = query.after.as_ref().filter(|after| after.folded >= query.prefix);
    let mut range = doc! { "$gte": after.map_or(&query.prefix, |after| &after.folded) };
    if let Some(end) = end_of_prefix(&query.prefix) {
        range.insert("$lt", end);
    }
    let mut filter = doc! { "usernameFolded": range };
    if let Some(after) = after {
        let past = doc! { "usernameFolded": { "$gt": &after.folded } };
        let same = doc! { "usernameFolded": &after.folded, "_id": { "$gt": object_id(after.id.0) } };
        filter.insert("$or", [past, same]);
    }
    filter
}

/// The least text that is past every text with this prefix, in the order of UTF-8's bytes, which is that
/// of the characters; `None` if there is none.
fn end_of_prefix(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_just_past_all_that_begin_with_it() {
        for (prefix, end) in [
            ("a", Some("b")),
            ("a_", Some("a`")),
            ("z\u{10ffff}", Some("{")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("\u{10ffff}\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(end_of_prefix(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
