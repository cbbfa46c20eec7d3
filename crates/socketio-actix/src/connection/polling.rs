//! A session over long-polling: the task that drives it, and the answer that a request waits for.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use chat_socketio::{Input, Reply, RequestId};
use tokio::sync::oneshot;

use super::{Connection, alarm::Alarm};
use crate::Application;

/// Drives a session until it is over or a WebSocket has taken it over.
pub(super) async fn drive<A: Application>(connection: Arc<Connection<A>>) {
    let mut alarm = Alarm::default();
    poll_fn(|cx| {
        loop {
            let mut core = connection.lock();
            if core.ended || core.session.link().is_some() {
                return Poll::Ready(());
            }
            connection.drive(&mut core, cx);
            if core.ended {
                return Poll::Ready(());
            }
            let next = core.next_timeout();
            drop(core);
            if alarm.poll(next, cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
}

/// The answer to a request. Dropped before it came, it tells the session that the client has gone.
pub(crate) struct Answer<A: Application> {
    connection: Arc<Connection<A>>,
    request: RequestId,
    receiver: oneshot::Receiver<Reply>,
    answered: bool,
}

impl<A: Application> Answer<A> {
    pub(super) fn new(
        connection: Arc<Connection<A>>,
        request: RequestId,
        receiver: oneshot::Receiver<Reply>,
    ) -> Self {
        Self { connection, request, receiver, answered: false }
    }

    /// Feeds what came in later for the same request, which itself came in at `arrived`.
    pub(crate) fn feed(&self, arrived: Instant, input: impl FnOnce(RequestId) -> Input) {
        let mut core = self.connection.lock();
        core.arrived = Some(arrived);
        self.connection.feed(&mut core, input(self.request));
        core.arrived = None;
    }
}

impl<A: Application> Future for Answer<A> {
    /// `None` where the session ended without a word.
    type Output = Option<Reply>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Reply>> {
        let reply = ready!(Pin::new(&mut self.receiver).poll(cx));
        self.answered = true;
        Poll::Ready(reply.ok())
    }
}

impl<A: Application> Drop for Answer<A> {
    fn drop(&mut self) {
        if !self.answered {
            let mut core = self.connection.lock();
            let request = self.request;
            core.waiters.retain(|(waiting, _)| *waiting != request);
            self.connection.feed(&mut core, Input::Aborted { request });
        }
    }
}
