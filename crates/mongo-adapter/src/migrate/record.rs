//! The collection `migrations`: which are applied.

use std::collections::BTreeMap;

use bson::{DateTime, RawDocument, doc};
use chat_ports::model::Timestamp;

use super::{
    MigrationState, MigrationStatus,
    catalog::{CATALOG, Migration},
};
use crate::{
    StartError,
    connection::Collections,
    documents::millis,
    error::{Fault, corrupt},
};

/// A migration that is applied.
#[derive(Debug, Clone)]
pub(super) struct Applied {
    name: String,
    at: Timestamp,
    by: String,
    compatible: bool,
}

/// All that are applied, by number.
pub(super) async fn read(collections: &Collections) -> Result<BTreeMap<u32, Applied>, Fault> {
    let mut cursor = collections.limit(collections.migrations.find(doc! {})).await?;
    let mut applied = BTreeMap::new();
    while collections.limit(cursor.advance()).await? {
        let (id, record) = entry(cursor.current())?;
        applied.insert(id, record);
    }
    Ok(applied)
}

fn entry(document: &RawDocument) -> Result<(u32, Applied), Fault> {
    let number = |field: &str| {
        let value = document.get(field).ok().flatten()?;
        value.as_i32().map(i64::from).or_else(|| value.as_i64())
    };
    let id = number("_id").and_then(|id| u32::try_from(id).ok());
    let id = id.ok_or_else(|| Fault::from(corrupt("migrations", "(an unusual id)", "_id")))?;
    let text = |field: &str| document.get_str(field).unwrap_or_default().to_owned();
    let at = document.get_datetime("appliedAt").map(millis).unwrap_or(Timestamp::from_millis(0));
    let compatible = document.get_bool("compatible").unwrap_or_default();
    Ok((id, Applied { name: text("name"), at, by: text("by"), compatible }))
}

/// Notes that one is applied; the first note stays.
pub(super) async fn write(
    collections: &Collections,
    migration: &Migration,
    at: DateTime,
) -> Result<(), Fault> {
    let by = concat!("chat-server ", env!("CARGO_PKG_VERSION"));
    let note = doc! {
        "name": &migration.name,
        "appliedAt": at,
        "by": by,
        "compatible": migration.compatible,
    };
    let filter = doc! { "_id": i64::from(migration.id) };
    let update = collections.migrations.update_one(filter, doc! { "$setOnInsert": note }).upsert(true);
    match collections.limit(update).await {
        Err(fault) if !fault.is_duplicate() => Err(fault),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Refuses a database that a newer build has changed in ways this one can't work with.
pub(super) fn refuse_unknown(applied: &BTreeMap<u32, Applied>) -> Result<(), StartError> {
    let unknown = applied.iter().filter(|(id, record)| !is_known(**id) && !record.compatible);
    let names: Vec<_> = unknown.map(|(id, record)| format!("{id:04} {}", record.name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join(", ");
    Err(StartError::Migrations(format!(
        "a newer version has migrated the database ({names}); use that one, or undo these first"
    )))
}

/// How every migration stands that this build or the database knows; `again` says of which there is work.
pub(super) fn statuses(applied: &BTreeMap<u32, Applied>, again: &[u32]) -> Vec<MigrationStatus> {
    let known = CATALOG.iter().map(|migration| {
        let state = applied.get(&migration.id).map_or(MigrationState::Pending, |record| {
            let again = again.contains(&migration.id);
            MigrationState::Applied { at: record.at, by: record.by.clone(), again }
        });
        MigrationStatus { id: migration.id, name: migration.name.clone(), state }
    });
    let unknown = applied.iter().filter(|(id, _)| !is_known(**id)).map(|(id, record)| {
        let state = MigrationState::Unknown { compatible: record.compatible };
        MigrationStatus { id: *id, name: record.name.clone(), state }
    });
    let mut statuses: Vec<_> = known.chain(unknown).collect();
    statuses.sort_by_key(|status| status.id);
    statuses
}

fn is_known(id: u32) -> bool {
    CATALOG.iter().any(|migration| migration.id == id)
}
