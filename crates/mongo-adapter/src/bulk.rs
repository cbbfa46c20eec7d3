//! Many updates in one round trip: the `update` command with many statements.
//!
//! The driver's own bulk of writes needs MongoDB 8. FerretDB 1 has two ways of its own here: it keeps a
//! connection of its hundred for each statement until the command ends, so that a hundred at once wait
//! for ever; and it stops at the first failure, ordered or not. So there a bulk goes out in slices, one at a
//! time, and what stands behind a failure is sent again.

use bson::{Bson, Document, doc};
use tokio::sync::{OnceCell, Semaphore};

use crate::{
    connection::Collections,
    error::{Fault, unavailable},
};

/// Statements of one command on FerretDB.
const SLICE: usize = 40;

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

/// What is known of the server, and whose turn it is there.
#[derive(Debug)]
pub(crate) struct Bulks {
    is_ferret: OnceCell<bool>,
    turn: Semaphore,
}

impl Default for Bulks {
    fn default() -> Self {
        Self { is_ferret: OnceCell::new(), turn: Semaphore::new(1) }
    }
}

/// One statement: sets what `update` says on the one document that `filter` names.
pub(crate) fn statement(filter: Document, update: Document) -> Document {
    doc! { "q": filter, "u": update }
}

/// The same, making the document where there is none.
pub(crate) fn upsert(filter: Document, update: Document) -> Document {
    doc! { "q": filter, "u": update, "upsert": true }
}

/// Sends statements to a collection. `ordered`: what stands behind a failed one is not done; else
/// everything else is.
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
    let bulk = Bulk { collections, collection, ordered, durability };
    if !*collections.bulks.is_ferret.get_or_try_init(|| is_ferret(collections)).await? {
        return bulk.send(statements).await;
    }
    let _turn =
        collections.bulks.turn.acquire().await.map_err(|_closed| unavailable("the store is closed"))?;
    bulk.send_in_slices(&statements).await
}

/// Asked once a connection.
async fn is_ferret(collections: &Collections) -> Result<bool, Fault> {
    let build = collections.limit(collections.database.run_command(doc! { "buildInfo": 1 })).await?;
    Ok(build.contains_key("ferretdbVersion"))
}

struct Bulk<'a> {
    collections: &'a Collections,
    collection: &'a str,
    ordered: bool,
    durability: Durability,
}

impl Bulk<'_> {
    async fn send(&self, statements: Vec<Document>) -> Result<Outcome, Fault> {
        let concern = match self.durability {
            Durability::Majority => doc! { "w": "majority", "j": true },
            Durability::Memory => doc! { "w": 1 },
        };
        let command = doc! {
            "update": self.collection,
            "updates": statements,
            "ordered": self.ordered,
            "writeConcern": concern,
        };
        outcome(&self.collections.limit(self.collections.database.run_command(command)).await?)
    }

    async fn send_in_slices(&self, statements: &[Document]) -> Result<Outcome, Fault> {
        let (mut done, mut total) = (0, Outcome::default());
        while done < statements.len() {
            let slice: Vec<_> = statements.iter().skip(done).take(SLICE).cloned().collect();
            let length = slice.len();
            let outcome = self.send(slice).await?;
            let Some((place, code)) = outcome.errors.first() else {
                total.matched += outcome.matched;
                done += length;
                continue;
            };
            // It does not say how many it found before.
            total.matched += outcome.matched.max(*place);
            total.errors.push((done + place, *code));
            done += place + 1;
            if self.ordered {
                break;
            }
        }
        Ok(total)
    }
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
