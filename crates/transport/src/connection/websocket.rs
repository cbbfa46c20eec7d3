//! A session over a WebSocket, driven from inside the response's body.
//!
//! actix polls a response's body in the same task that reads the request's payload. So one task does it all:
//! read frames, feed the session, poll what is under way, hand out encoded frames. Nothing is spawned and
//! nothing crosses a channel. When the client does not read, actix does not ask for more; then nothing is read
//! either, and the outbox's bound decides.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, MessageBody},
    web::Payload,
};
use bytes::{Bytes, BytesMut};
use chat_socketio::{
    Input, LinkId,
    websocket::{Decoder, Message, Opcode},
};
use futures_util::Stream;

use super::{Connection, Core, alarm::Alarm};

/// The body of a WebSocket's response, which reads the request's payload as well.
pub(crate) struct WebSocketBody {
    connection: Arc<Connection>,
    link: LinkId,
    payload: Payload,
    decoder: Decoder,
    input: BytesMut,
    alarm: Alarm,
    /// Nothing more comes in: the client has closed, broken a rule or gone.
    deaf: bool,
}

impl WebSocketBody {
    pub(crate) fn new(connection: Arc<Connection>, link: LinkId, payload: Payload) -> Self {
        let decoder = Decoder::new(connection.app.settings.engine.max_payload);
        Self {
            connection,
            link,
            payload,
            decoder,
            input: BytesMut::new(),
            alarm: Alarm::default(),
            deaf: false,
        }
    }

    /// Reads what has come in, unless too many events wait already.
    fn read(&mut self, core: &mut Core, cx: &mut Context<'_>) {
        let most_queued = self.connection.app.settings.max_queued_events;
        while !self.deaf && core.pipeline.len() < most_queued {
            match self.decoder.decode(&mut self.input) {
                Ok(Some(message)) => self.on_message(core, message),
                Ok(None) => match Pin::new(&mut self.payload).poll_next(cx) {
                    Poll::Ready(Some(Ok(bytes))) => self.input.extend_from_slice(&bytes),
                    Poll::Ready(Some(Err(_)) | None) => self.hang_up(core, None),
                    Poll::Pending => return,
                },
                Err(violation) => {
                    tracing::debug!(%violation, "a WebSocket broke a rule");
                    self.hang_up(core, Some(violation.close_code()));
                }
            }
        }
    }

    fn on_message(&mut self, core: &mut Core, message: Message) {
        let link = self.link;
        match message {
            Message::Text(data) => self.input(core, Input::Text { link, data }),
            Message::Binary(data) => self.input(core, Input::Binary { link, data }),
            Message::Ping(data) => {
                if let Some(link) = core.link(link) {
                    link.frame(Opcode::Pong, &data);
                }
            }
            Message::Pong(_) => {}
            Message::Close(code) => self.hang_up(core, Some(code.unwrap_or(1000))),
        }
    }

    fn input(&self, core: &mut Core, input: Input) {
        let now = self.connection.app.clock.instant();
        core.session.handle(now, input);
        // Events go into the pipeline at once, so that its length bounds what is read.
        self.connection.settle(core, now, None);
    }

    fn hang_up(&mut self, core: &mut Core, code: Option<u16>) {
        self.deaf = true;
        self.input = BytesMut::new();
        let link = self.link;
        if let (Some(link), Some(code)) = (core.link(link), code) {
            link.close(code);
        }
        self.input(core, Input::LinkClosed { link });
        if let Some(link) = core.link(link) {
            link.close(1000);
        }
    }
}

impl MessageBody for WebSocketBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let connection = Arc::clone(&self.connection);
        loop {
            let mut core = connection.lock();
            self.read(&mut core, cx);
            let drives = core.session.link() == Some(self.link) && !core.ended;
            if drives {
                connection.drive(&mut core, cx);
            }
            let next = core.next_timeout().filter(|_| drives);
            let Some(link) = core.link(self.link) else { return Poll::Ready(None) };
            link.register(cx.waker());
            let (out, last) = link.take();
            drop(core);
            if let Some(out) = out {
                return Poll::Ready(Some(Ok(out)));
            }
            if last {
                return Poll::Ready(None);
            }
            if self.alarm.poll(next, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for WebSocketBody {
    fn drop(&mut self) {
        let connection = Arc::clone(&self.connection);
        let mut core = connection.lock();
        let link = self.link;
        if !self.deaf {
            connection.feed(&mut core, Input::LinkClosed { link });
        }
        core.links.retain(|other| other.id != link);
        core.wake_driver();
    }
}
