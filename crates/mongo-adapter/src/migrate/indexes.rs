//! Indexes: those that are missing are made.

use bson::{Document, doc};

use super::catalog::{Index, Indexes};
use crate::{connection::Collections, error::Fault};

/// Makes those that are missing, in one command, so that the server reads the collection once.
pub(super) async fn make(collections: &Collections, wanted: &Indexes) -> Result<(), Fault> {
    let missing = missing(collections, wanted).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let specifications: Vec<_> = missing.iter().map(|index| specification(index)).collect();
    // Builds of large collections take their time: the command has no bound.
    let command = doc! { "createIndexes": &wanted.collection, "indexes": specifications };
    collections.database.run_command(command).await?;
    Ok(())
}

/// What would be made.
pub(super) async fn plan(collections: &Collections, wanted: &Indexes) -> Result<Vec<String>, Fault> {
    let missing = missing(collections, wanted).await?;
    let line = |index: &&Index| format!("make the index {} of {}", index.name, wanted.collection);
    Ok(missing.iter().map(line).collect())
}

/// Those that no index of the collection stands for.
pub(super) async fn missing<'w>(
    collections: &Collections,
    wanted: &'w Indexes,
) -> Result<Vec<&'w Index>, Fault> {
    let present = present(collections, &wanted.collection).await?;
    let is_missing = |index: &&Index| !present.iter().any(|present| serves(present, index));
    Ok(wanted.indexes.iter().filter(is_missing).collect())
}

/// Whether an index that is there does what a wanted one is for. That of an older application on the
/// same keys does, though it is unique or sparse: each user has these fields.
fn serves(present: &Document, wanted: &Index) -> bool {
    let has = |option: &str| present.get_bool(option).unwrap_or_default();
    let is_whole = !present.contains_key("partialFilterExpression") && !present.contains_key("collation");
    let keys = present.get_document("key");
    is_whole && keys.is_ok_and(|keys| same_keys(keys, &wanted.keys)) && (has("unique") || !wanted.unique)
}

/// Servers give directions back as any type of number.
fn same_keys(present: &Document, wanted: &Document) -> bool {
    let direction = |keys: &Document, field: &str| {
        let value = keys.get(field)?;
        let number = value.as_i32().map(f64::from).or_else(|| value.as_f64());
        number.or_else(|| value.as_i64().map(|number| if number < 0 { -1.0 } else { 1.0 }))
    };
    present.keys().eq(wanted.keys())
        && wanted.keys().all(|field| {
            let (present, wanted) = (direction(present, field), direction(wanted, field));
            present.zip(wanted).is_some_and(|(present, wanted)| present.signum() == wanted.signum())
        })
}

async fn present(collections: &Collections, collection: &str) -> Result<Vec<Document>, Fault> {
    let command = doc! { "listIndexes": collection };
    let mut cursor = match collections.limit(collections.database.run_cursor_command(command)).await {
        Ok(cursor) => cursor,
        Err(fault) if fault.is_missing_collection() => return Ok(Vec::new()),
        Err(fault) => return Err(fault),
    };
    let mut present = Vec::new();
    while collections.limit(cursor.advance()).await? {
        present.push(cursor.deserialize_current()?);
    }
    Ok(present)
}

fn specification(index: &Index) -> Document {
    let Index { name, keys, unique, sparse } = index;
    let mut specification = doc! { "key": keys.clone(), "name": name };
    if *unique {
        specification.insert("unique", true);
    }
    if *sparse {
        specification.insert("sparse", true);
    }
    specification
}
