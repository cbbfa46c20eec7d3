//! A WebSocket inside anybody's actix-web app: carried by the response's body.
//!
//! actix polls a response's body in the same task that reads the request's payload, so the body is the whole
//! driver: nothing is spawned and nothing crosses a channel. When the client does not read, actix does not ask
//! for more; then nothing is read either, and the outbox's bound decides.

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
use chat_socketio::LinkId;
use futures_util::Stream;

use super::{Source, Turn, WebSocket};
use crate::{
    Application,
    connection::{Connection, alarm::Alarm},
};

/// The body of a WebSocket's response, which reads the request's payload as well.
pub(crate) struct MountedWebSocket<A: Application> {
    socket: WebSocket<A>,
    payload: Payload,
    input: BytesMut,
    alarm: Alarm,
}

impl<A: Application> MountedWebSocket<A> {
    pub(crate) fn new(connection: Arc<Connection<A>>, link: LinkId, payload: Payload) -> Self {
        let socket = WebSocket::new(connection, link);
        Self { socket, payload, input: BytesMut::new(), alarm: Alarm::default() }
    }
}

impl Source for Payload {
    fn poll_read(&mut self, buffer: &mut BytesMut, cx: &mut Context<'_>) -> Poll<bool> {
        Pin::new(self).poll_next(cx).map(|chunk| {
            let chunk = chunk.and_then(Result::ok);
            buffer.extend_from_slice(chunk.as_deref().unwrap_or_default());
            chunk.is_some()
        })
    }
}

impl<A: Application> MessageBody for MountedWebSocket<A> {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let Self { socket, payload, input, alarm } = &mut *self;
        loop {
            let Turn { out, last, lost: _, next } = socket.turn(input, BytesMut::len, payload, true, cx);
            if let Some(out) = out {
                return Poll::Ready(Some(Ok(out)));
            }
            if last {
                return Poll::Ready(None);
            }
            if alarm.poll(next, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
