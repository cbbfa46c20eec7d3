//! With whom a user has a conversation.

use std::collections::{HashMap, HashSet};

use bson::doc;
use chat_ports::model::{ConversationId, UserId};

use super::document::{Last, read};
use crate::{
    connection::Collections,
    documents::{binary_key, object_id},
    error::Fault,
};

/// The most recent ones: what is not written yet is more recent than what is.
pub(super) async fn of(
    collections: &Collections,
    user: UserId,
    pending: HashMap<ConversationId, Last>,
    most: u32,
) -> Result<Vec<UserId>, Fault> {
    let mut seen: HashSet<ConversationId> = HashSet::new();
    let mut found: Vec<ConversationId> = pending.into_keys().filter(|pair| seen.insert(*pair)).collect();
    let mut cursor = collections
        .conversations
        .find(doc! { "users": object_id(user.0) })
        .sort(doc! { "lastAt": -1, "lastId": -1 })
        .limit(i64::from(most))
        .max_time(collections.operation_timeout)
        .await?;
    while cursor.advance().await? {
        let (conversation, _) = read(cursor.current())?;
        if seen.insert(conversation) {
            found.push(conversation);
        }
    }
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(found.into_iter().map(|conversation| conversation.other(user)).collect())
}

/// Those of these with whom there is a conversation.
pub(super) async fn among(
    collections: &Collections,
    user: UserId,
    pending: &HashMap<ConversationId, Last>,
    others: Vec<UserId>,
) -> Result<Vec<UserId>, Fault> {
    let pairs = others.into_iter().filter(|other| *other != user);
    let pairs = pairs.map(|other| ConversationId::between(user, other));
    let (mut found, asked): (Vec<_>, Vec<_>) = pairs.partition(|pair| pending.contains_key(pair));
    if !asked.is_empty() {
        let filter = doc! { "_id": { "$in": asked.iter().map(binary_key).collect::<Vec<_>>() } };
        let mut cursor =
            collections.conversations.find(filter).max_time(collections.operation_timeout).await?;
        while cursor.advance().await? {
            found.push(read(cursor.current())?.0);
        }
    }
    Ok(found.into_iter().map(|conversation| conversation.other(user)).collect())
}
