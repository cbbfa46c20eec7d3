//! Typed reading of settings, with the one line that a wrong value gets.

use super::{
    SettingsError,
    sources::{Origin, Sources},
    spec::{Choice, Integer, Switch, Text},
};

/// A setting as it is in effect, to be shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Effective {
    /// The setting's name.
    pub(crate) name: &'static str,
    /// Its value; what stands for it where it is secret.
    pub(crate) value: String,
    /// Where it stands.
    pub(crate) origin: Origin,
}

/// Reads settings and remembers what it read.
pub(super) struct Reader<'a> {
    sources: &'a Sources,
    effective: Vec<Effective>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self { sources, effective: Vec::new() }
    }

    /// All that was read, in the order of reading.
    pub(super) fn into_effective(self) -> Vec<Effective> {
        self.effective
    }

    /// A whole number in its range. Digits only: no sign, no unit, no separators.
    pub(super) fn integer<T: TryFrom<u64>>(&mut self, setting: &Integer) -> Result<T, SettingsError> {
        let given = self.sources.get(setting.name);
        let number = match given {
            None => Some(setting.default),
            Some((value, _)) => {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                value.parse().ok().filter(|number| digits && (setting.min..=setting.max).contains(number))
            }
        };
        let read = number.and_then(|number| Some((number, T::try_from(number).ok()?)));
        let Some((number, typed)) = read else {
            return Err(refused(
                setting.name,
                given,
                &format!("a whole number from {} to {}", setting.min, setting.max),
            ));
        };
        self.remember(setting.name, number.to_string(), given);
        Ok(typed)
    }

    /// `on` or `off`; `true` and `false` mean the same.
    pub(super) fn switch(&mut self, setting: &Switch) -> Result<bool, SettingsError> {
        let given = self.sources.get(setting.name);
        let on = match given.map(|(value, _)| value) {
            None => setting.default,
            Some("on" | "true") => true,
            Some("off" | "false") => false,
            Some(_) => return Err(refused(setting.name, given, "on or off")),
        };
        self.remember(setting.name, if on { "on" } else { "off" }.into(), given);
        Ok(on)
    }

    /// One of the setting's words; `None` where it is not given.
    pub(super) fn choice(&mut self, setting: &Choice) -> Result<Option<&'static str>, SettingsError> {
        let Some(given) = self.sources.get(setting.name) else { return Ok(None) };
        let Some(word) = setting.words.iter().find(|word| **word == given.0) else {
            return Err(refused(setting.name, Some(given), &setting.words.join(" or ")));
        };
        self.remember(setting.name, (*word).to_owned(), Some(given));
        Ok(Some(word))
    }

    /// A text as it stands; `None` where it is not given.
    pub(super) fn text(&mut self, setting: &Text) -> Option<&'a str> {
        let given = self.sources.get(setting.name)?;
        let shown = if setting.secret { format!("({} bytes)", given.0.len()) } else { given.0.to_owned() };
        self.remember(setting.name, shown, Some(given));
        Some(given.0)
    }

    /// Remembers a default that depends on others.
    pub(super) fn assume(&mut self, name: &'static str, value: impl Into<String>) {
        self.remember(name, value.into(), None);
    }

    fn remember(&mut self, name: &'static str, value: String, given: Option<(&str, &Origin)>) {
        let origin = given.map_or(Origin::Default, |(_, origin)| origin.clone());
        self.effective.push(Effective { name, value, origin });
    }
}

/// The line for a value that breaks its rule.
fn refused(name: &str, given: Option<(&str, &Origin)>, rule: &str) -> SettingsError {
    let (value, origin) = given.unwrap_or(("", &Origin::Default));
    let shown: String = value.chars().take(60).collect();
    SettingsError::new(name, format!("must be {rule}, not {shown:?} ({origin})"))
}
