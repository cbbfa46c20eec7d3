//! What can be set of the server, and the rule about origins.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chat_socketio::Config;

use crate::Budget;

/// What can be set of a server. Durations are wall time, sizes are bytes.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it is served, without a slash at the end. Default `/socket.io`.
    pub path: String,
    /// The Engine.IO and Socket.IO limits and times.
    pub engine: Config,
    /// Most bytes that wait for one session; past them it is closed as slow. Default 1 MiB.
    pub outbox_bytes: usize,
    /// What all clients together may have sent of bodies, messages and attachments that are not whole yet; past it
    /// whoever has sent most is closed. Default 8 MiB.
    pub incoming: Arc<Budget>,
    /// What all clients together may leave unread; past it whoever left most is closed as slow. What is sent to many
    /// in one batch is not counted. Default 24 MiB.
    pub outgoing: Arc<Budget>,
    /// Events of one session that its application has not answered; past them the client is not read. Default 512.
    pub max_queued_events: usize,
    /// How long a POST may wait for such events to be done; past it the session is closed as slow. Default 5 s.
    pub queue_timeout: Duration,
    /// How long a request's body may take to come in. Default 30 s.
    pub body_timeout: Duration,
    /// Answers to long-polling clients of at least this many bytes are compressed by gzip where the client accepts it, a
    /// few at a time; the others go out as they are. `None`: none is. Default 1,024, as Node's.
    pub compress_from: Option<usize>,
    /// Which foreign origins browsers may come from.
    pub origins: Origins,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: "/socket.io".to_owned(),
            engine: Config::default(),
            outbox_bytes: 1024 * 1024,
            incoming: Budget::new(8 * 1024 * 1024),
            outgoing: Budget::new(24 * 1024 * 1024),
            max_queued_events: 512,
            queue_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(30),
            compress_from: Some(1024),
            origins: Origins::SameOrigin,
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
