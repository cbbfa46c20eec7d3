//! Sending and reading messages: the hot path.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chat_ports::{
    AppendError, Appended, Clock, Delete, Edit, IdSource, MessageLog, Messages, NewMessage, Receipt,
    ReceiptKind, ReceiptSpan,
    model::{ClientId, Message, MessageId, MessageText, SocketId, UserId},
};

use crate::{ChatError, Deps, Missing, origin::Origins, people::People, policy, relations::Relations};

/// A message that somebody wants to send.
#[derive(Debug, Clone)]
pub struct SendMessage {
    /// Who writes.
    pub sender: UserId,
    /// To whom.
    pub receiver: UserId,
    /// The text.
    pub text: MessageText,
    /// The sender's own name for it, which makes sending it again safe.
    pub client_id: Option<ClientId>,
    /// Until when it must be stored: [`Messaging::deadline`] of its arrival.
    pub deadline: Instant,
    /// The socket that its acknowledgement tells already.
    pub except: Option<SocketId>,
}

/// What [`Messaging::prepare`] found.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// A message to be stored.
    New(NewMessage),
    /// It is stored already, and nothing new may be sent: it was blocked in between.
    Repeat(Arc<Message>),
}

/// What [`Messaging::prepare_at_once`] came to.
#[derive(Debug)]
pub enum Preparation {
    /// What [`Messaging::prepare`] would answer.
    Done(Result<Prepared, ChatError>),
    /// The store has to be asked: [`Messaging::prepare`].
    Asks(SendMessage),
}

/// A receipt that somebody gives.
#[derive(Debug, Clone)]
pub struct GiveReceipt {
    /// Delivered or read.
    pub kind: ReceiptKind,
    /// Who got the messages.
    pub receiver: UserId,
    /// Up to which message.
    pub message: MessageId,
    /// Until when it must be stored: [`Messaging::deadline`] of its arrival.
    pub deadline: Instant,
    /// The socket that need not be told.
    pub except: Option<SocketId>,
}

/// The use cases of writing to a conversation.
pub struct Messaging {
    log: Arc<dyn MessageLog>,
    messages: Arc<dyn Messages>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    people: Arc<People>,
    relations: Arc<Relations>,
    /// Where commits are told again: to know what its sender knows.
    origins: Option<Origins>,
    send_timeout: Duration,
    edit_window: Duration,
    max_receipt_events: u32,
}

impl Messaging {
    pub(crate) fn new(deps: &Deps, people: Arc<People>, relations: Arc<Relations>) -> Self {
        Self {
            log: Arc::clone(&deps.log),
            messages: Arc::clone(&deps.messages),
            clock: Arc::clone(&deps.clock),
            ids: Arc::clone(&deps.ids),
            people,
            relations,
            origins: deps.replays.is_some().then(|| Origins::new(Arc::clone(&deps.seals))),
            send_timeout: deps.settings.send_timeout,
            edit_window: deps.settings.edit_window,
            max_receipt_events: deps.limits.max_receipt_events,
        }
    }

    /// Until when something that arrived then must be stored.
    #[must_use]
    pub fn deadline(&self, arrived: Instant) -> Instant {
        arrived + self.send_timeout
    }

    /// Decides whether a message may be sent, and makes it. Where the receiver is in memory, and whether one
    /// of the two blocks the other, this is done at the first poll.
    ///
    /// # Errors
    /// `invalid_input` for a message to oneself, `not_found` for an unknown receiver, `forbidden` where one
    /// blocks the other, unless it was stored before that; `conflict` where it was stored with another text;
    /// `unavailable`.
    pub async fn prepare(&self, message: SendMessage) -> Result<Prepared, ChatError> {
        let (sender, receiver) = (message.sender, message.receiver);
        policy::addressee(sender, receiver)?;
        self.people.require(receiver).await?;
        if let Err(refusal) = policy::may_write(self.relations.is_blocked(sender, receiver).await?) {
            return match message.client_id {
                Some(client_id) => self.repeat(sender, receiver, client_id, &message.text, refusal).await,
                None => Err(refusal),
            };
        }
        Ok(self.make(message))
    }

    /// [`prepare`](Self::prepare) without waiting, where all that it needs is in memory.
    #[must_use]
    pub fn prepare_at_once(&self, message: SendMessage) -> Preparation {
        let (sender, receiver) = (message.sender, message.receiver);
        if let Err(error) = policy::addressee(sender, receiver) {
            return Preparation::Done(Err(error.into()));
        }
        let is_blocked = self.people.remembers(receiver).then(|| self.relations.remembered(sender, receiver));
        match is_blocked.flatten() {
            Some(false) => Preparation::Done(Ok(self.make(message))),
            Some(true) | None => Preparation::Asks(message),
        }
    }

    fn make(&self, message: SendMessage) -> Prepared {
        let SendMessage { sender, receiver, text, client_id, deadline, except } = message;
        let id = self.ids.next_id();
        Prepared::New(NewMessage {
            id: MessageId(match (&self.origins, &except) {
                (Some(origins), Some(socket)) => origins.mark(id, socket),
                (_, _) => id,
            }),
            sender,
            receiver,
            text,
            timestamp: self.clock.now(),
            client_id,
            deadline,
            except,
        })
    }

    /// What was stored before the block is answered as what it is; the rest is refused.
    async fn repeat(
        &self,
        sender: UserId,
        receiver: UserId,
        client_id: ClientId,
        text: &MessageText,
        refusal: ChatError,
    ) -> Result<Prepared, ChatError> {
        match self.messages.sent_as(sender, receiver, client_id).await? {
            Some(stored) if stored.is_repeated_by(text.as_str()) => Ok(Prepared::Repeat(stored)),
            Some(_) => Err(AppendError::ClientIdTaken.into()),
            None => Err(refusal),
        }
    }

    /// Stores a prepared message. It takes its place in the store's queue at the first poll, so the order
    /// of first polls is that of the conversation; dropping the future afterwards does not take it back.
    ///
    /// An answer that comes after the deadline is as good as one in time: what it says is stored is
    /// stored.
    ///
    /// # Errors
    /// `conflict` where the client id was used for another text; `unavailable`: the outcome may be unknown.
    pub fn submit(
        &self,
        message: Prepared,
    ) -> impl Future<Output = Result<Appended, ChatError>> + Send + 'static + use<> {
        let log = Arc::clone(&self.log);
        async move {
            match message {
                Prepared::New(message) => Ok(log.append(message).await?),
                Prepared::Repeat(message) => Ok(Appended { message, repeated: true }),
            }
        }
    }

    /// Sends a message: [`prepare`](Self::prepare), then [`submit`](Self::submit).
    ///
    /// # Errors
    /// As these two.
    #[tracing::instrument(level = "trace", skip_all, fields(sender = %message.sender, receiver = %message.receiver))]
    pub async fn send(&self, message: SendMessage) -> Result<Appended, ChatError> {
        let message = self.prepare(message).await?;
        self.submit(message).await
    }

    /// Marks as delivered or read what the other side has sent, up to a message. The same again changes nothing.
    ///
    /// # Errors
    /// `not_found` where there is no such message or it was not sent to the receiver; `unavailable`.
    #[tracing::instrument(level = "trace", skip_all, fields(receiver = %receipt.receiver, message = %receipt.message))]
    pub async fn receipt(&self, receipt: GiveReceipt) -> Result<ReceiptSpan, ChatError> {
        let GiveReceipt { kind, receiver, message, deadline, except } = receipt;
        let (at, max_ids) = (self.clock.now(), self.max_receipt_events);
        let receipt = Receipt { kind, receiver, message, at, max_ids, deadline, except };
        self.log.receipt(receipt).await?.ok_or(ChatError::NotFound(Missing::Message))
    }

    /// Gives one's own message another text.
    ///
    /// # Errors
    /// `not_found` where there is no such message, it is somebody else's or deleted; `forbidden` where it is too old
    /// to be edited, or one of the two blocks the other; `unavailable`.
    #[tracing::instrument(level = "trace", skip_all, fields(%editor, %message))]
    pub async fn edit(
        &self,
        editor: UserId,
        message: MessageId,
        text: MessageText,
        deadline: Instant,
    ) -> Result<Arc<Message>, ChatError> {
        let (found, at) = (self.own(editor, message).await?, self.clock.now());
        if found.is_deleted() {
            return Err(ChatError::NotFound(Missing::Message));
        }
        policy::may_edit(&found, at, self.edit_window)?;
        policy::may_write(self.relations.is_blocked(editor, found.receiver).await?)?;
        let edited = self.log.edit(Edit { message, text, at, deadline }).await?;
        edited.ok_or(ChatError::NotFound(Missing::Message))
    }

    /// Deletes one's own message for everybody. Deleting it again changes nothing.
    ///
    /// # Errors
    /// `not_found` where there is no such message, or it is somebody else's; `unavailable`.
    #[tracing::instrument(level = "trace", skip_all, fields(%sender, %message))]
    pub async fn delete(
        &self,
        sender: UserId,
        message: MessageId,
        deadline: Instant,
    ) -> Result<Arc<Message>, ChatError> {
        self.own(sender, message).await?;
        let deleted = self.log.delete(Delete { message, at: self.clock.now(), deadline }).await?;
        deleted.ok_or(ChatError::NotFound(Missing::Message))
    }

    /// A message, if this user has sent it.
    async fn own(&self, sender: UserId, message: MessageId) -> Result<Arc<Message>, ChatError> {
        let found = self.messages.find(message).await?.filter(|found| found.sender == sender);
        found.ok_or(ChatError::NotFound(Missing::Message))
    }
}

#[cfg(test)]
mod tests;
