//! The migrations: numbered, applied at start or by a command, recorded in the database.
//!
//! Each is a file of `migrations/` at the root of the repository, built in: what is to stand in the database
//! (indexes, validators) is data there, since data can be shown before it is applied and read without
//! Rust; what has to look at documents one by one is code here, named by its file. Every step asks the
//! database what is left to do and does that, so it may be interrupted, repeated, or run twice at once.
//!
//! The functions for a command block and make a small runtime of their own: they must not be called from
//! within another one.

mod catalog;
mod indexes;
mod judge;
mod lease;
mod messages;
mod numbering;
mod progress;
mod record;
mod run;
mod users;
mod validators;

use chat_ports::model::Timestamp;
use tokio::runtime::Builder;

pub use self::progress::Progress;
use self::{progress::Reporter, run::Run};
use crate::{
    Options, StartError,
    connection::Collections,
    error::{Fault, OpenError},
    supervisor::Obstacle,
};

/// A migration that this build knows, or that the database has recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number: they are applied in this order.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Whether it is applied.
    pub state: MigrationState,
}

/// Whether a migration is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationState {
    /// It is to be applied.
    Pending,
    /// It is applied.
    Applied {
        /// When, by the server's clock.
        at: Timestamp,
        /// By which version of this application.
        by: String,
        /// Whether there is work for it again: an older application has written more.
        again: bool,
    },
    /// A newer build has applied it.
    Unknown {
        /// Whether this build may work with it all the same.
        compatible: bool,
    },
}

/// What a migration would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationPlan {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// What it is for, and how it is undone.
    pub about: String,
    /// What its steps would do, with counts; nothing where all is done.
    pub steps: Vec<String>,
}

/// Migrations that were not applied. One line for an operator, without secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The system gives no threads.
    #[error(transparent)]
    Runtime(#[from] OpenError),
    /// The settings are wrong, or a newer build's migration stands in the way.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The database failed. What is done is done; running it again goes on.
    #[error("the database failed: {0}")]
    Database(String),
}

/// Which migrations are applied.
///
/// # Errors
/// The database can't be read.
pub fn status(options: &Options) -> Result<Vec<MigrationStatus>, MigrateError> {
    blocking(options, async |collections| run::status(collections).await)
}

/// What each migration would do now.
///
/// # Errors
/// The database can't be read, or a newer build's migration stands in the way.
pub fn plan(options: &Options) -> Result<Vec<MigrationPlan>, MigrateError> {
    blocking(options, async |collections| run::plan(collections).await)
}

/// Applies what is missing, and what an older application has left to do since. Waits while another
/// process does.
///
/// # Errors
/// The database failed, or a newer build's migration stands in the way.
pub fn apply(options: &Options, tell: &mut (dyn FnMut(Progress) + Send)) -> Result<(), MigrateError> {
    blocking(options, async |collections| Run::new(collections, Reporter::new(tell)).apply().await)
}

fn blocking<T>(
    options: &Options,
    work: impl AsyncFnOnce(&Collections) -> Result<T, Obstacle>,
) -> Result<T, MigrateError> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(OpenError::Threads)?;
    let done = runtime.block_on(async {
        let collections = Collections::connect(options).await?;
        work(&collections).await
    });
    done.map_err(|obstacle| match obstacle {
        Obstacle::Final(error) => MigrateError::Start(error),
        Obstacle::Passing(fault) => failed(options, &fault),
    })
}

fn failed(options: &Options, fault: &Fault) -> MigrateError {
    fault.permanent(&options.uri).map_or_else(|| MigrateError::Database(fault.to_string()), Into::into)
}

/// Applies what is missing. Called by the supervisor at each start, before the gates open.
pub(crate) async fn at_start(collections: &Collections, options: &Options) -> Result<(), Obstacle> {
    let mut tell = |progress: Progress| tracing::info!("{progress}");
    let mut run = Run::new(collections, Reporter::new(&mut tell));
    if options.migrate {
        return run.apply().await;
    }
    run.require_applied().await
}
