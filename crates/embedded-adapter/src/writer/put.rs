//! What is moved in: accounts and messages as another store had them.

use std::{collections::HashSet, sync::Arc};

use chat_ports::{
    ArchiveError, StoreError, message_difference,
    model::{ConversationId, Message, MessageId},
};

use super::{Batch, Writer};
use crate::{
    fault::Fault,
    job::{Answer, PutReply},
    overlay::DedupKey,
    record::{Entry, Row},
    schema::UNMARKED,
    state::{ConversationState, Who},
};

/// The entries of a page, and what must not stand in it twice.
#[derive(Default)]
struct Plan {
    rows: Vec<(Row, ConversationState)>,
    ids: HashSet<MessageId>,
    names: HashSet<DedupKey>,
}

/// A message that is not put.
enum Refusal {
    /// It is the caller's matter.
    Caller(ArchiveError),
    /// The store failed.
    Store(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Store(fault)
    }
}

impl Writer {
    /// Puts accounts or blocks inside the open transaction.
    pub(super) fn put_rows(
        &mut self,
        reply: PutReply,
        batch: &mut Batch,
        put: impl FnOnce(&rusqlite::Connection) -> Result<Result<(), ArchiveError>, Fault>,
    ) -> Result<(), Fault> {
        let log = self.log()?;
        match log.begin().and_then(|()| put(log.connection())) {
            Ok(result) => {
                batch.answer(Answer::Put(reply, result));
                Ok(())
            }
            Err(fault) => {
                batch.answer(Answer::Put(reply, Err(super::refusal(&fault).into())));
                Err(fault)
            }
        }
    }

    /// Puts all messages, or none. The batch has nothing else in it: what is to be compared stands in memory
    /// and in the tables.
    pub(super) fn put_messages(
        &mut self,
        messages: Vec<Message>,
        reply: PutReply,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let mut plan = Plan::default();
        let planned = messages.into_iter().try_for_each(|message| self.plan_message(message, &mut plan));
        if let Err(refusal) = planned {
            // The numbers that were given out go back.
            self.ledger.forget();
            let error = match refusal {
                Refusal::Caller(error) => error,
                Refusal::Store(fault) => StoreError::from(fault).into(),
            };
            return self.excuse(batch, Answer::Put(reply, Err(error)));
        }
        batch.answer(Answer::Put(reply, Ok(())));
        if !plan.rows.is_empty() {
            self.renew_life()?;
        }
        plan.rows.into_iter().try_for_each(|(row, state)| self.write_entry(Entry::Sent(row), state, batch))
    }

    fn plan_message(&mut self, message: Message, plan: &mut Plan) -> Result<(), Refusal> {
        let conversation = message.conversation();
        let mut known = self.ledger.known(&conversation)?;
        let seq = numbered(&message)?;
        if seq <= known.state.last {
            let there = match plan.at(&conversation, seq) {
                Some(there) => there,
                None => self
                    .ledger
                    .current(&conversation, &mut known, seq)?
                    .ok_or_else(|| Fault::corrupt("messages", message.id, "seq"))?,
            };
            let difference = message_difference(&there, &message);
            return difference.map_or(Ok(()), |field| Err(differs(&message, field)));
        }
        if seq - 1 != known.state.last {
            let id = message.id.to_string();
            return Err(Refusal::Caller(ArchiveError::Gap { id, seq: message.seq }));
        }
        check_form(&message)?;
        let sender = Who::is(message.sender, &conversation);
        let place = known.state.next(sender).ok_or_else(|| unfit(&message, "seq"))?;
        if !plan.ids.insert(message.id) || self.ledger.find(message.id)?.is_some() {
            return Err(differs(&message, "seq"));
        }
        let message = Arc::new(message);
        if message.client_id.is_some() {
            let key = DedupKey(Arc::clone(&message));
            if self.ledger.repeated(&key, &conversation, &mut known)?.is_some() || !plan.names.insert(key) {
                return Err(differs(&message, "client_id"));
            }
        }
        known.state.sent(sender, place, &message);
        self.ledger.put(conversation, known);
        plan.rows.push((Row { message, place }, known.state));
        Ok(())
    }
}

impl Plan {
    fn at(&self, conversation: &ConversationId, seq: u32) -> Option<Arc<Message>> {
        let is_it = |row: &&(Row, ConversationState)| {
            row.0.place.seq == seq && row.0.message.conversation() == *conversation
        };
        self.rows.iter().find(is_it).map(|(row, _)| Arc::clone(&row.message))
    }
}

/// The message's number, if this store has such numbers.
fn numbered(message: &Message) -> Result<u32, Refusal> {
    match u32::try_from(message.seq) {
        Ok(0) => Err(Refusal::Caller(ArchiveError::Gap { id: message.id.to_string(), seq: 0 })),
        Ok(seq) => Ok(seq),
        Err(_too_large) => Err(unfit(message, "seq")),
    }
}

/// Refuses what this store has no form for.
fn check_form(message: &Message) -> Result<(), Refusal> {
    if message.client_id.as_ref().is_some_and(String::is_empty) {
        return Err(unfit(message, "client_id"));
    }
    if message.read_at.is_some_and(|at| at.millis() == UNMARKED) {
        return Err(unfit(message, "read_at"));
    }
    // Whatever is read is delivered.
    let delivered = message.delivered_at.map(|at| at.millis());
    if delivered == Some(UNMARKED) || (delivered.is_none() && message.is_read()) {
        return Err(unfit(message, "delivered_at"));
    }
    Ok(())
}

fn unfit(message: &Message, field: &'static str) -> Refusal {
    Refusal::Caller(ArchiveError::Unfit { collection: "messages", id: message.id.to_string(), field })
}

fn differs(message: &Message, field: &'static str) -> Refusal {
    Refusal::Caller(ArchiveError::Differs { collection: "messages", id: message.id.to_string(), field })
}
