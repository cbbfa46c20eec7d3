//! The events of one socket, in the order in which they came.
//!
//! Sends are started one after the other, and many may be on their way to the store at once; everything else
//! that asks the store waits until what came before it is done. Whatever finishes first, answers come out in
//! the order of the requests. A request that is not done by its deadline is answered `unavailable`.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use chat_domain::{
    BlockPage, Chat, ChatError, ConversationPage, GiveReceipt, HistoryPage, Identity, Preparation, Prepared,
    SendMessage, SyncPage,
    model::{Message, SocketId, UserId},
    ports::{Appended, StoreError},
};
use chat_socketio_actix::protocol::AckId;
use tokio::sync::Semaphore;

use super::coming::{Admission, Arrival, admit};
use crate::wire::{EventRequest, OtherRequest, SendRequest};

/// Pages that are being read at once, over all sockets: each is in memory as a whole until its socket's task takes it.
/// Further ones wait for their turn, up to their deadline.
static PAGES: Semaphore = Semaphore::const_new(16);

type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What became of an event.
pub(crate) enum Outcome {
    /// CONNECT: the token was checked.
    Authenticated(Box<Arrival>),
    /// CONNECT: the token was refused, or could not be checked.
    Refused(ChatError),
    /// `private_message`
    Sent(Appended),
    /// What has no more to say than that it is done: `typing`, `delete_message`, `block_user`, `unblock_user`.
    Done,
    /// `message_delivered`, `message_read`: how many got the mark.
    Marked(u64),
    /// `edit_message`
    Edited(Arc<Message>),
    /// `sync`
    Synced(SyncPage),
    /// `get_blocked`
    Blocked(BlockPage),
    /// `get_chat_history`
    History(UserId, HistoryPage),
    /// `get_conversations`
    Conversations(ConversationPage),
    /// Any event.
    Failed(ChatError),
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) identity: Arc<Identity>,
    pub(crate) socket: SocketId,
}

/// What is to be done.
pub(crate) enum Work {
    /// Checks who asks to join.
    Authenticate(Box<Admission>),
    /// Stores a message.
    Send(SendRequest, Asker),
    /// Does what another event asks for.
    Other(OtherRequest, Asker),
}

impl Work {
    pub(crate) fn new(request: EventRequest, asker: Asker) -> Self {
        match request {
            EventRequest::Send(request) => Self::Send(request, asker),
            EventRequest::Other(request) => Self::Other(request, asker),
        }
    }
}

enum State {
    Waiting(Work),
    Preparing(Running<Result<Prepared, ChatError>>),
    Running(Running<Outcome>),
    Done(Outcome),
}

struct Slot {
    /// Whether it is a CONNECT, whose failure is a refusal.
    connects: bool,
    ack: Option<AckId>,
    visit: u32,
    deadline: Instant,
    state: State,
}

/// A finished event.
pub(crate) struct Finished {
    /// The client's acknowledgement, if it asked for one.
    pub(crate) ack: Option<AckId>,
    /// The visit (CONNECT to DISCONNECT) in which it came.
    pub(crate) visit: u32,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

/// The events of one socket that are not yet answered.
pub(crate) struct Pipeline {
    slots: VecDeque<Slot>,
    /// How many slots, from the front, have been started.
    started: usize,
    most_in_flight: usize,
    /// Another task drives from now on: everything running must learn its waker.
    new_driver: bool,
}

impl Pipeline {
    pub(crate) fn new(most_in_flight: usize) -> Self {
        Self { slots: VecDeque::new(), started: 0, most_in_flight, new_driver: false }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// When the oldest event must be answered.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.slots.front().map(|slot| slot.deadline)
    }

    /// Tells that another task polls from now on.
    pub(crate) fn hand_over(&mut self) {
        self.new_driver = true;
    }

    /// Nobody waits for the answers any more: what is volatile need not be begun.
    pub(crate) fn forget_volatile(&mut self) {
        for slot in &mut self.slots {
            if matches!(slot.state, State::Waiting(Work::Other(OtherRequest::Typing { .. }, _))) {
                slot.state = State::Done(Outcome::Done);
            }
        }
    }

    /// Takes an event.
    pub(crate) fn push(&mut self, work: Work, ack: Option<AckId>, visit: u32, deadline: Instant) {
        let connects = matches!(work, Work::Authenticate(..));
        self.slots.push_back(Slot { connects, ack, visit, deadline, state: State::Waiting(work) });
    }

    /// Takes an event whose outcome is known: it is answered in its turn.
    pub(crate) fn push_done(&mut self, outcome: Outcome, ack: Option<AckId>, visit: u32, deadline: Instant) {
        let state = State::Done(outcome);
        self.slots.push_back(Slot { connects: false, ack, visit, deadline, state });
    }

    /// Starts what may start, and takes the next finished event.
    pub(crate) fn poll(&mut self, chat: &Arc<Chat>, now: Instant, cx: &mut Context<'_>) -> Poll<Finished> {
        if std::mem::take(&mut self.new_driver) {
            self.poll_all(cx);
        }
        self.start(chat, cx);
        let Some(head) = self.slots.front_mut() else { return Poll::Pending };
        if let State::Running(future) = &mut head.state
            && let Poll::Ready(outcome) = future.as_mut().poll(cx)
        {
            head.state = State::Done(outcome);
        }
        let done = matches!(head.state, State::Done(_));
        if !done && head.deadline > now {
            return Poll::Pending;
        }
        let Some(slot) = self.slots.pop_front() else { return Poll::Pending };
        let Slot { connects, ack, visit, state, .. } = slot;
        self.started = self.started.saturating_sub(1);
        if self.slots.is_empty() && self.slots.capacity() > 8 {
            // A burst's queue is not kept for an idle connection's lifetime.
            self.slots = VecDeque::new();
        }
        let outcome = match state {
            State::Done(outcome) => outcome,
            // What is on its way to the store goes on there: the outcome is unknown to the client.
            _ if connects => Outcome::Refused(StoreError::Timeout.into()),
            State::Waiting(_) | State::Preparing(_) | State::Running(_) => {
                Outcome::Failed(StoreError::Timeout.into())
            }
        };
        Poll::Ready(Finished { ack, visit, outcome })
    }

    fn poll_all(&mut self, cx: &mut Context<'_>) {
        for slot in &mut self.slots {
            if let State::Running(future) = &mut slot.state
                && let Poll::Ready(outcome) = future.as_mut().poll(cx)
            {
                slot.state = State::Done(outcome);
            }
        }
    }

    /// Starts slots in order, as far as the rules allow.
    fn start(&mut self, chat: &Arc<Chat>, cx: &mut Context<'_>) {
        while self.started < self.slots.len() {
            let alone = self.started == 0;
            let room = self.started < self.most_in_flight;
            let Some(slot) = self.slots.get_mut(self.started) else { return };
            match &mut slot.state {
                State::Waiting(work) if !may_start(work, alone, room) => return,
                State::Waiting(_) => slot.begin(chat),
                State::Preparing(future) => match future.as_mut().poll(cx) {
                    Poll::Pending => return,
                    Poll::Ready(prepared) => slot.state = submit(chat, prepared),
                },
                State::Running(future) => {
                    // The first poll puts it into the store's queue: its place in the order.
                    if let Poll::Ready(outcome) = future.as_mut().poll(cx) {
                        slot.state = State::Done(outcome);
                    }
                    self.started += 1;
                }
                State::Done(_) => self.started += 1,
            }
        }
    }
}

fn submit(chat: &Chat, prepared: Result<Prepared, ChatError>) -> State {
    match prepared {
        Err(error) => State::Done(Outcome::Failed(error)),
        Ok(message) => {
            let sending = chat.messaging.submit(message);
            State::Running(Box::pin(async move { sending.await.map_or_else(Outcome::Failed, Outcome::Sent) }))
        }
    }
}

/// Sends go on their way beside each other; what else asks the store waits for what came before it.
fn may_start(work: &Work, alone: bool, room: bool) -> bool {
    match work {
        Work::Send(..) | Work::Other(OtherRequest::Typing { .. }, _) => room,
        Work::Other(..) | Work::Authenticate(..) => alone,
    }
}

impl Slot {
    fn begin(&mut self, chat: &Arc<Chat>) {
        let deadline = self.deadline;
        let placeholder = State::Done(Outcome::Done);
        let State::Waiting(work) = std::mem::replace(&mut self.state, placeholder) else { return };
        self.state = match work {
            Work::Authenticate(admission) => State::Running(Box::pin(admit(Arc::clone(chat), *admission))),
            Work::Send(SendRequest { receiver, text, client_id }, asker) => {
                let sender = asker.identity.user;
                // Without an acknowledgement the event itself is the confirmation.
                let except = self.ack.is_some().then_some(asker.socket);
                let message = SendMessage { sender, receiver, text, client_id, deadline, except };
                match chat.messaging.prepare_at_once(message) {
                    Preparation::Done(prepared) => submit(chat, prepared),
                    Preparation::Asks(message) => {
                        let chat = Arc::clone(chat);
                        State::Preparing(Box::pin(async move { chat.messaging.prepare(message).await }))
                    }
                }
            }
            Work::Other(request, asker) => {
                let doing = perform(Arc::clone(chat), request, asker, deadline);
                State::Running(Box::pin(async move { doing.await.unwrap_or_else(Outcome::Failed) }))
            }
        };
    }
}

async fn perform(
    chat: Arc<Chat>,
    request: OtherRequest,
    asker: Asker,
    deadline: Instant,
) -> Result<Outcome, ChatError> {
    let me = asker.identity.user;
    let _turn = match &request {
        OtherRequest::Sync { .. } | OtherRequest::History { .. } | OtherRequest::Conversations { .. } => {
            PAGES.acquire().await.ok()
        }
        OtherRequest::Typing { .. }
        | OtherRequest::Receipt { .. }
        | OtherRequest::Edit { .. }
        | OtherRequest::Delete { .. }
        | OtherRequest::Block { .. }
        | OtherRequest::Blocked { .. } => None,
    };
    Ok(match request {
        OtherRequest::Typing { receiver, is_typing } => {
            chat.typing.set(&asker.identity, receiver, is_typing).await?;
            Outcome::Done
        }
        OtherRequest::Receipt { kind, message } => {
            let except = Some(asker.socket);
            let receipt = GiveReceipt { kind, receiver: me, message, deadline, except };
            Outcome::Marked(chat.messaging.receipt(receipt).await?.count)
        }
        OtherRequest::Edit { message, text } => {
            Outcome::Edited(chat.messaging.edit(me, message, text, deadline).await?)
        }
        OtherRequest::Delete { message } => {
            chat.messaging.delete(me, message, deadline).await?;
            Outcome::Done
        }
        OtherRequest::Sync { since, limit } => {
            Outcome::Synced(chat.sync.page((me, &asker.socket), since.as_deref(), limit).await?)
        }
        OtherRequest::Block { user, blocks } => {
            chat.blocking.set(me, user, blocks).await?;
            Outcome::Done
        }
        OtherRequest::Blocked { limit, after } => {
            Outcome::Blocked(chat.blocking.list(me, after, limit).await?)
        }
        OtherRequest::History { other, request } => {
            Outcome::History(other, chat.history.page(me, other, request).await?)
        }
        OtherRequest::Conversations { limit, after } => {
            Outcome::Conversations(chat.history.conversations(me, after, limit).await?)
        }
    })
}

#[cfg(test)]
mod tests;
