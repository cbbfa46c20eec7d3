//! All settings of the server, read once at start and valid from then on.

use std::{fmt, path::PathBuf, time::Duration};

use chat_domain::{ChatSettings, model::Limits};
use chat_limiter::Rates;
use chat_mongo_adapter::MongoUri;

mod catalog;
mod dotenv;
mod later;
mod load;
mod manual;
mod rates;
mod reader;
mod secret;
mod sources;
mod spec;

pub(crate) use manual::markdown;
pub(crate) use reader::Effective;
pub(crate) use secret::{Secret, generate as generate_secret, kept as kept_secret};
pub(crate) use sources::Sources;

use crate::failure::Failure;

/// A setting, or a file of settings, that is wrong. One line; values of secrets never stand in it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub(crate) struct SettingsError {
    name: String,
    reason: String,
}

impl SettingsError {
    fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), reason: reason.into() }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error.to_string())
    }
}

/// Where the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    /// On somebody's desk.
    Development,
    /// For real.
    Production,
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Development => "development",
            Self::Production => "production",
        })
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// One JSON object a line, instead of lines for people.
    pub(crate) json: bool,
    /// Directives of `EnvFilter`.
    pub(crate) filter: String,
}

/// How passwords are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bcrypt {
    pub(crate) cost: u32,
    pub(crate) threads: usize,
    pub(crate) queue: usize,
}

/// How the listener works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) workers: usize,
    /// Over all workers.
    pub(crate) max_connections: usize,
    pub(crate) header_timeout: Duration,
}

/// The files of TLS, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The certificate, behind it those that vouch for it.
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Drain {
    /// How long connections are still accepted.
    pub(crate) grace: Duration,
    /// When the process is gone at the latest; both count from the signal.
    pub(crate) deadline: Duration,
}

/// All settings.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) environment: Environment,
    pub(crate) listen: Listen,
    /// Connections are in TLS; without it they are plain.
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) data_dir: PathBuf,
    /// The MongoDB to use instead of the embedded store.
    pub(crate) mongodb: Option<MongoUri>,
    /// The secret that was given; without one it is kept in the data folder.
    pub(crate) secret: Option<Secret>,
    pub(crate) bcrypt: Bcrypt,
    pub(crate) token_ttl_seconds: u64,
    pub(crate) limits: Limits,
    pub(crate) chat: ChatSettings,
    pub(crate) transport: chat_transport::Settings,
    /// How often things may be done; without them, as often as one likes.
    pub(crate) rates: Option<Rates>,
    pub(crate) log: LogSettings,
    pub(crate) drain: Drain,
    /// What an operator should know about the settings, a line each.
    pub(crate) notices: Vec<String>,
    /// Every setting in effect, to be shown.
    pub(crate) effective: Vec<Effective>,
}

#[cfg(test)]
mod tests;
