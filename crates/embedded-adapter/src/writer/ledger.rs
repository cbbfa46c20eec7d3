//! What the writer knows of conversations: their numbers, and what was sent under which name.

use std::{mem, sync::Arc};

use chat_ports::{
    ReceiptKind,
    model::{ConversationId, Message, MessageId},
};
use foldhash::{HashMap, HashMapExt};

use crate::{
    fault::Fault,
    lazy::Lazy,
    overlay::{DedupKey, Found},
    shared::Shared,
    state::{ConversationState, Who},
    tables,
    writer::marking::Scattered,
};

/// A conversation's numbers including what is staged, and its number in the tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) state: ConversationState,
    cid: Cid,
}

#[derive(Debug, Clone, Copy)]
enum Cid {
    Is(i64),
    /// The tables did not have it as of this many sweeps, so they have nothing under its name either.
    UnknownAsOf(u64),
}

/// A bounded cache of the numbers in use, over memory, over the tables.
///
/// Only the writer changes a conversation, so what it knows stays true until a commit fails.
pub(super) struct Ledger {
    shared: Arc<Shared>,
    tables: Lazy,
    /// As of how many sweeps the open snapshot of the tables is.
    snapshot: Option<u64>,
    young: HashMap<ConversationId, Known>,
    old: HashMap<ConversationId, Known>,
}

impl Ledger {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let tables = Lazy::new(shared.paths.tables());
        Self { shared, tables, snapshot: None, young: HashMap::new(), old: HashMap::new() }
    }

    /// A conversation's numbers.
    pub(super) fn known(&mut self, conversation: &ConversationId) -> Result<Known, Fault> {
        if let Some(known) = self.young.get(conversation) {
            return Ok(*known);
        }
        let known = match self.old.remove(conversation) {
            Some(known) => known,
            None => self.load(conversation)?,
        };
        self.put(*conversation, known);
        Ok(known)
    }

    /// Remembers a conversation's numbers.
    pub(super) fn put(&mut self, conversation: ConversationId, known: Known) {
        self.young.insert(conversation, known);
    }

    /// Forgets what has not been in use lately, if there is too much of it. Not while something is
    /// staged: that stands nowhere else.
    pub(super) fn trim(&mut self) {
        if self.young.len() * 2 > self.shared.options.cached_conversations {
            self.old = mem::take(&mut self.young);
        }
    }

    /// Forgets everything that is staged, after a failed commit.
    pub(super) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
        self.release();
    }

    /// The message that was stored as the same one before, as it is now.
    pub(super) fn repeated(
        &mut self,
        key: &DedupKey,
        conversation: &ConversationId,
        known: &mut Known,
    ) -> Result<Option<Arc<Message>>, Fault> {
        if let Some(first) = self.shared.overlay.repeated(key) {
            return Ok(Some(first));
        }
        let Some(cid) = self.cid(conversation, known)? else { return Ok(None) };
        let sender = Who::is(key.0.sender, conversation);
        let client_id = key.0.client_id.as_deref().unwrap_or_default();
        let Some(seq) = self.on_tables(|tables| tables::repeated(tables, cid, sender, client_id))? else {
            return Ok(None);
        };
        Ok(Some(Arc::new(self.in_tables(conversation, cid, seq)?)))
    }

    /// A message that the tables have, as it is now.
    fn in_tables(&mut self, conversation: &ConversationId, cid: i64, seq: u32) -> Result<Message, Fault> {
        let laid = self.shared.overlay.laid(conversation, seq);
        self.on_tables(|tables| {
            let mut message = tables::message(tables, conversation, cid, seq)?.message;
            let receiver = Who::receives(message.receiver, conversation);
            tables::set_marks(tables, cid, receiver, seq, &mut message)?;
            laid.over(&mut message, receiver, seq);
            Ok(message)
        })
    }

    /// The message at a `seq`, as it is now; `None` if it is neither in memory nor in the tables.
    pub(super) fn current(
        &mut self,
        conversation: &ConversationId,
        known: &mut Known,
        seq: u32,
    ) -> Result<Option<Arc<Message>>, Fault> {
        let found =
            self.shared.overlay.link(conversation, seq).and_then(|(id, _)| self.shared.overlay.find(id));
        if let Some(found) = found {
            return Ok(Some(found.message));
        }
        let Some(cid) = self.cid(conversation, known)? else { return Ok(None) };
        Ok(Some(Arc::new(self.in_tables(conversation, cid, seq)?)))
    }

    /// Which messages past `seq` the receiver has marked, although not all before them: none but of messages
    /// that were moved in.
    pub(super) fn scattered(
        &mut self,
        conversation: &ConversationId,
        known: &mut Known,
        kind: ReceiptKind,
        receiver: Who,
        seq: u32,
    ) -> Result<Scattered, Fault> {
        let in_memory = self.shared.overlay.moved_in(conversation, kind, receiver.other(), seq);
        let (floor, unswept) = in_memory.unwrap_or((u32::MAX, Vec::new()));
        let swept = match self.cid(conversation, known)? {
            Some(cid) => {
                self.on_tables(|tables| tables::scattered(tables, kind, cid, receiver, (seq, floor)))?
            }
            None => Vec::new(),
        };
        Ok(Scattered { swept, unswept })
    }

    /// The message with this id.
    pub(super) fn find(&mut self, id: MessageId) -> Result<Option<Found>, Fault> {
        if let Some(found) = self.shared.overlay.find(id) {
            return Ok(Some(found));
        }
        self.on_tables(|tables| {
            let Some((cid, seq)) = tables::locate(tables, id)? else { return Ok(None) };
            let known = tables::conversation_by_cid(tables, cid)?;
            let (conversation, _) = known.ok_or_else(|| Fault::corrupt("conversations", cid, "cid"))?;
            let swept = tables::message(tables, &conversation, cid, seq)?;
            Ok(Some(Found { message: Arc::new(swept.message), place: swept.place }))
        })
    }

    /// The message with this id, as it is now.
    pub(super) fn now(&mut self, id: MessageId) -> Result<Option<Arc<Message>>, Fault> {
        let Some(found) = self.find(id)? else { return Ok(None) };
        let conversation = found.message.conversation();
        let mut known = self.known(&conversation)?;
        self.current(&conversation, &mut known, found.place.seq)
    }

    /// Lets the tables' snapshot go, so that their WAL can be reused. What fails here fails again,
    /// and louder, at the next look-up.
    pub(super) fn release(&mut self) {
        if self.snapshot.take().is_some()
            && self.tables.opened().is_some_and(|tables| tables.execute_batch("COMMIT").is_err())
        {
            self.tables.forget();
        }
    }

    fn load(&mut self, conversation: &ConversationId) -> Result<Known, Fault> {
        let state = self.shared.overlay.state(conversation);
        let generation = self.shared.overlay.generation();
        let swept = self.on_tables(|tables| tables::conversation(tables, conversation))?;
        let cid = swept.map_or(Cid::UnknownAsOf(generation), |known| Cid::Is(known.cid));
        let state = state.or_else(|| swept.map(|known| known.state)).unwrap_or_default();
        Ok(Known { state, cid })
    }

    fn cid(&mut self, conversation: &ConversationId, known: &mut Known) -> Result<Option<i64>, Fault> {
        let generation = self.shared.overlay.generation();
        match known.cid {
            Cid::Is(cid) => return Ok(Some(cid)),
            Cid::UnknownAsOf(then) if then == generation => return Ok(None),
            Cid::UnknownAsOf(_) => {}
        }
        let swept = self.on_tables(|tables| tables::conversation(tables, conversation))?;
        known.cid = swept.map_or(Cid::UnknownAsOf(generation), |known| Cid::Is(known.cid));
        Ok(swept.map(|known| known.cid))
    }

    /// The id of a message, and the `seq` of its sender's message before it.
    pub(super) fn link(
        &mut self,
        conversation: &ConversationId,
        known: &mut Known,
        seq: u32,
    ) -> Result<(MessageId, u32), Fault> {
        if let Some(link) = self.shared.overlay.link(conversation, seq) {
            return Ok(link);
        }
        let cid = self.cid(conversation, known)?.ok_or_else(|| Fault::corrupt("messages", seq, "k"))?;
        self.on_tables(|tables| tables::link(tables, cid, seq))
    }

    /// Reads in a snapshot of the tables that has every sweep so far: what memory did not have has
    /// to be in it. One snapshot serves many look-ups, because opening it costs more than reading.
    fn on_tables<T>(
        &mut self,
        read: impl FnOnce(&rusqlite::Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let generation = self.shared.overlay.generation();
        if self.snapshot != Some(generation) {
            self.release();
            self.tables.get()?.execute_batch("BEGIN")?;
            self.snapshot = Some(generation);
        }
        let result = read(self.tables.get()?);
        if let Err(fault) = &result {
            // A new connection is cheap, and the failed one may be part of the fault.
            self.snapshot = None;
            self.tables.forget();
            if fault.is_damage() {
                self.shared.paths.suspect_tables();
            }
        }
        result
    }
}
