//! The migrations of this build, as their files describe them.

use std::sync::LazyLock;

use bson::Document;
use serde::Deserialize;

/// In the order of their numbers.
const FILES: [&str; 5] = [
    include_str!("../../../../migrations/0001-indexes.json"),
    include_str!("../../../../migrations/0002-users.json"),
    include_str!("../../../../migrations/0003-messages.json"),
    include_str!("../../../../migrations/0004-validators.json"),
    include_str!("../../../../migrations/0005-changes.json"),
];

/// The migrations of this build.
#[expect(clippy::expect_used, reason = "the files are built in, and a test reads them")]
pub(super) static CATALOG: LazyLock<Vec<Migration>> = LazyLock::new(|| {
    FILES.iter().map(|file| serde_json::from_str(file).expect("a migration's file is well-formed")).collect()
});

/// A migration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Migration {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) undo: String,
    /// Whether a build that does not know it may work with the database all the same.
    pub(super) compatible: bool,
    pub(super) steps: Vec<Step>,
}

/// One thing that a migration does.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Step {
    /// Makes indexes of one collection.
    Indexes(Indexes),
    /// Has the server look at documents of one collection.
    Validator(Validator),
    /// Adds fields to documents.
    Backfill(Backfill),
}

/// Indexes of one collection.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Indexes {
    pub(super) collection: String,
    pub(super) indexes: Vec<Index>,
}

/// An index.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) keys: Document,
    #[serde(default)]
    pub(super) unique: bool,
    #[serde(default)]
    pub(super) sparse: bool,
}

/// What documents of one collection should look like.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Validator {
    pub(super) collection: String,
    pub(super) schema: Document,
}

/// What adds fields to documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Backfill {
    Users,
    Messages,
}
