//! Many updates in one round trip: the `update` command with many statements.
//!
//! The driver's own bulk of writes needs MongoDB 8.

use bson::{Bson, Document, doc};

use crate::{
    connection::Collections,
    error::{Fault, unavailable},
};

/// How sure an answer makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// A majority has it in its journals.
    Majority,
    /// The primary has it in memory.
    Memory,
}

/// What became of a bulk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How many documents were found or made.
    pub(crate) matched: usize,
    /// The statements that failed, by their places, with the server's codes.
    pub(crate) errors: Vec<(usize, i32)>,
}

/// One statement: sets what `update` says on the one document that `filter` names.
pub(crate) fn statement(filter: Document, update: Document) -> Document {
    doc! { "q": filter, "u": update }
}

/// The same, making the document where there is none.
pub(crate) fn upsert(filter: Document, update: Document) -> Document {
    doc! { "q": filter, "u": update, "upsert": true }
}

/// Sends statements to a collection. `ordered`: what stands behind a failed one is not done.
///
/// # Errors
/// The command as a whole failed, or its outcome is unknown.
pub(crate) async fn update(
    collections: &Collections,
    collection: &str,
    statements: Vec<Document>,
    ordered: bool,
    durability: Durability,
) -> Result<Outcome, Fault> {
    let concern = match durability {
        Durability::Majority => doc! { "w": "majority", "j": true },
        Durability::Memory => doc! { "w": 1 },
    };
    let command =
        doc! { "update": collection, "updates": statements, "ordered": ordered, "writeConcern": concern };
    outcome(&collections.limit(collections.database.run_command(command)).await?)
}

fn outcome(answer: &Document) -> Result<Outcome, Fault> {
    if answer.contains_key("writeConcernError") {
        return Err(unavailable("a write was not acknowledged by a majority").into());
    }
    let errors = answer.get_array("writeErrors").map(|errors| errors.iter().filter_map(failure).collect());
    let matched = answer.get("n").and_then(whole).unwrap_or_default();
    Ok(Outcome { matched, errors: errors.unwrap_or_default() })
}

fn failure(error: &Bson) -> Option<(usize, i32)> {
    let error = error.as_document()?;
    Some((error.get("index").and_then(whole)?, error.get_i32("code").unwrap_or_default()))
}

fn whole(number: &Bson) -> Option<usize> {
    let number = number.as_i32().map(i64::from).or_else(|| number.as_i64());
    number.and_then(|number| usize::try_from(number).ok())
}
