//! Every setting of this build, beside its default and range. `docs/settings.md` is made of this.

use super::spec::{Choice, Integer, Setting, Switch, Text, Unit};

mod chat;
mod limits;
mod process;
mod rates;
mod wire;

pub(crate) use chat::*;
pub(crate) use limits::*;
pub(crate) use process::*;
pub(crate) use rates::*;
pub(crate) use wire::*;

/// A heading of the documentation and the settings under it.
pub(crate) type Group = (&'static str, &'static [Setting]);

/// All settings, in the order of the documentation.
pub(crate) static GROUPS: &[Group] = &[
    ("Process", PROCESS),
    ("Accounts and chat", CHAT),
    ("Connections", WIRE),
    ("Rates", RATES),
    ("Limits", LIMITS),
];

/// All settings.
pub(crate) fn all() -> impl Iterator<Item = Setting> {
    GROUPS.iter().flat_map(|(_, settings)| settings.iter().copied())
}

const HOUR_MS: u64 = 3_600_000;

const fn count(name: &'static str, default: u64, min: u64, max: u64, about: &'static str) -> Integer {
    Integer { name, unit: Unit::Count, default, min, max, about }
}

const fn millis(name: &'static str, default: u64, min: u64, max: u64, about: &'static str) -> Integer {
    Integer { name, unit: Unit::Millis, default, min, max, about }
}

const fn bytes(name: &'static str, default: u64, min: u64, max: u64, about: &'static str) -> Integer {
    Integer { name, unit: Unit::Bytes, default, min, max, about }
}

const fn chars(name: &'static str, default: u64, min: u64, max: u64, about: &'static str) -> Integer {
    Integer { name, unit: Unit::Chars, default, min, max, about }
}

const fn switch(name: &'static str, default: bool, about: &'static str) -> Switch {
    Switch { name, default, about }
}

const fn choice(
    name: &'static str,
    words: &'static [&'static str],
    default: &'static str,
    about: &'static str,
) -> Choice {
    Choice { name, words, default, about }
}

const fn text(name: &'static str, form: &'static str, default: &'static str, about: &'static str) -> Text {
    Text { name, form, default, secret: false, about }
}
