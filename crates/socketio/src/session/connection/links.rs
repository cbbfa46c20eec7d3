//! WebSockets: the session's own, and one that may become it.
//!
//! Source: the Engine.IO protocol, "Upgrade".

use bytes::Bytes;

use super::super::polling::{NOOP, Upgrade};
use super::super::{CloseReason, Frame, LinkId, Output, Reply};
use super::{Connection, Incoming, Line};
use crate::engine::{InvalidPacket, Packet, Refusal};

/// The answer to a probe.
const PROBE_PONG: Bytes = Bytes::from_static(b"3probe");

impl Connection {
    pub(super) fn link_packet(
        &mut self,
        link: LinkId,
        packet: Result<Packet, InvalidPacket>,
    ) -> Option<Incoming> {
        match &self.line {
            Line::WebSocket(own) if *own == link => return self.packet(packet),
            Line::Polling(polling) if polling.upgrade.as_ref().is_some_and(|up| up.link == link) => {
                self.upgrade_packet(link, packet);
            }
            // A link that was closed here, whose last messages were under way.
            Line::Polling(_) | Line::WebSocket(_) | Line::Closed => {}
        }
        None
    }

    pub(super) fn begin_upgrade(&mut self, link: LinkId) {
        let due = self.now + self.config.upgrade_timeout;
        match &mut self.line {
            Line::Polling(polling) if polling.upgrade.is_none() && self.config.allow_upgrades => {
                polling.upgrade = Some(Upgrade { link, due, probed: false });
            }
            Line::Polling(_) | Line::WebSocket(_) | Line::Closed => {
                self.out.push_back(Output::CloseLink { link, code: CloseReason::Server.link_code() });
            }
        }
    }

    /// `2probe`, then `5`; anything else and polling goes on alone.
    fn upgrade_packet(&mut self, link: LinkId, packet: Result<Packet, InvalidPacket>) {
        let Line::Polling(polling) = &mut self.line else { return };
        let Some(upgrade) = &mut polling.upgrade else { return };
        match packet {
            Ok(Packet::Ping(data)) if data == "probe" => {
                upgrade.probed = true;
                self.out.push_back(Output::Send { link, frame: Frame::Text(PROBE_PONG) });
            }
            Ok(Packet::Upgrade) if upgrade.probed => self.complete_upgrade(link),
            _ => self.abandon_upgrade(CloseReason::Unexpected),
        }
    }

    /// Moves the session to `link`; what waited for a GET goes out there first, in its order.
    fn complete_upgrade(&mut self, link: LinkId) {
        let Line::Polling(polling) = std::mem::replace(&mut self.line, Line::WebSocket(link)) else { return };
        if let Some(request) = polling.get {
            self.reply(request, Reply::payload(NOOP));
        }
        if let Some(request) = polling.post {
            self.reply(request, Refusal::BadRequest);
        }
        self.push_all(polling.into_queue());
    }

    pub(super) fn abandon_upgrade(&mut self, reason: CloseReason) {
        let Line::Polling(polling) = &mut self.line else { return };
        if let Some(upgrade) = polling.upgrade.take() {
            self.out.push_back(Output::CloseLink { link: upgrade.link, code: reason.link_code() });
        }
    }

    pub(super) fn link_closed(&mut self, link: LinkId) {
        match &mut self.line {
            Line::WebSocket(own) if *own == link => self.close(CloseReason::TransportLost),
            Line::Polling(polling) => {
                polling.upgrade.take_if(|upgrade| upgrade.link == link);
            }
            Line::WebSocket(_) | Line::Closed => {}
        }
    }
}
