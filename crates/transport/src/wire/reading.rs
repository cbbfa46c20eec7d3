//! Reads what comes in as JSON or as a query string into a request type, or says which field is wrong.

use chat_domain::model::InvalidInput;
use serde::de::DeserializeOwned;

/// Reads a JSON text into a request type.
///
/// # Errors
/// Malformed JSON, or a missing or wrongly typed field, which `details` names.
pub(crate) fn parse_body<T: DeserializeOwned>(text: &[u8]) -> Result<T, InvalidInput> {
    // serde would take an array for an object, field by field, and of anything else say which type of ours it misses.
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(InvalidInput::new("body", "must be an object"));
    }
    // The second reading finds the field's path; it costs only those who are wrong.
    serde_json::from_slice(text).or_else(|_first| {
        let mut reader = serde_json::Deserializer::from_slice(text);
        serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| {
                let path = error.path().to_string();
                invalid(&path, &error.into_inner().to_string())
            })
            .and_then(|value| {
                reader.end().map(|()| value).map_err(|error| invalid("body", &error.to_string()))
            })
    })
}

/// Reads a query string into a request type.
///
/// # Errors
/// A wrongly typed or repeated parameter, which `details` names.
pub(crate) fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, InvalidInput> {
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string();
        invalid(&path, &error.into_inner().to_string())
    })
}

fn invalid(path: &str, message: &str) -> InvalidInput {
    let rule = message.rsplit_once(" at line ").map_or(message, |(rule, _place)| rule);
    let named =
        |prefix: &str| rule.strip_prefix(prefix).and_then(|rest| rest.split('`').next()).map(str::to_owned);
    if let Some(field) = named("missing field `") {
        return InvalidInput::new(field, "is missing");
    }
    if let Some(field) = named("duplicate field `") {
        return InvalidInput::new(field, "stands more than once");
    }
    let field = if matches!(path, "" | "." | "?") { "body" } else { path };
    InvalidInput::new(clip(field), clip(plain(rule)))
}

/// The rule in the words of the interface, where serde names the types of this language and quotes what came in.
fn plain(rule: &str) -> &str {
    match rule.rsplit_once(", expected ") {
        Some((_, "a string")) => "must be a string",
        Some((_, "a boolean")) => "must be true or false",
        Some((_, "u32" | "u64")) => "must be a whole number",
        _ => rule,
    }
}

/// A parser's message and a field's path may quote what came in; a page of it helps nobody.
fn clip(text: &str) -> String {
    const MOST_CHARS: usize = 160;
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Reads an id that a field gives.
///
/// # Errors
/// Not 24 hex digits.
pub(crate) fn parse_id<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, InvalidInput> {
    text.parse().map_err(|_no_id| InvalidInput::new(field, "must be 24 hex digits"))
}

#[cfg(test)]
mod tests {
    use super::{
        super::params::{HistoryParams, ListParams},
        *,
    };

    #[test]
    fn an_error_quotes_no_page_of_what_came_in() {
        let error = parse_query::<HistoryParams>(&format!("limit={}", "x".repeat(10_000))).err().unwrap();
        assert_eq!(error.field, "limit");
        assert!(error.to_string().chars().count() < 200, "{error}");
        for value in ["x", "[", "{\"a\":x}"] {
            let payload = format!(r#"{{"{}":{value}}}"#, "k".repeat(10_000));
            let error = parse_body::<ListParams>(payload.as_bytes()).err().unwrap();
            assert!(error.to_string().chars().count() < 400, "{error}");
        }
        let error = parse_body::<ListParams>(br#"{"":x}"#).err().unwrap();
        assert_eq!(error.field, "body");
    }

    #[test]
    fn a_rule_is_told_in_words_of_the_interface() {
        let told = |body: &str| parse_body::<ListParams>(body.as_bytes()).err().unwrap().to_string();
        for body in ["null", "5", "true", "\"{}\"", "[]", "", " \n", "x"] {
            assert_eq!(told(body), "body: must be an object", "{body}");
        }
        for limit in ["\"5\"", "-1", "1.5", "4294967296", "true", "[]", "{}"] {
            let body = format!(r#"{{"limit":{limit}}}"#);
            assert_eq!(told(&body), "limit: must be a whole number", "{body}");
        }
        for after in ["5", "true", "[\"x\"]", "{}"] {
            let body = format!(r#"{{"after":{after}}}"#);
            assert_eq!(told(&body), "after: must be a string", "{body}");
        }
    }
}
