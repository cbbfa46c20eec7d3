//! What the writer is asked, and its answers.

use std::{sync::Arc, time::Instant};

use chat_ports::{
    AppendError, Appended, ArchiveError, BlockChange, BlockError, Delete, Edit, InsertUserError, NewMessage,
    NewUser, PresenceRecord, Receipt, ReceiptSpan, StoreError,
    model::{Block, Message, User},
};
use tokio::sync::oneshot;

use crate::fault::closed;

/// Where an answer goes. Nobody may be waiting any more.
pub(crate) type Reply<T> = oneshot::Sender<T>;
pub(crate) type AppendReply = Reply<Result<Appended, AppendError>>;
pub(crate) type MarkReply = Reply<Result<Option<ReceiptSpan>, StoreError>>;
pub(crate) type ChangeReply = Reply<Result<Option<Arc<Message>>, StoreError>>;
pub(crate) type BlockReply = Reply<Result<bool, BlockError>>;
pub(crate) type UserReply = Reply<Result<User, InsertUserError>>;
pub(crate) type PutReply = Reply<Result<(), ArchiveError>>;
pub(crate) type DoneReply = Reply<Result<(), StoreError>>;

/// What becomes of a message's text.
pub(crate) enum Revision {
    /// Another one.
    Edit(Edit),
    /// None.
    Delete(Delete),
}

/// A change, or a question to the writer.
pub(crate) enum Job {
    /// Store a message.
    Append(NewMessage, AppendReply),
    /// Mark messages as delivered or read.
    Mark(Receipt, MarkReply),
    /// Give a message another text, or none.
    Change(Revision, ChangeReply),
    /// Block somebody, or no longer.
    Block(BlockChange, BlockReply),
    /// Put blocks as they are.
    PutBlocks(Vec<Block>, PutReply),
    /// Make an account.
    AddUser(Box<NewUser>, UserReply),
    /// Write presence down.
    Presence(Vec<PresenceRecord>, DoneReply),
    /// Mark every user as offline.
    ClearPresence(DoneReply),
    /// Put accounts as they are.
    PutUsers(Vec<User>, PutReply),
    /// Put messages as they are. It counts as one entry: memory may take in a page more than its bound.
    PutMessages(Vec<Message>, PutReply),
    /// Tell whether the log can be written to: tried, if the last commit failed.
    Probe(DoneReply),
    /// Entries up to this number are safe in the tables; `erase` where texts among them must leave the files.
    Prune { mark: u64, erase: bool },
    /// Lets a test reach the writer's connection.
    #[cfg(test)]
    Tamper(Box<dyn FnOnce(&rusqlite::Connection) + Send>),
}

impl Job {
    /// Bytes that it holds while it waits, as far as they vary.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Append(message, _) => message.text.as_str().len(),
            Self::Presence(records, _) => size_of_val(records.as_slice()),
            Self::PutUsers(users, _) => size_of_val(users.as_slice()),
            Self::PutMessages(messages, _) => messages.iter().map(|message| message.text.len()).sum(),
            Self::PutBlocks(blocks, _) => size_of_val(blocks.as_slice()),
            Self::Change(Revision::Edit(edit), _) => edit.text.as_str().len(),
            Self::Change(Revision::Delete(_), _)
            | Self::Mark(..)
            | Self::Block(..)
            | Self::AddUser(..)
            | Self::ClearPresence(_)
            | Self::Probe(_)
            | Self::Prune { .. } => 0,
            #[cfg(test)]
            Self::Tamper(_) => 0,
        }
    }

    /// Whether it may become an entry of the log, and so needs room in memory.
    pub(crate) const fn is_entry(&self) -> bool {
        matches!(self, Self::Append(..) | Self::Mark(..) | Self::Change(..) | Self::PutMessages(..))
    }

    /// Whether nothing else may be in its commit: it compares what it puts with what is stored.
    pub(crate) const fn is_alone(&self) -> bool {
        matches!(self, Self::PutMessages(..) | Self::Change(..))
    }

    /// Whether its time is over.
    pub(crate) fn is_late(&self, now: Instant) -> bool {
        match self {
            Self::Append(message, _) => now >= message.deadline,
            Self::Mark(receipt, _) => now >= receipt.deadline,
            Self::Change(Revision::Edit(edit), _) => now >= edit.deadline,
            Self::Change(Revision::Delete(delete), _) => now >= delete.deadline,
            Self::AddUser(..)
            | Self::PutUsers(..)
            | Self::PutMessages(..)
            | Self::PutBlocks(..)
            | Self::Block(..)
            | Self::Presence(..)
            | Self::ClearPresence(_)
            | Self::Probe(_)
            | Self::Prune { .. } => false,
            #[cfg(test)]
            Self::Tamper(_) => false,
        }
    }

    /// Answers with an error, undone.
    pub(crate) fn refuse(self, error: impl Fn() -> StoreError) {
        if let Some(answer) = self.into_answer() {
            answer.refuse(error);
        }
    }

    /// Its answer, to be refused; `None` if nobody waits for one.
    fn into_answer(self) -> Option<Answer> {
        match self {
            Self::Append(_, reply) => Some(Answer::Append(reply, Err(closed().into()))),
            Self::Mark(_, reply) => Some(Answer::Mark(reply, Err(closed()))),
            Self::Change(_, reply) => Some(Answer::Change(reply, Err(closed()))),
            Self::Block(_, reply) => Some(Answer::Block(reply, Err(closed().into()))),
            Self::AddUser(_, reply) => Some(Answer::User(reply, Err(closed().into()))),
            Self::PutUsers(_, reply) | Self::PutMessages(_, reply) | Self::PutBlocks(_, reply) => {
                Some(Answer::Put(reply, Err(closed().into())))
            }
            Self::Presence(_, reply) | Self::ClearPresence(reply) | Self::Probe(reply) => {
                Some(Answer::Done(reply, Err(closed())))
            }
            Self::Prune { .. } => None,
            #[cfg(test)]
            Self::Tamper(_) => None,
        }
    }
}

/// An answer that waits for the commit.
pub(crate) enum Answer {
    Append(AppendReply, Result<Appended, AppendError>),
    Mark(MarkReply, Result<Option<ReceiptSpan>, StoreError>),
    Change(ChangeReply, Result<Option<Arc<Message>>, StoreError>),
    Block(BlockReply, Result<bool, BlockError>),
    User(UserReply, Result<User, InsertUserError>),
    Put(PutReply, Result<(), ArchiveError>),
    Done(DoneReply, Result<(), StoreError>),
}

impl Answer {
    /// Sends it.
    pub(crate) fn send(self) {
        // Who asked may have gone; what was stored stays stored.
        match self {
            Self::Append(reply, result) => drop(reply.send(result)),
            Self::Mark(reply, result) => drop(reply.send(result)),
            Self::Change(reply, result) => drop(reply.send(result)),
            Self::Block(reply, result) => drop(reply.send(result)),
            Self::User(reply, result) => drop(reply.send(result)),
            Self::Put(reply, result) => drop(reply.send(result)),
            Self::Done(reply, result) => drop(reply.send(result)),
        }
    }

    /// Sends an error instead.
    pub(crate) fn refuse(self, error: impl Fn() -> StoreError) {
        match self {
            Self::Append(reply, _) => drop(reply.send(Err(error().into()))),
            Self::Mark(reply, _) => drop(reply.send(Err(error()))),
            Self::Change(reply, _) => drop(reply.send(Err(error()))),
            Self::Block(reply, _) => drop(reply.send(Err(error().into()))),
            Self::User(reply, _) => drop(reply.send(Err(error().into()))),
            Self::Put(reply, _) => drop(reply.send(Err(error().into()))),
            Self::Done(reply, _) => drop(reply.send(Err(error()))),
        }
    }
}
