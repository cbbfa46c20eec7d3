//! The heartbeat: the server pings, the client answers in time or is gone.
//!
//! Source: the Engine.IO protocol, "Heartbeat".

use std::time::Instant;

use crate::Config;

/// When the next ping is due, or the answer to the last one.
#[derive(Debug)]
pub(super) struct Heartbeat {
    pub(super) due: Instant,
    awaiting_pong: bool,
}

/// What a due heartbeat asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Ping,
    Dead,
}

impl Heartbeat {
    pub(super) fn new(now: Instant, config: &Config) -> Self {
        Self { due: now + config.ping_interval, awaiting_pong: false }
    }

    /// Takes in a pong. One that was not asked for puts nothing off.
    pub(super) fn pong(&mut self, now: Instant, config: &Config) {
        if self.awaiting_pong {
            *self = Self::new(now, config);
        }
    }

    pub(super) fn beat(&mut self, now: Instant, config: &Config) -> Option<Beat> {
        if now < self.due {
            return None;
        }
        if self.awaiting_pong {
            return Some(Beat::Dead);
        }
        *self = Self { due: now + config.ping_timeout, awaiting_pong: true };
        Some(Beat::Ping)
    }
}
