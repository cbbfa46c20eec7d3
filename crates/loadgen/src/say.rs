//! What the load tool says: results on standard output, progress on standard error.

use std::io::Write as _;

use serde::Serialize;
use serde_json::Value;

use chat_client::ClientError as LoadError;

/// Writes one line, or several, to standard output.
///
/// # Errors
/// When nobody can read it.
pub(crate) fn line(text: &str) -> Result<(), LoadError> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(LoadError::io("write to standard output"))
}

/// Writes a line of progress; nobody has to see it.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes the figures of one scenario: as JSON, or one to a line.
///
/// # Errors
/// When nobody can read them.
pub(crate) fn figures(figures: &impl Serialize, json: bool) -> Result<(), LoadError> {
    let value = serde_json::to_value(figures).map_err(|error| LoadError::Usage(error.to_string()))?;
    if json {
        return line(&format!("{value:#}"));
    }
    let mut lines = Vec::new();
    flatten("", &value, &mut lines);
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines.iter().try_for_each(|(name, value)| line(&format!("{name:<width$}  {value}")))
}

fn flatten(name: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(field, value)| {
            let dot = if name.is_empty() { "" } else { "." };
            flatten(&format!("{name}{dot}{field}"), value, lines);
        }),
        Value::Null => lines.push((name.to_owned(), "unknown (give --server-pid)".to_owned())),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            lines.push((name.to_owned(), value.to_string()));
        }
    }
}
