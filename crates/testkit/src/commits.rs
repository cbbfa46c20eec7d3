//! A listener that remembers what became durable.

use std::sync::Arc;

use chat_ports::{
    Commit, CommitListener, Committed,
    model::{ConversationId, Message},
};
use parking_lot::Mutex;

/// Remembers every commit, in the order in which it was told.
#[derive(Debug, Default)]
pub struct RecordingListener(Mutex<Vec<Committed>>);

impl RecordingListener {
    /// A listener that has heard nothing yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// All commits so far.
    pub fn commits(&self) -> Vec<Commit> {
        self.0.lock().iter().map(|committed| committed.commit.clone()).collect()
    }

    /// All commits so far, with their numbers.
    pub fn numbered(&self) -> Vec<Committed> {
        self.0.lock().clone()
    }

    /// The messages of a conversation that became durable so far.
    pub fn sent(&self, conversation: ConversationId) -> Vec<Arc<Message>> {
        let messages = self.commits().into_iter().filter_map(|commit| match commit {
            Commit::Sent { message, .. } => Some(message),
            Commit::Receipt { .. } | _ => None,
        });
        messages.filter(|message| message.conversation() == conversation).collect()
    }

    /// Forgets what it has heard, and answers it.
    pub fn take(&self) -> Vec<Commit> {
        self.0.lock().drain(..).map(|committed| committed.commit).collect()
    }
}

impl CommitListener for RecordingListener {
    fn committed(&self, commits: Vec<Committed>) {
        self.0.lock().extend(commits);
    }
}
