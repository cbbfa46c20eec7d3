//! Settings of how often things may be done.

use super::{Setting, Switch, Text, switch, text};

/// What a single rate looks like.
const RATE: &str = "`N/s`, `N/min` or `N/h`, then `burst N`";

pub(crate) static RATE_LIMITS: Switch = switch(
    "RATE_LIMITS",
    true,
    "Whether the rates below and `MAX_SOCKETS_PER_ADDRESS` are heeded; off is for load tests.",
);
pub(crate) static RATE_REGISTER: Text =
    text("RATE_REGISTER", RATE, "`30/min`", "Registrations of an address. Without `burst` as many at once.");
pub(crate) static RATE_LOGIN: Text = text(
    "RATE_LOGIN",
    "rates with `account` or `address` behind them, a comma between",
    "`10/min account, 100/min address`",
    "Attempts to log in, good or bad: those that name an account, there or not, and those of an address. The one left out keeps its default.",
);
pub(crate) static RATE_MESSAGES: Text =
    text("RATE_MESSAGES", RATE, "`20/s burst 200`", "Messages of a user, over all sockets.");
pub(crate) static RATE_EVENTS: Text = text(
    "RATE_EVENTS",
    RATE,
    "`100/s burst 500`",
    "Events of a socket. One that goes on, and is refused as often again and a hundred times more, is closed.",
);
pub(crate) static RATE_HANDSHAKES: Text = text(
    "RATE_HANDSHAKES",
    RATE,
    "`200/s burst 5000`",
    "Handshakes that open a session, of an address; clients that are refused come back by themselves.",
);

pub(super) static RATES: &[Setting] = &[
    Setting::Switch(&RATE_LIMITS),
    Setting::Text(&RATE_REGISTER),
    Setting::Text(&RATE_LOGIN),
    Setting::Text(&RATE_MESSAGES),
    Setting::Text(&RATE_EVENTS),
    Setting::Text(&RATE_HANDSHAKES),
];
