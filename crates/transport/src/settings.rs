//! What an operator can set of the transport, and the rule about origins.

use std::{collections::HashSet, time::Duration};

use chat_domain::model::Limits;

/// Settings of the transport. Durations are wall time, sizes are bytes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The Engine.IO and Socket.IO limits and times.
    pub engine: chat_socketio::Config,
    /// Most bytes that wait for one socket; past them it is closed as slow. Default 1 MiB.
    pub outbox_bytes: usize,
    /// Most sockets of one user; one more is refused with `forbidden`. Default 50.
    pub max_sockets_per_user: usize,
    /// Sends of one socket that may be on their way to the store at once. Default 64.
    pub max_sends_in_flight: usize,
    /// Events of one socket that wait their turn; past them the socket is not read. Default 512.
    pub max_queued_events: usize,
    /// How long a request may take, from its arrival. Default 5 s.
    pub send_timeout: Duration,
    /// Most bytes of a REST body. Default 64 KiB.
    pub max_body_bytes: usize,
    /// How long a request's body may take to come in. Default 30 s.
    pub body_timeout: Duration,
    /// Which foreign origins browsers may come from.
    pub origins: Origins,
    /// Whether `?token=` on the handshake counts. Default off: it lands in logs.
    pub query_token: bool,
    /// Whether `GET /api/users` lists anybody. Default on.
    pub users_list: bool,
    /// What input may be.
    pub limits: Limits,
    /// The version that `/health` tells.
    pub version: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: chat_socketio::Config::default(),
            outbox_bytes: 1024 * 1024,
            max_sockets_per_user: 50,
            max_sends_in_flight: 64,
            max_queued_events: 512,
            send_timeout: Duration::from_secs(5),
            max_body_bytes: 64 * 1024,
            body_timeout: Duration::from_secs(30),
            origins: Origins::SameOrigin,
            query_token: false,
            users_list: true,
            limits: Limits::default(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// Which origins browsers may come from, beside the server's own. Requests without an `Origin` pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origins {
    /// None.
    #[default]
    SameOrigin,
    /// Any on localhost: for development.
    Localhost,
    /// These, as browsers write them (`https://chat.example.org`).
    List(HashSet<String>),
    /// Every one.
    Any,
}

impl Origins {
    /// Whether a request with these headers may pass.
    #[must_use]
    pub fn allow(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        if authority.is_some() && authority == host {
            return true;
        }
        match self {
            Self::SameOrigin => false,
            Self::Localhost => authority.is_some_and(is_localhost),
            Self::List(list) => list.contains(origin),
            Self::Any => true,
        }
    }
}

fn is_localhost(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    };
    host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1" || host == "[::1]"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_origin_and_none_pass_and_others_by_the_list() {
        let own = (Some("https://chat.example"), Some("chat.example"));
        let list = Origins::List(HashSet::from(["https://app.example".to_owned()]));
        for origins in [Origins::SameOrigin, Origins::Localhost, list.clone(), Origins::Any] {
            assert!(origins.allow(None, Some("chat.example")));
            assert!(origins.allow(own.0, own.1));
        }
        let cases = [
            (&Origins::SameOrigin, "http://localhost:3000", false),
            (&Origins::Localhost, "http://localhost:3000", true),
            (&Origins::Localhost, "http://127.0.0.1:5173", true),
            (&Origins::Localhost, "http://[::1]:5173", true),
            (&Origins::Localhost, "http://localhost.evil.example", false),
            (&Origins::Localhost, "null", false),
            (&list, "https://app.example", true),
            (&list, "https://app.example.evil", false),
            (&Origins::Any, "https://evil.example", true),
        ];
        for (origins, origin, allowed) in cases {
            assert_eq!(origins.allow(Some(origin), Some("chat.example")), allowed, "{origins:?} {origin}");
        }
    }
}
