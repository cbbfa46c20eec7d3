//! What moving a store asks of memory.

use std::time::Duration;

use chat_ports::{ReceiptKind, model::ConversationId};

use super::Overlay;
use crate::state::Who;

impl Overlay {
    /// Where memory begins for a conversation, and the numbers past `seq` of one sender's messages in it
    /// that had the mark when they were moved in.
    pub(crate) fn moved_in(
        &self,
        conversation: &ConversationId,
        kind: ReceiptKind,
        sender: Who,
        seq: u32,
    ) -> Option<(u32, Vec<u32>)> {
        let inner = self.inner.lock();
        inner.conversations.get(conversation).map(|recent| recent.moved_in(kind, sender, seq))
    }

    /// Has everything swept now, and waits for it; false if nothing moves for so long.
    pub(crate) fn drain(&self, most: Duration) -> bool {
        let mut inner = self.inner.lock();
        while inner.entries > 0 && !inner.closing {
            inner.draining = true;
            self.work.notify_one();
            if self.room.wait_for(&mut inner, most).timed_out() {
                return false;
            }
        }
        inner.entries == 0
    }
}
