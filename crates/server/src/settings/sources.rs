//! Where settings come from: the environment, before `.env`, before the TOML file.

use std::{collections::HashMap, ffi::OsString, fmt, fs, io, path::Path, sync::Arc};

use super::{SettingsError, catalog, dotenv, later};

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In the process's environment.
    Environment,
    /// In a file.
    File(Arc<str>),
    /// Nowhere: it is the default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("environment"),
            Self::File(path) => f.write_str(path),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The values given, by name, of each place; the first place that has a name decides.
#[derive(Default)]
pub(crate) struct Sources {
    layers: Vec<(Origin, HashMap<String, String>)>,
    notices: Vec<String>,
}

/// Names the TOML file, in the environment and in `.env`.
const CONFIG_FILE: &str = "CONFIG_FILE";

impl Sources {
    /// Reads the process's environment, `.env` in the working folder if there is one, and the TOML file
    /// that `config` or `CONFIG_FILE` names.
    pub(crate) fn read(config: Option<&Path>) -> Result<Self, SettingsError> {
        let mut sources = Self::default();
        sources.add_environment(std::env::vars_os())?;
        sources.add_dotenv(Path::new(".env"))?;
        let named = sources.get(CONFIG_FILE).map(|(value, _)| value.to_owned());
        if let Some(path) = config.or(named.as_deref().map(Path::new)) {
            sources.add_toml(path)?;
        }
        Ok(sources)
    }

    /// The value under a name, and where it stands. An empty one counts as not given.
    pub(crate) fn get(&self, name: &str) -> Option<(&str, &Origin)> {
        self.layers.iter().find_map(|(origin, values)| {
            values.get(name).filter(|value| !value.is_empty()).map(|value| (value.as_str(), origin))
        })
    }

    /// What an operator should know about the places themselves, a line each.
    pub(crate) fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Adds the variables that have names of ours; the others belong to somebody else.
    pub(crate) fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<(), SettingsError> {
        let mut values = HashMap::new();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| is_known(name)) else { continue };
            let value =
                value.into_string().map_err(|_bytes| SettingsError::new(name, "is not valid UTF-8"))?;
            values.insert(name.to_owned(), value);
        }
        self.layers.push((Origin::Environment, values));
        Ok(())
    }

    /// Adds a `.env` file, if it exists. What is not an assignment is passed over, as Node's `dotenv` does,
    /// but said.
    pub(super) fn add_dotenv(&mut self, path: &Path) -> Result<(), SettingsError> {
        let name = path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(SettingsError::new(&name, format!("can't be read: {error}"))),
        };
        let parsed = dotenv::parse(&text);
        self.notices.extend(
            parsed
                .ignored
                .into_iter()
                .map(|line| format!("{name}, line {line}: not NAME=value, passed over")),
        );
        self.layers.push((Origin::File(name.into()), parsed.values));
        Ok(())
    }

    /// Adds a TOML file: one key a setting, in any case. Unknown keys are refused, since the file is ours.
    pub(super) fn add_toml(&mut self, path: &Path) -> Result<(), SettingsError> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|error| SettingsError::new(&name, format!("can't be read: {error}")))?;
        let table: toml::Table = text.parse().map_err(|error| broken(&name, &text, &error))?;
        let mut values = HashMap::new();
        for (key, value) in table {
            let setting = key.to_ascii_uppercase();
            if !is_known(&setting) || setting == CONFIG_FILE {
                return Err(SettingsError::new(&name, format!("there is no setting `{key}`")));
            }
            let value = plain(value).ok_or_else(|| {
                SettingsError::new(
                    &setting,
                    format!("must be a text, a whole number, a truth value or a list of texts ({name})"),
                )
            })?;
            if values.insert(setting, value).is_some() {
                return Err(SettingsError::new(&name, format!("`{key}` stands there twice")));
            }
        }
        self.layers.push((Origin::File(name.into()), values));
        Ok(())
    }
}

/// Whether a name is a setting's, of this build or of a later one.
fn is_known(name: &str) -> bool {
    name == CONFIG_FILE || catalog::all().any(|setting| setting.name() == name) || later::is_known(name)
}

/// A value of TOML as the environment would hold it.
fn plain(value: toml::Value) -> Option<String> {
    use toml::Value::{Array, Boolean, Datetime, Float, Integer, String, Table};
    match value {
        String(text) => Some(text),
        Integer(number) => Some(number.to_string()),
        Boolean(true) => Some("on".into()),
        Boolean(false) => Some("off".into()),
        Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(toml::Value::as_str).collect();
            Some(texts?.join(","))
        }
        Float(_) | Datetime(_) | Table(_) => None,
    }
}

/// The parser's own text shows the line, which may hold a secret: only its place and reason are told.
fn broken(name: &str, text: &str, error: &toml::de::Error) -> SettingsError {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    SettingsError::new(name, format!("line {line}: {}", error.message()))
}
