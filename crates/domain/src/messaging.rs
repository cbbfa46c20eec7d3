//! Sending and reading messages: the hot path.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chat_ports::{
    Appended, Clock, IdSource, MarkRead, MessageLog, NewMessage, ReadUpTo,
    model::{ClientId, MessageId, MessageText, SocketId, UserId},
};

use crate::{ChatError, Deps, Missing, people::People, policy};

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

/// The use cases of writing to a conversation.
pub struct Messaging {
    log: Arc<dyn MessageLog>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    people: Arc<People>,
    send_timeout: Duration,
    max_read_events: u32,
}

impl Messaging {
    pub(crate) fn new(deps: &Deps, people: Arc<People>) -> Self {
        Self {
            log: Arc::clone(&deps.log),
            clock: Arc::clone(&deps.clock),
            ids: Arc::clone(&deps.ids),
            people,
            send_timeout: deps.settings.send_timeout,
            max_read_events: deps.limits.max_read_events,
        }
    }

    /// Until when something that arrived then must be stored.
    #[must_use]
    pub fn deadline(&self, arrived: Instant) -> Instant {
        arrived + self.send_timeout
    }

    /// Decides whether a message may be sent, and makes it. Where the receiver is in memory this is done
    /// at the first poll.
    ///
    /// # Errors
    /// `invalid_input` for a message to oneself, `not_found` for an unknown receiver; `unavailable`.
    pub async fn prepare(&self, message: SendMessage) -> Result<NewMessage, ChatError> {
        let SendMessage { sender, receiver, text, client_id, deadline, except } = message;
        policy::addressee(sender, receiver)?;
        self.people.require(receiver).await?;
        Ok(NewMessage {
            id: MessageId(self.ids.next_id()),
            sender,
            receiver,
            text,
            timestamp: self.clock.now(),
            client_id,
            deadline,
            except,
        })
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
        message: NewMessage,
    ) -> impl Future<Output = Result<Appended, ChatError>> + Send + 'static + use<> {
        let log = Arc::clone(&self.log);
        async move { Ok(log.append(message).await?) }
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

    /// Marks as read what the other side has sent, up to this message. Reading again changes nothing.
    ///
    /// # Errors
    /// `not_found` where there is no such message or it was not sent to the reader; `unavailable`.
    #[tracing::instrument(level = "trace", skip_all, fields(%reader, %message))]
    pub async fn mark_read(
        &self,
        reader: UserId,
        message: MessageId,
        deadline: Instant,
        except: Option<SocketId>,
    ) -> Result<ReadUpTo, ChatError> {
        let at = self.clock.now();
        let max_ids = self.max_read_events;
        let reading = MarkRead { reader, message, at, max_ids, deadline, except };
        self.log.mark_read(reading).await?.ok_or(ChatError::NotFound(Missing::Message))
    }
}

#[cfg(test)]
mod tests;
