//! How far it is, and what came of it.

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The store is written to the file.
    Exporting,
    /// The file is read through, before anything is changed; or what an interrupted export has left.
    Checking,
    /// The file is put into the store.
    Importing,
    /// The store is compared with the file.
    Comparing,
}

/// How far a step is: what it has gone through of the file or the store, from their beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The step.
    pub step: Step,
    /// Users so far.
    pub users: u64,
    /// Messages so far.
    pub messages: u64,
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Users in the file.
    pub users: u64,
    /// Messages in the file.
    pub messages: u64,
    /// Blocks in the file.
    pub blocks: u64,
    /// SHA-256 of the lines of users, messages and blocks, as hex digits: the same for the same content.
    pub content: String,
    /// What an interrupted try had done before: users and messages.
    pub resumed: Option<(u64, u64)>,
}
