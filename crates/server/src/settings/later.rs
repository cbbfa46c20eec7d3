//! Settings of features that this build does not have: said, not silently taken.

use super::{Environment, SettingsError, sources::Sources};

/// A setting of a feature to come.
struct Later {
    name: &'static str,
    /// What this build does instead.
    instead: &'static str,
    /// The value that describes what this build does anyway, and needs no word.
    neutral: Option<&'static str>,
    /// Whether going on without the feature would pretend something: refused in production.
    vital: bool,
}

const fn vital(name: &'static str, instead: &'static str) -> Later {
    Later { name, instead, neutral: None, vital: true }
}

const fn unused(name: &'static str, instead: &'static str, neutral: Option<&'static str>) -> Later {
    Later { name, instead, neutral, vital: false }
}

static ALL: &[Later] = &[
    vital("REDIS_URL", "this build has no Redis yet and is one node"),
    unused("PRESENCE_AUDIENCE", "this build tells presence to everyone", Some("everyone")),
];

/// Whether a name is one of these settings.
pub(super) fn is_known(name: &str) -> bool {
    ALL.iter().any(|later| later.name == name)
}

/// Name and what this build does instead, of each.
pub(super) fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|later| (later.name, later.instead))
}

/// A line for each of these settings that is given. Values are never shown: URIs hold passwords.
///
/// # Errors
/// In production, a feature that the server would only pretend to have.
pub(super) fn check(sources: &Sources, environment: Environment) -> Result<Vec<String>, SettingsError> {
    let mut lines = Vec::new();
    for later in ALL {
        let given = sources.get(later.name).map(|(value, _)| value);
        if given.is_none() || given == later.neutral {
            continue;
        }
        if later.vital && environment == Environment::Production {
            return Err(SettingsError::new(later.name, format!("is set, but {}; unset it", later.instead)));
        }
        lines.push(format!("{} is set, but {}", later.name, later.instead));
    }
    Ok(lines)
}
