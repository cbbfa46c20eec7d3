//! The migrations: what they are, which are applied, applying them.

use crate::{Options, connection::Collections, supervisor::Obstacle};

/// Applies what is missing. Called by the supervisor at each start, before the gates open.
pub(crate) async fn at_start(collections: &Collections, options: &Options) -> Result<(), Obstacle> {
    if options.migrate {
        collections.limit(collections.messages.create_index(index())).await?;
    }
    Ok(())
}

fn index() -> mongodb::IndexModel {
    mongodb::IndexModel::builder().keys(bson::doc! { "changedAt": 1, "_id": 1 }).build()
}
