//! What is in the log and not in the tables yet, as whole rows in memory, for reads to lay over what
//! they fetched.
//!
//! One lock guards it, held for moments: the writer takes it once a commit, readers once a page, and the
//! sweeper in slices. The order is what makes reads whole: a sweep commits first, then raises the
//! [`generation`](Overlay::generation), then removes rows here. So whoever misses something here
//! finds it in a snapshot of the tables that was opened afterwards.

mod inner;
mod moving;
mod recent;

use std::{
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chat_ports::{
    Clock,
    model::{ClientId, ConversationId, Message, MessageId, Timestamp, UserId},
};
use parking_lot::{Condvar, Mutex};

pub(crate) use recent::{Found, Laid, Marks, Touch, Touched, View};

use crate::{Options, history::Span, record::Entry, state::ConversationState};
use inner::Inner;

/// What an entry takes beside its texts, by a generous estimate, bytes.
pub(crate) const ENTRY_BYTES: usize = 384;
/// Rows that leave memory under one hold of the lock.
const SLICE: usize = 512;
/// How old an entry becomes that takes a text away, until a sweep takes it.
const ERASE_AGE: Duration = Duration::from_millis(500);

/// An entry with its number in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub(crate) n: u64,
    pub(crate) entry: Entry,
}

impl Numbered {
    /// Whether it takes a text away, which then is to leave the files soon.
    pub(crate) const fn erases(&self) -> bool {
        matches!(self.entry, Entry::Changed(_))
    }
}

/// An entry, and its conversation's numbers with it.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) numbered: Numbered,
    pub(crate) state: ConversationState,
}

/// A message by what makes it the same one: sender, receiver and the sender's own name for it.
#[derive(Debug, Clone)]
pub(crate) struct DedupKey(pub(crate) Arc<Message>);

impl DedupKey {
    /// The key of what was sent under this name, to look it up by.
    pub(crate) fn named(sender: UserId, receiver: UserId, client_id: &ClientId) -> Self {
        Self(Arc::new(Message {
            id: MessageId::from_bytes([0; 12]),
            seq: 0,
            sender,
            receiver,
            text: String::new(),
            timestamp: Timestamp::from_millis(0),
            delivered_at: None,
            read_at: None,
            edited_at: None,
            deleted_at: None,
            first_text: None,
            client_id: Some(client_id.as_str().to_owned()),
        }))
    }
}

impl PartialEq for DedupKey {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.0, &other.0);
        a.client_id == b.client_id && a.sender == b.sender && a.receiver == b.receiver
    }
}

impl Eq for DedupKey {}

impl Hash for DedupKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.sender.hash(state);
        self.0.receiver.hash(state);
        self.0.client_id.hash(state);
    }
}

/// A conversation at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) state: ConversationState,
    /// Its last message, if that is in memory.
    pub(crate) last_message: Option<Arc<Message>>,
    /// What memory knows of the last message, where that is in the tables.
    pub(crate) laid: Laid,
}

/// The memory of what is not swept. Bounded by [`Options::overlay_entries`] and
/// [`Options::overlay_bytes`]: past them the writer waits before it takes further entries.
#[derive(Debug)]
pub(crate) struct Overlay {
    inner: Mutex<Inner>,
    /// Signalled when there is something to sweep.
    work: Condvar,
    /// Signalled when a sweep has made room.
    room: Condvar,
    /// Signalled when the store closes.
    stopping: Condvar,
    generation: AtomicU64,
    max_entries: usize,
    max_bytes: usize,
    sweep_entries: usize,
    sweep_age: Duration,
}

impl Overlay {
    /// An empty memory behind the entry of this number.
    pub(crate) fn new(options: &Options, last_entry: u64) -> Self {
        Self {
            inner: Mutex::new(Inner { last_entry, ..Inner::default() }),
            work: Condvar::new(),
            room: Condvar::new(),
            stopping: Condvar::new(),
            generation: AtomicU64::new(0),
            max_entries: options.overlay_entries.max(1),
            max_bytes: options.overlay_bytes,
            sweep_entries: options.sweep_entries.max(1),
            sweep_age: options.sweep_age,
        }
    }

    /// Takes in what became durable, in its order.
    pub(crate) fn apply(&self, staged: impl IntoIterator<Item = Staged>, now: Instant) {
        let mut inner = self.inner.lock();
        let before = inner.pending.len();
        staged.into_iter().for_each(|staged| inner.take_in(staged));
        if before == 0 && !inner.pending.is_empty() {
            inner.pending_since = Some(now);
            self.work.notify_one();
        } else if inner.is_erasing()
            || before < self.sweep_entries && inner.pending.len() >= self.sweep_entries
        {
            self.work.notify_one();
        }
    }

    /// How many entries there is room for; at least one where nothing stands in memory.
    pub(crate) fn room(&self) -> usize {
        self.room_in(&self.inner.lock())
    }

    /// Waits for a sweep to make room, at most so long.
    pub(crate) fn wait_for_room(&self, most: Duration) {
        let mut inner = self.inner.lock();
        if self.room_in(&inner) == 0 {
            self.work.notify_one();
            self.room.wait_for(&mut inner, most);
        }
    }

    fn room_in(&self, inner: &Inner) -> usize {
        if inner.entries == 0 {
            return self.max_entries;
        }
        if inner.bytes >= self.max_bytes { 0 } else { self.max_entries.saturating_sub(inner.entries) }
    }

    /// Waits until a sweep is due, by number, age, want of room or closing, and takes its entries.
    /// `None` once it is closing and nothing is left.
    pub(crate) fn next_sweep(&self, clock: &dyn Clock, most_idle: Option<Duration>) -> Option<Vec<Numbered>> {
        let mut inner = self.inner.lock();
        loop {
            let age = inner.pending_since.map(|since| clock.instant().saturating_duration_since(since));
            let full = self.room_in(&inner) == 0;
            let due = inner.pending.len() >= self.sweep_entries || full || inner.closing || inner.draining;
            let most = if inner.is_erasing() { self.sweep_age.min(ERASE_AGE) } else { self.sweep_age };
            match age {
                Some(age) if due || age >= most => return Some(inner.take_pending(self.sweep_entries)),
                Some(age) => drop(self.work.wait_for(&mut inner, most.saturating_sub(age))),
                None if inner.closing => return None,
                None => match most_idle {
                    None => self.work.wait(&mut inner),
                    Some(most) => {
                        if self.work.wait_for(&mut inner, most).timed_out() && inner.pending_since.is_none() {
                            return Some(Vec::new());
                        }
                    }
                },
            }
        }
    }

    /// Lets the sweeper take what is left and end.
    pub(crate) fn close(&self) {
        self.inner.lock().closing = true;
        self.work.notify_all();
        self.stopping.notify_all();
    }

    /// Waits so long, less if the store closes; whether it does.
    pub(crate) fn pause(&self, most: Duration) -> bool {
        let mut inner = self.inner.lock();
        if !inner.closing {
            self.stopping.wait_for(&mut inner, most);
        }
        inner.closing
    }

    /// How many sweeps have been committed. Raised before their rows leave memory.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Removes what a sweep has committed: everything up to entry `swept` of these conversations.
    pub(crate) fn remove(&self, swept: u64, conversations: impl IntoIterator<Item = ConversationId>) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        let mut conversations = conversations.into_iter().peekable();
        while conversations.peek().is_some() {
            let mut inner = self.inner.lock();
            let mut left = SLICE;
            while left > 0
                && let Some(conversation) = conversations.peek()
            {
                if inner.remove(conversation, swept, &mut left) {
                    conversations.next();
                }
            }
            self.room.notify_all();
        }
    }

    /// A conversation's numbers, if it is in memory.
    pub(crate) fn state(&self, conversation: &ConversationId) -> Option<ConversationState> {
        self.inner.lock().conversations.get(conversation).map(|recent| recent.state)
    }

    /// The message with this id, as it is now.
    pub(crate) fn find(&self, id: MessageId) -> Option<Found> {
        let inner = self.inner.lock();
        let (conversation, seq) = inner.ids.get(&id)?;
        inner.conversations.get(conversation)?.found(*seq)
    }

    /// The message that was stored under this key, as it is now.
    pub(crate) fn repeated(&self, key: &DedupKey) -> Option<Arc<Message>> {
        let inner = self.inner.lock();
        let first = inner.dedup.get(key)?;
        let recent = inner.conversations.get(&first.0.conversation())?;
        recent.get(u32::try_from(first.0.seq).ok()?).map(|row| recent.current(row))
    }

    /// The id of a message, and the `seq` of its sender's message before it.
    pub(crate) fn link(&self, conversation: &ConversationId, seq: u32) -> Option<(MessageId, u32)> {
        self.inner.lock().conversations.get(conversation)?.link(seq)
    }

    /// What memory knows of the message at `seq`, which is in the tables.
    pub(crate) fn laid(&self, conversation: &ConversationId, seq: u32) -> Laid {
        let inner = self.inner.lock();
        let recent = inner.conversations.get(conversation);
        recent.map(|recent| recent.laid(Span { first: seq, last: seq })).unwrap_or_default()
    }

    /// The number of the last entry that is shown.
    pub(crate) fn last_entry(&self) -> u64 {
        self.inner.lock().last_entry
    }

    /// What entries in a range of numbers concerned in a conversation, as far as they are in memory.
    pub(crate) fn touched(
        &self,
        conversation: &ConversationId,
        after: u64,
        end: u64,
    ) -> (Option<Span>, Vec<Touched>) {
        let inner = self.inner.lock();
        inner.conversations.get(conversation).map(|recent| recent.touched(after, end)).unwrap_or_default()
    }

    /// The entries in a range of numbers in a conversation, as far as they are in memory: of new messages the number and the
    /// `seq`, and the rest.
    pub(crate) fn entries(
        &self,
        conversation: &ConversationId,
        after: u64,
        end: u64,
    ) -> (Vec<(u64, u32)>, Vec<Touched>) {
        let inner = self.inner.lock();
        inner.conversations.get(conversation).map(|recent| recent.entries(after, end)).unwrap_or_default()
    }

    /// What memory has of a page, which `span` names once it knows the last `seq`.
    pub(crate) fn view(&self, conversation: &ConversationId, span: impl FnOnce(u32) -> Span) -> Option<View> {
        let inner = self.inner.lock();
        let recent = inner.conversations.get(conversation)?;
        Some(recent.view(span(recent.state.last)))
    }

    /// Which of a user's conversations are in memory.
    pub(crate) fn conversations_of(&self, user: UserId) -> Vec<ConversationId> {
        let low = ConversationId::from_key([0; 24]);
        let high = ConversationId::from_key([0xff; 24]);
        let inner = self.inner.lock();
        inner.owners.range((user, low)..=(user, high)).map(|(_, conversation)| *conversation).collect()
    }

    /// The ends of these conversations, for those that are still in memory.
    pub(crate) fn heads(&self, conversations: &[ConversationId]) -> Vec<(ConversationId, Head)> {
        let inner = self.inner.lock();
        let head = |conversation: &ConversationId| {
            let recent = inner.conversations.get(conversation)?;
            let last_message = recent.last().map(|row| recent.current(row));
            let laid = recent.laid(Span { first: recent.state.last, last: recent.state.last });
            Some((*conversation, Head { state: recent.state, last_message, laid }))
        };
        conversations.iter().filter_map(head).collect()
    }

    /// How many entries and bytes stand in memory.
    #[cfg(test)]
    pub(crate) fn size(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        (inner.entries, inner.bytes)
    }
}
