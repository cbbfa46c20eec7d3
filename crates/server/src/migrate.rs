//! `migrate`: shows what is applied, what would be done, or does it.

use std::fmt::Display;

use chat_domain::model::Timestamp;
use chat_mongo_adapter::{
    Options,
    migrate::{self, MigrateError, MigrationState, MigrationStatus},
};

use crate::{commands::print, failure::Failure, settings::Settings, storage};

/// Prints how each migration stands.
///
/// # Errors
/// The database is not to be had.
pub(crate) fn status(settings: &Settings) -> Result<(), Failure> {
    for migration in migrate::status(&options(settings)?).map_err(failed)? {
        print(line(&migration))?;
    }
    Ok(())
}

/// Prints what each migration would do, and changes nothing.
///
/// # Errors
/// The database is not to be had, or a newer build's migration stands in the way.
pub(crate) fn dry_run(settings: &Settings) -> Result<(), Failure> {
    let plans = migrate::plan(&options(settings)?).map_err(failed)?;
    let mut is_done = true;
    for plan in plans.iter().filter(|plan| !plan.steps.is_empty()) {
        is_done = false;
        print(format_args!("{:04} {}: {}", plan.id, plan.name, plan.about))?;
        for step in &plan.steps {
            print(format_args!("  would {step}"))?;
        }
    }
    if is_done { print("nothing to do") } else { Ok(()) }
}

/// Applies what is missing, telling how far it is.
///
/// # Errors
/// The database failed, or a newer build's migration stands in the way.
pub(crate) fn apply(settings: &Settings) -> Result<(), Failure> {
    let mut unheard = None;
    let mut tell = |progress| {
        if let Err(failure) = print(progress) {
            unheard.get_or_insert(failure);
        }
    };
    migrate::apply(&options(settings)?, &mut tell).map_err(failed)?;
    unheard.map_or_else(|| print("the database is up to date"), Err)
}

fn options(settings: &Settings) -> Result<Options, Failure> {
    storage::mongo_options(settings).ok_or_else(|| {
        Failure::Settings("MONGODB_URI: is not set; the embedded store needs no migrations".into())
    })
}

fn failed(error: MigrateError) -> Failure {
    if matches!(error, MigrateError::Start(_)) {
        return Failure::Settings(error.to_string());
    }
    Failure::run("MONGODB_URI", error)
}

/// A time as RFC 3339 in UTC; one that no calendar knows as its milliseconds.
fn time(at: Timestamp) -> String {
    let known = jiff::Timestamp::from_millisecond(at.millis());
    known.map_or_else(|_| at.millis().to_string(), |time| time.to_string())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a state that this build does not know reads as one of a newer build"
)]
fn line(migration: &MigrationStatus) -> impl Display {
    let state = match &migration.state {
        MigrationState::Pending => "pending".to_owned(),
        MigrationState::Applied { at, by, again: false } => format!("applied {} by {by}", time(*at)),
        MigrationState::Applied { at, by, again: true } => {
            format!("applied {} by {by}; there is work for it again", time(*at))
        }
        MigrationState::Unknown { compatible: true } => {
            "of a newer build, which this one may work with".into()
        }
        _ => "of a newer build, which this one can't work with".into(),
    };
    format!("{:04} {}: {state}", migration.id, migration.name)
}
