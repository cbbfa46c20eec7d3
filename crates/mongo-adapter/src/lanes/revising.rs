//! One edit or deletion: an update of one document that no deletion may follow, and what became of it.

use std::{sync::Arc, time::Duration};

use bson::{Binary, Document, doc, spec::BinarySubtype};
use chat_ports::{
    Commit, StoreError,
    model::{Message, MessageId, TextDigest},
};
use tokio::sync::oneshot;

use super::{
    Revision,
    doubtful::{Change, Doubtful, Tried},
};
use crate::{
    commits::Stamp,
    connection::Collections,
    documents::{date, long, object_id, read_message},
    error::Fault,
    store::Inner,
};

/// Between attempts, while an outcome is unknown.
const PAUSE: Duration = Duration::from_millis(50);

/// What became of a message.
enum Outcome {
    /// There is none, or none to be edited.
    None,
    /// It was deleted before.
    Stands(Arc<Message>),
    /// It was changed by this, which is told under this number.
    Changed(Arc<Message>, u64),
}

/// Carries a change out, tells it, and answers. What is to be looked for where that is not known to be done.
pub(super) async fn carry_out(
    inner: &Inner,
    revision: Revision,
    reply: oneshot::Sender<Result<Option<Arc<Message>>, StoreError>>,
) -> Option<Doubtful> {
    let mut tried = Tried::default();
    let outcome = attempt(inner, &revision, &mut tried).await;
    let mut doubtful = tried.doubtful(|| match &revision {
        Revision::Edit(edit) => Change::Edit(edit.message),
        Revision::Delete(delete) => Change::Delete(delete.message),
    });
    let answer = outcome.map(|outcome| match outcome {
        Outcome::None => None,
        Outcome::Stands(message) => Some(message),
        Outcome::Changed(message, number) => {
            let told = Arc::clone(&message);
            let commit = match revision {
                Revision::Edit(_) => Commit::Edited { message: told },
                Revision::Delete(_) => Commit::Deleted { message: told },
            };
            doubtful = None;
            inner.tell(vec![(commit, number)]);
            Some(message)
        }
    });
    // Who asked may have gone; what was changed stays changed.
    drop(reply.send(answer));
    doubtful
}

/// Tries until the outcome is known, at most a while past the deadline: what is stored late is told late.
async fn attempt(inner: &Inner, revision: &Revision, tried: &mut Tried) -> Result<Outcome, StoreError> {
    let collections = inner.gate.pass()?.clone();
    if revision.deadline() <= inner.clock.instant() {
        return Err(StoreError::Timeout);
    }
    let until = revision.deadline() + inner.options.operation_timeout;
    let mut outcome = step(inner, &collections, revision, tried).await;
    while let Err(fault) = &outcome
        && !fault.is_refusal()
        && inner.clock.instant() < until
    {
        inner.observe(fault);
        tokio::time::sleep(PAUSE).await;
        outcome = step(inner, &collections, revision, tried).await;
    }
    Ok(outcome?)
}

/// Looks at the message and changes it. An earlier attempt may have changed it already.
async fn step(
    inner: &Inner,
    collections: &Collections,
    revision: &Revision,
    tried: &mut Tried,
) -> Result<Outcome, Fault> {
    let Some(found) = find(collections, revision.message()).await? else { return Ok(Outcome::None) };
    let earlier = tried.last();
    if let Some(number) = earlier
        && is_done(revision, &found)
    {
        return Ok(Outcome::Changed(Arc::new(found), number));
    }
    if found.is_deleted() {
        return Ok(stands(revision, found));
    }
    let message = match revision {
        Revision::Edit(edit) => found.edited(edit.text.as_str().to_owned(), edit.at),
        Revision::Delete(delete) => found.tombstone(delete.at),
    };
    let stamp = inner.stamp([message.sender, message.receiver]);
    // On another node somebody may have deleted it meanwhile.
    let filter = doc! { "_id": object_id(message.id.0), "deletedAt": { "$exists": false } };
    let updating = collections.messages.update_one(filter, change(&message, stamp));
    let updated = collections.limit(updating).await.map(|updated| updated.matched_count > 0);
    inner.end(stamp, &updated, |is_changed| *is_changed);
    if updated.as_ref().is_err_and(|fault| !fault.is_refusal()) {
        tried.add(stamp.number);
    }
    if updated? {
        return Ok(Outcome::Changed(Arc::new(message), stamp.number));
    }
    // Or an earlier attempt has, which is looked for.
    let found = find(collections, revision.message()).await?;
    Ok(found.map_or(Outcome::None, |found| stands(revision, found)))
}

/// Whether this is what the message became by an earlier attempt.
fn is_done(revision: &Revision, found: &Message) -> bool {
    match revision {
        Revision::Edit(edit) => {
            found.edited_at.is_some_and(|at| at >= edit.at) && found.text == edit.text.as_str()
        }
        Revision::Delete(delete) => found.deleted_at == Some(delete.at),
    }
}

/// What is deleted is edited no more, and deleting it again changes nothing.
fn stands(revision: &Revision, found: Message) -> Outcome {
    match revision {
        Revision::Edit(_) => Outcome::None,
        Revision::Delete(_) => Outcome::Stands(Arc::new(found)),
    }
}

fn change(message: &Message, stamp: Stamp) -> Document {
    let (changed_at, number) = (date(stamp.changed_at), long(stamp.number));
    if let Some(at) = message.deleted_at {
        return doc! {
            "$set": { "message": "", "deletedAt": date(at), "commits.deleted": number },
            "$unset": { "editedAt": "", "firstText": "" },
            "$max": { "changedAt": changed_at },
        };
    }
    let mut set = doc! { "message": &message.text, "commits.edited": number };
    if let Some(at) = message.edited_at {
        set.insert("editedAt", date(at));
    }
    if let Some(first) = &message.first_text {
        set.insert("firstText", digest(first));
    }
    doc! { "$set": set, "$max": { "changedAt": changed_at } }
}

fn digest(digest: &TextDigest) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: digest.bytes().to_vec() }
}

async fn find(collections: &Collections, id: MessageId) -> Result<Option<Message>, Fault> {
    let filter = doc! { "_id": object_id(id.0), "seq": { "$gt": 0 } };
    let found = collections.messages.find_one(filter).max_time(collections.operation_timeout);
    let document = collections.limit(found).await?;
    Ok(document.map(|document| read_message(&document)).transpose()?.map(|stored| stored.message))
}
