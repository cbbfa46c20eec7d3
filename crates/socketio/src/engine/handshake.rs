//! The OPEN packet: what a client is told when its session begins.

use bytes::Bytes;

use crate::Config;
use crate::json::push_string;

/// Encodes the OPEN packet (`0{…}`), members in the order of the protocol's "Handshake" section.
pub(crate) fn open_packet(sid: &str, upgrades: bool, config: &Config) -> Bytes {
    let mut text = String::with_capacity(128);
    text.push_str("0{\"sid\":");
    push_string(&mut text, sid);
    text.push_str(if upgrades { ",\"upgrades\":[\"websocket\"]" } else { ",\"upgrades\":[]" });
    text.push_str(&format!(
        ",\"pingInterval\":{},\"pingTimeout\":{},\"maxPayload\":{}}}",
        config.ping_interval.as_millis(),
        config.ping_timeout.as_millis(),
        config.max_payload
    ));
    Bytes::from(text)
}
