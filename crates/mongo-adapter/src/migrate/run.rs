//! Applies what is missing, in order, one process at a time.

use std::time::Duration;

use bson::doc;

use super::{
    MigrationPlan, MigrationStatus,
    catalog::{Backfill, CATALOG, Migration, Step},
    indexes,
    lease::{DEAD_AFTER, Lease},
    messages,
    progress::{Progress, Reporter},
    record, users, validators,
};
use crate::{
    StartError, connection::Collections, conversations::primary_clock, error::Fault, supervisor::Obstacle,
};

/// How long one operation may take once migrating has begun: nobody waits for its answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a lease may be lost before a run gives up.
const ATTEMPTS: usize = 5;

/// A run of migrations.
pub(super) struct Run<'a> {
    collections: &'a Collections,
    reporter: Reporter<'a>,
}

impl<'a> Run<'a> {
    pub(super) const fn new(collections: &'a Collections, reporter: Reporter<'a>) -> Self {
        Self { collections, reporter }
    }

    /// Applies what is missing, and what has work to do again.
    pub(super) async fn apply(&mut self) -> Result<(), Obstacle> {
        for _ in 0..ATTEMPTS {
            if pending(self.collections).await?.is_empty() {
                return Ok(());
            }
            let waits = || self.reporter.tell(Progress::Waiting);
            let lease = Lease::take(self.collections, DEAD_AFTER, waits).await?;
            let patient = Collections { operation_timeout: PATIENCE, ..self.collections.clone() };
            if lease.hold(self.apply_all(&patient)).await?.is_some() {
                return Ok(());
            }
        }
        Err(Fault::Answer("lease for migrating").into())
    }

    /// Refuses a database in which something is missing.
    pub(super) async fn require_applied(&mut self) -> Result<(), Obstacle> {
        let applied = record::read(self.collections).await?;
        record::refuse_unknown(&applied).map_err(Obstacle::Final)?;
        let missing = CATALOG.iter().filter(|migration| !applied.contains_key(&migration.id));
        let names: Vec<_> = missing.map(|missing| format!("{:04} {}", missing.id, missing.name)).collect();
        if names.is_empty() {
            return Ok(());
        }
        let text = format!("migrations are missing ({}); run `chat-server migrate`", names.join(", "));
        Err(Obstacle::Final(StartError::Migrations(text)))
    }

    /// Applies them, holding the lease: looks anew what is missing, for another process may just have
    /// been at it.
    async fn apply_all(&mut self, collections: &Collections) -> Result<(), Obstacle> {
        let pending = pending(collections).await?;
        if is_empty(collections).await? {
            self.reporter.tell(Progress::Empty { database: collections.database.name().to_owned() });
        }
        for migration in pending {
            let (id, name) = (migration.id, migration.name.clone());
            self.reporter.tell(Progress::Begun { id, name: name.clone() });
            for step in &migration.steps {
                self.apply_step(collections, step).await?;
            }
            record::write(collections, migration, primary_clock(collections).await?).await?;
            self.reporter.tell(Progress::Applied { id, name });
        }
        Ok(())
    }

    async fn apply_step(&mut self, collections: &Collections, step: &Step) -> Result<(), Fault> {
        let reporter = &mut self.reporter;
        match step {
            Step::Indexes(wanted) => indexes::make(collections, wanted).await,
            Step::Validator(validator) => validators::set(collections, validator, reporter).await,
            Step::Backfill(Backfill::Users) => users::fold_names(collections, reporter).await,
            Step::Backfill(Backfill::Messages) => messages::number(collections, reporter).await,
        }
    }
}

/// How every migration stands.
pub(super) async fn status(collections: &Collections) -> Result<Vec<MigrationStatus>, Obstacle> {
    let applied = record::read(collections).await?;
    let mut again = Vec::new();
    for migration in CATALOG.iter().filter(|migration| applied.contains_key(&migration.id)) {
        if has_work(collections, migration).await? {
            again.push(migration.id);
        }
    }
    Ok(record::statuses(&applied, &again))
}

/// What each migration would do.
pub(super) async fn plan(collections: &Collections) -> Result<Vec<MigrationPlan>, Obstacle> {
    let applied = record::read(collections).await?;
    record::refuse_unknown(&applied).map_err(Obstacle::Final)?;
    let mut plans = Vec::new();
    for migration in CATALOG.iter() {
        let mut steps = Vec::new();
        for step in &migration.steps {
            steps.extend(plan_step(collections, step, applied.contains_key(&migration.id)).await?);
        }
        let about = format!("{} To undo: {}", migration.about, migration.undo);
        plans.push(MigrationPlan { id: migration.id, name: migration.name.clone(), about, steps });
    }
    Ok(plans)
}

async fn plan_step(collections: &Collections, step: &Step, is_applied: bool) -> Result<Vec<String>, Fault> {
    match step {
        Step::Indexes(wanted) => indexes::plan(collections, wanted).await,
        Step::Validator(_) if is_applied => Ok(Vec::new()),
        Step::Validator(validator) => Ok(vec![format!("set the validator of {}", validator.collection)]),
        Step::Backfill(Backfill::Users) => users::plan(collections).await,
        Step::Backfill(Backfill::Messages) => messages::plan(collections).await,
    }
}

/// Those to be applied: not recorded, or with work to do again.
async fn pending(collections: &Collections) -> Result<Vec<&'static Migration>, Obstacle> {
    let applied = record::read(collections).await?;
    record::refuse_unknown(&applied).map_err(Obstacle::Final)?;
    let mut pending = Vec::new();
    for migration in CATALOG.iter() {
        if !applied.contains_key(&migration.id) || has_work(collections, migration).await? {
            pending.push(migration);
        }
    }
    Ok(pending)
}

/// Whether an applied migration has work again: something was dropped, or an older application wrote.
async fn has_work(collections: &Collections, migration: &Migration) -> Result<bool, Fault> {
    for step in &migration.steps {
        let has_work = match step {
            Step::Indexes(wanted) => !indexes::missing(collections, wanted).await?.is_empty(),
            Step::Validator(_) => false,
            Step::Backfill(Backfill::Users) => users::has_work(collections).await?,
            Step::Backfill(Backfill::Messages) => messages::has_work(collections).await?,
        };
        if has_work {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether nobody has stored anything yet.
async fn is_empty(collections: &Collections) -> Result<bool, Fault> {
    for collection in [&collections.users, &collections.messages] {
        if collections.limit(collection.find_one(doc! {})).await?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}
