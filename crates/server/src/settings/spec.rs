//! What a setting is: its name, default, range and meaning.

use std::fmt;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Things without a unit.
    Count,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Characters.
    Chars,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "",
            Self::Millis => "ms",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::Chars => "characters",
        })
    }
}

/// A whole number in a range.
#[derive(Debug)]
pub(crate) struct Integer {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) default: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) about: &'static str,
}

/// `on` or `off`.
#[derive(Debug)]
pub(crate) struct Switch {
    pub(crate) name: &'static str,
    pub(crate) default: bool,
    pub(crate) about: &'static str,
}

/// One of a few words.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) name: &'static str,
    pub(crate) words: &'static [&'static str],
    /// The default, in words.
    pub(crate) default: &'static str,
    pub(crate) about: &'static str,
}

/// A text with a form of its own.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) name: &'static str,
    /// What it must look like.
    pub(crate) form: &'static str,
    /// The default, in words.
    pub(crate) default: &'static str,
    /// Whether its value must never be shown.
    pub(crate) secret: bool,
    pub(crate) about: &'static str,
}

/// A setting of any kind.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Setting {
    Integer(&'static Integer),
    Switch(&'static Switch),
    Choice(&'static Choice),
    Text(&'static Text),
}

impl Setting {
    /// Its name in the environment.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Integer(setting) => setting.name,
            Self::Switch(setting) => setting.name,
            Self::Choice(setting) => setting.name,
            Self::Text(setting) => setting.name,
        }
    }
}
