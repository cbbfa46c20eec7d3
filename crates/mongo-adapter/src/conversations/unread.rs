//! Counts what is unread: on an index, capped, few counts at a time.

use bson::doc;
use chat_ports::{
    ConversationQuery,
    model::{ConversationId, UserId},
};
use tokio::task::JoinSet;

use super::{Upkeep, list::Row};
use crate::{
    connection::Collections,
    documents::{binary_key, object_id},
    error::Fault,
    error::unavailable,
};

/// Counts for the rows of a page, except where the last message was read by the user: everything before it
/// was read with it.
pub(super) async fn count(
    collections: &Collections,
    upkeep: &Upkeep,
    query: &ConversationQuery,
    rows: &mut [Row],
) -> Result<(), Fault> {
    let mut counts = JoinSet::new();
    for (place, row) in rows.iter().enumerate() {
        if row.is_read_through || query.max_unread == 0 {
            continue;
        }
        let turn = upkeep.counts.clone().acquire_owned().await;
        let turn = turn.map_err(|_closed| unavailable("the store is closed"))?;
        let (collections, conversation, query) = (collections.clone(), row.conversation, *query);
        counts.spawn(async move {
            let _turn = turn;
            (place, unread(&collections, &conversation, query.user, query.max_unread).await)
        });
    }
    while let Some(done) = counts.join_next().await {
        let (place, count) = done.map_err(|_cancelled| unavailable("the store is closed"))?;
        if let Some(row) = rows.get_mut(place) {
            row.entry.unread = count?;
        }
    }
    Ok(())
}

/// How many messages of a conversation its user has not read; counting stops at `most`.
async fn unread(
    collections: &Collections,
    conversation: &ConversationId,
    user: UserId,
    most: u32,
) -> Result<u32, Fault> {
    let filter = doc! {
        "conversation": binary_key(conversation),
        "receiver": object_id(user.0),
        "isRead": false,
        "seq": { "$gt": 0 },
    };
    let count = collections.messages.count_documents(filter).limit(most.into());
    let count = count.max_time(collections.operation_timeout).await?;
    Ok(u32::try_from(count).unwrap_or(most).min(most))
}
