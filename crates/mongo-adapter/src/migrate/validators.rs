//! Validators: the server warns of documents of other types, where it can.

use bson::doc;

use super::{catalog::Validator, progress::Reporter};
use crate::{connection::Collections, error::Fault};

/// The server does not know the command.
const COMMAND_NOT_FOUND: i32 = 59;
/// The user may read and write, and no more.
const UNAUTHORIZED: i32 = 13;

/// Sets a collection's validator: `moderate`, so that what is wrong already may be updated, and `warn`, so
/// that an older application goes on writing.
pub(super) async fn set(
    collections: &Collections,
    validator: &Validator,
    reporter: &mut Reporter<'_>,
) -> Result<(), Fault> {
    let command = doc! {
        "collMod": &validator.collection,
        "validator": { "$jsonSchema": validator.schema.clone() },
        "validationLevel": "moderate",
        "validationAction": "warn",
    };
    match collections.database.run_command(command).await.map_err(Fault::from) {
        Ok(_) => Ok(()),
        Err(fault) if is_unknown(&fault) => {
            reporter.note(format!("the server has no validators; {} goes without", validator.collection));
            Ok(())
        }
        Err(fault) if fault.code() == Some(UNAUTHORIZED) => {
            let collection = &validator.collection;
            reporter.note(format!("{collection} goes without validator: collMod needs the role dbAdmin"));
            Ok(())
        }
        Err(fault) => Err(fault),
    }
}

fn is_unknown(fault: &Fault) -> bool {
    fault.is_not_implemented() || fault.code() == Some(COMMAND_NOT_FOUND)
}
