//! What another process had on its way when it died: MongoDB may carry it out after this one has begun to serve, and
//! nobody is left to tell of it.
//!
//! Before the gates open, what changed lately is noted. For a while the same is asked again: regularly, and when the
//! writer meets a message that it does not know. What was not there before is told like a commit of this process.

use std::{
    slice,
    sync::Arc,
    time::{Duration, Instant},
};

use bson::{doc, oid};
use chat_ports::{
    Commit, ReceiptKind, ReceiptSpan,
    model::{Message, MessageId, Timestamp},
};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use parking_lot::Mutex;

use crate::{
    changes::CLOCKS,
    clock::earlier,
    commits::Stamp,
    connection::Collections,
    documents::{date, long, millis, object_id, read_message, receipt_number},
    error::Fault,
    store::Inner,
};

/// Messages that are noted. Where more changed lately, what comes late is only found by `sync`.
const MOST: usize = 1 << 18;
/// Between the first two looks; doubled each time.
const PAUSE: Duration = Duration::from_millis(50);

/// What is known of the time before this process began to serve; nothing while nobody has died lately.
#[derive(Debug, Default)]
pub(crate) struct Late(Mutex<Option<Watch>>);

#[derive(Debug)]
struct Watch {
    window: Window,
    until: Instant,
    next: Instant,
    pause: Duration,
    /// When each message was changed, as far as it is known.
    known: HashMap<MessageId, Timestamp>,
}

/// Which changes may be another's.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// By the primary's clock, from the first to before the second: what this process changes is later.
    changed: (Timestamp, Timestamp),
    /// By this node's clock: marks of messages that may have come late.
    marked: Timestamp,
    /// By this node's clock: messages that were noted if they were there.
    sent: Timestamp,
}

impl Late {
    /// Whether it is time to look.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let mut watch = self.0.lock();
        if watch.as_ref().is_some_and(|watch| now >= watch.until) {
            *watch = None;
        }
        watch.as_ref().is_some_and(|watch| now >= watch.next)
    }

    /// Whether something may still come late.
    pub(crate) fn is_watched(&self) -> bool {
        self.0.lock().is_some()
    }

    /// Whether a message was there before this process served.
    fn knows(&self, id: MessageId) -> bool {
        self.0.lock().as_ref().is_some_and(|watch| watch.known.contains_key(&id))
    }

    /// Whether a message that was changed then has come late.
    pub(crate) fn is_news(&self, id: MessageId, changed_at: Timestamp) -> bool {
        let watch = self.0.lock();
        watch.as_ref().is_some_and(|watch| watch.is_news(id, changed_at))
    }

    /// Where to look, if it is still to be done. The next time is after a pause.
    fn begin(&self, now: Instant) -> Option<Window> {
        let mut watch = self.0.lock();
        let watch = watch.as_mut()?;
        watch.next = now + watch.pause;
        watch.pause *= 2;
        Some(watch.window)
    }
}

impl Watch {
    fn is_news(&self, id: MessageId, changed_at: Timestamp) -> bool {
        let (from, to) = self.window.changed;
        (from..to).contains(&changed_at) && self.known.get(&id) != Some(&changed_at)
    }
}

/// Notes what is there, before this process serves anybody.
pub(crate) async fn watch(inner: &Inner, collections: &Collections) -> Result<(), Fault> {
    let limit = inner.options.operation_timeout;
    let (here, now) = (inner.clock.now(), inner.clock.instant());
    let to = inner.primary_clock.now(&*inner.clock);
    // An operation ends on the server within its own limit, and may be tried again.
    let before = limit * 3 + CLOCKS;
    let window = Window {
        changed: (earlier(to, before), to),
        marked: earlier(here, before),
        sent: earlier(here, limit * 2 + CLOCKS),
    };
    let known = changed(collections, window).await?;
    if known.len() > MOST {
        tracing::info!("too much changed lately to tell what another process leaves behind; `sync` has it");
        return Ok(());
    }
    let known = known.into_iter().collect();
    *inner.late.0.lock() = Some(Watch { window, until: now + limit * 3, next: now, pause: PAUSE, known });
    inner.queue.wake();
    Ok(())
}

/// What has come late since the last time, as commits, within a conversation in the order of numbers. It bears the number of now:
/// those who come back may have heard of later ones than its own.
pub(crate) async fn look(inner: &Inner, collections: &Collections) -> Result<Vec<(Commit, u64)>, Fault> {
    let Some(window) = inner.late.begin(inner.clock.instant()) else { return Ok(Vec::new()) };
    let (mut news, mut known) = (HashMap::new(), HashSet::new());
    for (id, changed_at) in changed(collections, window).await? {
        if inner.late.is_news(id, changed_at) {
            news.insert(id, changed_at);
            known.extend(inner.late.knows(id).then_some(id));
        }
    }
    let mut messages = find(collections, news.keys().copied()).await?;
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    messages.sort_by_key(|message| message.seq);
    let stamp = inner.stamp_in_doubt();
    let mut commits = Vec::new();
    for message in messages {
        let is_new = message.timestamp >= window.sent && !known.contains(&message.id);
        commits.extend(commits_of(Arc::new(message), is_new, window.marked));
    }
    if let Err(fault) = renew(collections, &commits, stamp).await {
        // It is told all the same: it would not be found again. Whoever comes back meanwhile is not told of it once more.
        inner.observe(&fault);
    }
    if let Some(watch) = inner.late.0.lock().as_mut() {
        watch.known.extend(news);
    }
    Ok(commits.into_iter().map(|commit| (commit, stamp.number)).collect())
}

/// Notes in the documents under which number each commit is told.
pub(crate) async fn renew(collections: &Collections, commits: &[Commit], stamp: Stamp) -> Result<(), Fault> {
    let mut ids: HashMap<&str, Vec<oid::ObjectId>> = HashMap::new();
    for commit in commits {
        let (field, messages) = match commit {
            Commit::Sent { message, .. } => ("commits.sent", slice::from_ref(&message.id)),
            Commit::Edited { message } => ("commits.edited", slice::from_ref(&message.id)),
            Commit::Deleted { message } => ("commits.deleted", slice::from_ref(&message.id)),
            Commit::Receipt { kind, span, .. } => (receipt_number(*kind), &*span.messages),
            _ => continue,
        };
        ids.entry(field).or_default().extend(messages.iter().map(|id| object_id(id.0)));
    }
    for (field, ids) in ids {
        let renewed = doc! { "$max": { "changedAt": date(stamp.changed_at), field: long(stamp.number) } };
        collections.limit(collections.messages.update_many(doc! { "_id": { "$in": ids } }, renewed)).await?;
    }
    Ok(())
}

async fn changed(collections: &Collections, window: Window) -> Result<Vec<(MessageId, Timestamp)>, Fault> {
    let (from, to) = window.changed;
    let changed = collections
        .messages
        .find(doc! { "changedAt": { "$gte": date(from), "$lt": date(to) } })
        .sort(doc! { "changedAt": 1, "_id": 1 })
        .projection(doc! { "_id": 1, "changedAt": 1 })
        .limit(i64::try_from(MOST + 1).unwrap_or(i64::MAX))
        .max_time(collections.operation_timeout);
    let mut cursor = collections.limit(changed).await?;
    let mut found = Vec::new();
    while collections.limit(cursor.advance()).await? {
        let document = cursor.current();
        if let (Ok(id), Ok(at)) = (document.get_object_id("_id"), document.get_datetime("changedAt")) {
            found.push((MessageId::from_bytes(id.bytes()), millis(at)));
        }
    }
    Ok(found)
}

async fn find(
    collections: &Collections,
    ids: impl Iterator<Item = MessageId>,
) -> Result<Vec<Message>, Fault> {
    let ids: Vec<_> = ids.map(|id| object_id(id.0)).collect();
    let mut messages = Vec::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(messages);
    }
    let found = collections.messages.find(doc! { "_id": { "$in": ids } });
    let mut cursor = collections.limit(found.max_time(collections.operation_timeout)).await?;
    while collections.limit(cursor.advance()).await? {
        let message = read_message(cursor.current())?.message;
        if message.seq > 0 {
            messages.push(message);
        }
    }
    Ok(messages)
}

/// What is to be told of a message: that it is there, or what became of it lately.
fn commits_of(message: Arc<Message>, is_new: bool, since: Timestamp) -> Vec<Commit> {
    if is_new {
        return vec![Commit::Sent { message, except: None }];
    }
    if message.is_deleted() {
        return vec![Commit::Deleted { message }];
    }
    let mut commits = Vec::new();
    let lately = |at: Option<Timestamp>| at.is_some_and(|at| at >= since);
    let delivered = message.delivered_at.filter(|_| message.delivered_at != message.read_at);
    for (kind, at) in [(ReceiptKind::Delivered, delivered), (ReceiptKind::Read, message.read_at)] {
        if lately(at) {
            let (conversation, sender) = (message.conversation(), message.sender);
            let span = ReceiptSpan { conversation, sender, count: 1, messages: vec![message.id] };
            commits.push(Commit::Receipt { kind, receiver: message.receiver, span, except: None });
        }
    }
    if lately(message.edited_at) {
        commits.push(Commit::Edited { message });
    }
    commits
}
