//! Settings of features that this build does not have: said, not silently taken.

use super::{Environment, SettingsError, sources::Sources};

/// A setting of a feature to come. Going on without it would pretend something: it is refused in production.
struct Later {
    name: &'static str,
    /// What this build does instead.
    instead: &'static str,
}

static ALL: &[Later] = &[Later { name: "REDIS_URL", instead: "this build has no Redis yet and is one node" }];

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
        if sources.get(later.name).is_none() {
            continue;
        }
        if environment == Environment::Production {
            return Err(SettingsError::new(later.name, format!("is set, but {}; unset it", later.instead)));
        }
        lines.push(format!("{} is set, but {}", later.name, later.instead));
    }
    Ok(lines)
}
