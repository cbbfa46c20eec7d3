//! The server's end of a connection: requests in their order, sends beside each other, as the real transport has them.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use chat_domain::{
    Chat, ChatError, GiveReceipt, HistoryPosition, HistoryRequest, Identity, Prepared, SendMessage,
    model::{ClientId, Limits, MessageText, SocketId},
    ports::{Clock, ReceiptKind, StoreError},
};
use chat_verify::{Answer, Request};
use parking_lot::Mutex;

use crate::{
    net::{Down, Net},
    sim::Sim,
    wire,
};

/// Sends of one connection that may be on their way at once.
const IN_FLIGHT: usize = 5;

/// What came over a connection and was not taken up yet.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<Coming>);

#[derive(Default)]
struct Coming {
    requests: VecDeque<(u64, Request, Instant, u64)>,
    ended: bool,
    waker: Option<Waker>,
}

impl Inbox {
    /// A request came.
    pub(crate) fn push(&self, sim: &Sim, ack: u64, request: Request) {
        let waker = {
            let mut coming = self.0.lock();
            coming.requests.push_back((ack, request, sim.clock.instant(), sim.now()));
            coming.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// The connection is over: what came is finished without it.
    pub(crate) fn end(&self) {
        let waker = {
            let mut coming = self.0.lock();
            coming.ended = true;
            coming.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn ended(&self) -> bool {
        self.0.lock().ended
    }
}

type Running<T> = Pin<Box<dyn Future<Output = Result<T, ChatError>>>>;

enum State {
    Waiting(Request),
    Preparing(Running<Prepared>),
    Running(Running<Answer>),
    Done(Answer),
}

struct Slot {
    ack: u64,
    deadline: Instant,
    /// The deadline in virtual time.
    until: u64,
    state: State,
}

/// A connection of somebody whose token was good.
pub(crate) struct Socket {
    pub(crate) sim: Arc<Sim>,
    pub(crate) net: Arc<Net>,
    pub(crate) chat: Arc<Chat>,
    pub(crate) number: u64,
    pub(crate) id: SocketId,
    pub(crate) identity: Arc<Identity>,
    pub(crate) inbox: Arc<Inbox>,
}

impl Socket {
    /// Answers what comes, until the connection is over and all of it is done.
    pub(crate) async fn run(self) {
        let (mut slots, mut started) = (VecDeque::new(), 0);
        poll_fn(|cx| {
            let ended = self.take_up(&mut slots, cx);
            while let Some((ack, answer)) = self.next(&mut slots, &mut started, cx) {
                self.net.tell(self.number, Down::Answer(ack, answer));
            }
            if let Some(head) = slots.front() {
                self.sim.wake_at(head.until, cx.waker());
            }
            if ended && slots.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn take_up(&self, slots: &mut VecDeque<Slot>, cx: &Context<'_>) -> bool {
        let mut coming = self.inbox.0.lock();
        coming.waker = Some(cx.waker().clone());
        let ended = coming.ended;
        for (ack, request, at, now) in coming.requests.drain(..) {
            let deadline = self.chat.messaging.deadline(at);
            let wait = u64::try_from((deadline - at).as_millis()).unwrap();
            slots.push_back(Slot { ack, deadline, until: now + wait, state: State::Waiting(request) });
        }
        ended
    }

    /// The answer to the oldest request, once it is there or its time is over.
    fn next(
        &self,
        slots: &mut VecDeque<Slot>,
        started: &mut usize,
        cx: &mut Context<'_>,
    ) -> Option<(u64, Answer)> {
        self.start(slots, started, cx);
        let head = slots.front_mut()?;
        if let State::Running(future) = &mut head.state
            && let Poll::Ready(answer) = future.as_mut().poll(cx)
        {
            head.state = State::Done(answered(answer));
        }
        if !matches!(head.state, State::Done(_)) && self.sim.now() < head.until {
            return None;
        }
        let slot = slots.pop_front()?;
        *started = started.saturating_sub(1);
        let answer = match slot.state {
            State::Done(answer) => answer,
            // Dropped where it stands; what it has asked of the store goes on there.
            State::Waiting(_) | State::Preparing(_) | State::Running(_) => {
                wire::refusal(&StoreError::Timeout.into())
            }
        };
        Some((slot.ack, answer))
    }

    fn start(&self, slots: &mut VecDeque<Slot>, started: &mut usize, cx: &mut Context<'_>) {
        while let Some(slot) = slots.get_mut(*started) {
            match &mut slot.state {
                State::Waiting(Request::Send { .. } | Request::Typing { .. }) if *started >= IN_FLIGHT => {
                    return;
                }
                State::Waiting(Request::Send { .. } | Request::Typing { .. }) => self.begin(slot),
                State::Waiting(_) if *started > 0 => return,
                State::Waiting(_) => self.begin(slot),
                State::Preparing(future) => match future.as_mut().poll(cx) {
                    Poll::Pending => return,
                    Poll::Ready(Err(error)) => slot.state = State::Done(wire::refusal(&error)),
                    Poll::Ready(Ok(message)) => {
                        let sending = self.chat.messaging.submit(message);
                        slot.state = State::Running(Box::pin(async move {
                            Ok(Answer::Message(wire::message(&sending.await?.message)))
                        }));
                    }
                },
                State::Running(future) => {
                    // The first poll puts it into the store's queue: its place in the order.
                    if let Poll::Ready(answer) = future.as_mut().poll(cx) {
                        slot.state = State::Done(answered(answer));
                    }
                    *started += 1;
                }
                State::Done(_) => *started += 1,
            }
        }
    }

    fn begin(&self, slot: &mut Slot) {
        let placeholder = State::Done(Answer::Done);
        let State::Waiting(request) = std::mem::replace(&mut slot.state, placeholder) else { return };
        let (chat, deadline, limits) = (Arc::clone(&self.chat), slot.deadline, Limits::default());
        let Request::Send { to, client_id, text } = request else {
            let doing = perform(chat, request, Arc::clone(&self.identity), self.id.clone(), deadline);
            slot.state = State::Running(Box::pin(doing));
            return;
        };
        let message = SendMessage {
            sender: self.identity.user,
            receiver: to.parse().unwrap(),
            text: MessageText::parse(text, &limits).unwrap(),
            client_id: Some(ClientId::parse(client_id, &limits).unwrap()),
            deadline,
            except: Some(self.id.clone()),
        };
        slot.state = State::Preparing(Box::pin(async move { chat.messaging.prepare(message).await }));
    }
}

fn answered(answer: Result<Answer, ChatError>) -> Answer {
    answer.unwrap_or_else(|error| wire::refusal(&error))
}

async fn perform(
    chat: Arc<Chat>,
    request: Request,
    who: Arc<Identity>,
    socket: SocketId,
    deadline: Instant,
) -> Result<Answer, ChatError> {
    let me = who.user;
    Ok(match request {
        // Prepared and submitted in their own way.
        Request::Send { .. } => Answer::Done,
        Request::Edit { message, text } => {
            let text = MessageText::parse(text, &Limits::default()).unwrap();
            let edited = chat.messaging.edit(me, message.parse().unwrap(), text, deadline).await?;
            Answer::Message(wire::message(&edited))
        }
        Request::Delete { message } => {
            chat.messaging.delete(me, message.parse().unwrap(), deadline).await?;
            Answer::Done
        }
        Request::Receipt { message, read } => {
            let kind = if read { ReceiptKind::Read } else { ReceiptKind::Delivered };
            let (message, except) = (message.parse().unwrap(), Some(socket));
            chat.messaging.receipt(GiveReceipt { kind, receiver: me, message, deadline, except }).await?;
            Answer::Done
        }
        Request::Block { user, on } => {
            chat.blocking.set(me, user.parse().unwrap(), on).await?;
            Answer::Done
        }
        Request::Typing { to } => {
            chat.typing.set(&who, to.parse().unwrap(), true).await?;
            Answer::Done
        }
        Request::Sync { since, limit } => {
            let page = chat.sync.page((me, &socket), since.as_deref(), Some(limit)).await?;
            let messages = page.messages.iter().map(|message| wire::message(message)).collect();
            Answer::Changes { messages, cursor: page.cursor, complete: page.complete }
        }
        Request::History { other, after, before, limit } => {
            let position = match (after, before) {
                (Some(id), _) => HistoryPosition::After(id.parse().unwrap()),
                (None, Some(id)) => HistoryPosition::Before(id.parse().unwrap()),
                (None, None) => HistoryPosition::Newest { skip: 0 },
            };
            let request = HistoryRequest { limit: Some(limit), position };
            let page = chat.history.page(me, other.parse().unwrap(), request).await?;
            let messages = page.messages.iter().map(|message| wire::message(message)).collect();
            Answer::Page { messages, next: page.next.map(|id| id.to_string()) }
        }
    })
}
