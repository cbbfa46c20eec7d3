//! Requests of a polling client, and what becomes of them when the session ends.
//!
//! Source: the Engine.IO protocol, "HTTP long-polling".

use bytes::Bytes;

use super::super::polling::{NOOP, Polling};
use super::super::{CloseReason, Output, Reply, RequestId};
use super::{Connection, Line};
use crate::engine::{Refusal, decode_payload};

impl Connection {
    pub(super) fn get(&mut self, request: RequestId) {
        match &mut self.line {
            // A POST that is being read may bring the pong.
            Line::Polling(polling) if polling.post.is_none() && self.heartbeat.is_dead(self.now) => {
                self.close(CloseReason::PingTimeout);
                self.reply(request, Refusal::UnknownSid);
            }
            Line::Polling(polling) if polling.get.is_none() => polling.get = Some(request),
            Line::Polling(_) => self.overlap(request),
            Line::WebSocket(_) => self.reply(request, Refusal::BadRequest),
            Line::Closed => self.reply(request, Refusal::UnknownSid),
        }
    }

    pub(super) fn begin_post(&mut self, request: RequestId) {
        match &mut self.line {
            Line::Polling(polling) if polling.post.is_none_or(|open| open == request) => {
                polling.post = Some(request);
            }
            Line::Polling(_) => self.overlap(request),
            Line::WebSocket(_) => self.reply(request, Refusal::BadRequest),
            Line::Closed => self.reply(request, Refusal::UnknownSid),
        }
    }

    pub(super) fn post(&mut self, request: RequestId, body: Bytes) {
        if body.len() > self.config.max_payload {
            return self.post_too_large(request);
        }
        self.begin_post(request);
        if let Line::Polling(polling) = &mut self.line {
            polling.body = Some(decode_payload(body));
        }
    }

    pub(super) fn post_too_large(&mut self, request: RequestId) {
        self.begin_post(request);
        if let Line::Polling(polling) = &mut self.line {
            polling.post = None;
            self.reply(request, Reply::too_large());
            self.close(CloseReason::TooLarge);
        }
    }

    fn overlap(&mut self, request: RequestId) {
        self.close(CloseReason::Overlap);
        self.reply(request, Refusal::BadRequest);
    }

    pub(super) fn aborted(&mut self, request: RequestId) {
        let Line::Polling(polling) = &mut self.line else { return };
        let get = polling.get.take_if(|open| *open == request);
        let post = polling.post.take_if(|open| *open == request);
        if get.or(post).is_some() {
            self.close(CloseReason::TransportLost);
        }
    }

    /// Answers what is open when the session ends.
    pub(super) fn release(&mut self, mut polling: Polling, reason: CloseReason) {
        if let Some(request) = polling.get {
            let client_closed = reason == CloseReason::ClientClosed;
            let body = if client_closed { NOOP } else { polling.farewell() };
            self.reply(request, Reply::payload(body));
        }
        if let Some(request) = polling.post {
            match reason {
                CloseReason::ClientClosed => self.reply(request, Reply::ok()),
                CloseReason::Malformed
                | CloseReason::Unexpected
                | CloseReason::Overlap
                | CloseReason::TooLarge => self.reply(request, Refusal::BadRequest),
                CloseReason::TransportLost
                | CloseReason::PingTimeout
                | CloseReason::ConnectTimeout
                | CloseReason::AttachmentsTimeout
                | CloseReason::Slow
                | CloseReason::Overload
                | CloseReason::Flood
                | CloseReason::Server
                | CloseReason::Shutdown => self.reply(request, Refusal::UnknownSid),
            }
        }
        if let Some(upgrade) = polling.upgrade {
            self.out.push_back(Output::CloseLink { link: upgrade.link, code: reason.link_code() });
        }
    }
}
