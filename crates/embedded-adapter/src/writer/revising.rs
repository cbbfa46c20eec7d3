//! What an edit or a deletion changes. Each is a commit of its own: it is seldom, and what it goes by is what is shown.

use std::sync::Arc;

use chat_ports::{
    Commit,
    model::{Message, TextDigest},
};

use super::{Batch, Writer};
use crate::{
    fault::Fault,
    job::{Answer, ChangeReply, Revision},
    record::{Change, Changed, Entry},
    state::Who,
};

impl Writer {
    /// Stages an edit or a deletion.
    pub(super) fn revise(
        &mut self,
        revision: Revision,
        reply: ChangeReply,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let id = match &revision {
            Revision::Edit(edit) => edit.message,
            Revision::Delete(delete) => delete.message,
        };
        let found = match self.ledger.now(id) {
            Ok(Some(found)) => found,
            Ok(None) => return self.excuse(batch, Answer::Change(reply, Ok(None))),
            Err(fault) => return self.excuse(batch, Answer::Change(reply, Err(fault.into()))),
        };
        let change = match revision {
            Revision::Edit(_) if found.is_deleted() => {
                return self.excuse(batch, Answer::Change(reply, Ok(None)));
            }
            Revision::Delete(_) if found.is_deleted() => {
                return self.excuse(batch, Answer::Change(reply, Ok(Some(found))));
            }
            Revision::Edit(edit) => {
                let first_text = found.first_text.unwrap_or_else(|| TextDigest::of(found.id, &found.text));
                Change::Edited {
                    text: edit.text.into_string().into(),
                    at: found.edit_time(edit.at),
                    first_text,
                }
            }
            Revision::Delete(delete) => Change::Deleted { at: delete.at },
        };
        let mut message = Message::clone(&found);
        change.apply(&mut message);
        let message = Arc::new(message);
        let commit = match change {
            Change::Edited { .. } => Commit::Edited { message: Arc::clone(&message) },
            Change::Deleted { .. } => Commit::Deleted { message: Arc::clone(&message) },
        };
        self.tell(commit, 1, batch);
        batch.answer(Answer::Change(reply, Ok(Some(Arc::clone(&message)))));
        let conversation = message.conversation();
        let state = self.ledger.known(&conversation)?.state;
        let sender = Who::is(message.sender, &conversation);
        let seq = u32::try_from(message.seq).unwrap_or(u32::MAX);
        let entry = Entry::Changed(Changed { conversation, sender, seq, change });
        self.write_entry(entry, state, batch)
    }
}
