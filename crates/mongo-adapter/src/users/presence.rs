//! Presence, written behind. Losing it costs nothing: live presence is the hub's.

use std::collections::BTreeMap;

use bson::doc;
use chat_ports::PresenceRecord;
use mongodb::options::{Acknowledgment, WriteConcern};

use crate::{
    bulk::{self, Durability},
    connection::Collections,
    documents::{date, object_id},
    error::Fault,
};

/// Users of one update command.
const CHUNK: usize = 1_000;

/// Writes presence of several users: of one who is named twice, the later word counts.
pub(super) async fn record(collections: &Collections, records: Vec<PresenceRecord>) -> Result<(), Fault> {
    let latest: BTreeMap<_, _> = records.into_iter().map(|record| (record.user, record)).collect();
    let mut statements = latest.into_values().map(|record| {
        let PresenceRecord { user, is_online, last_seen } = record;
        let set = doc! { "isOnline": is_online, "lastSeen": date(last_seen) };
        bulk::statement(doc! { "_id": object_id(user.0) }, doc! { "$set": set })
    });
    loop {
        let chunk: Vec<_> = statements.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        bulk::update(collections, "users", chunk, false, Durability::Memory).await?;
    }
}

/// Marks everybody as offline.
pub(super) async fn clear(collections: &Collections) -> Result<(), Fault> {
    let concern = WriteConcern::builder().w(Acknowledgment::Nodes(1)).build();
    let offline = doc! { "$set": { "isOnline": false } };
    collections.users.update_many(doc! { "isOnline": true }, offline).write_concern(concern).await?;
    Ok(())
}
