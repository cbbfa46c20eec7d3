//! The heartbeat: the server pings, the client answers in time or is gone.
//!
//! Source: the Engine.IO protocol, "Heartbeat".

use std::time::{Duration, Instant};

use crate::Config;

/// A ping that is sent no later than this after it was due is in time: timers ring a moment late, and the delays of
/// two would add up.
const IN_TIME: Duration = Duration::from_millis(5);

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
        let late = now.duration_since(self.due) > IN_TIME;
        let sent = if late { now } else { self.due };
        *self = Self { due: sent + config.ping_timeout, awaiting_pong: true };
        Some(Beat::Ping)
    }

    /// Whether the time for a pong is over, though no timer has told of it yet.
    pub(super) fn is_dead(&self, now: Instant) -> bool {
        self.awaiting_pong && now >= self.due
    }
}
