//! Reads what comes in as JSON or as a query string into a request type, or says which field is wrong.

use std::fmt;

use chat_domain::model::InvalidInput;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, Unexpected, Visitor},
};

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

const NOT_WHOLE: &str = "must be a whole number";

/// What std says of a number in a query.
const UNPARSED: [&str; 3] = [
    "invalid digit found in string",
    "cannot parse integer from empty string",
    "number too large to fit in target type",
];

/// The rule in the words of the interface, where serde names the types of this language and quotes what came in.
fn plain(rule: &str) -> &str {
    match rule.rsplit_once(", expected ") {
        Some((_, "a string")) => "must be a string",
        Some((_, "a boolean")) => "must be true or false",
        Some((_, WHOLE)) => NOT_WHOLE,
        None if UNPARSED.contains(&rule) => NOT_WHOLE,
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

/// Reads a whole number, if there is one, however it is written: JSON has one kind of number only, and `5`, `5.0` and `5e0`
/// are the same.
///
/// # Errors
/// What is none, or not in the range of the field's type.
pub(crate) fn whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(reader: D) -> Result<Option<T>, D::Error> {
    let number = Option::<Whole>::deserialize(reader)?;
    let fits = |Whole(n)| T::try_from(n).or(Err(D::Error::invalid_value(Unexpected::Unsigned(n), &WHOLE)));
    number.map(fits).transpose()
}

const WHOLE: &str = "a whole number";

struct Whole(u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_u64(WholeVisitor)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WHOLE)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
        Ok(Whole(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
        /// 2⁵³: up to here a double says which whole number was meant.
        const MOST: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && (0.0..=MOST).contains(&number) {
            Ok(Whole(number as u64))
        } else {
            Err(E::invalid_type(Unexpected::Float(number), &self))
        }
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
        for limit in ["1e20", "-5.0", "-1e0", "0.1"] {
            let body = format!(r#"{{"limit":{limit}}}"#);
            assert_eq!(told(&body), "limit: must be a whole number", "{body}");
        }
        for limit in ["abc", "", "5.0", "-1", "4294967296", "99999999999999999999"] {
            let error = parse_query::<HistoryParams>(&format!("limit={limit}")).err().unwrap();
            assert_eq!(error.to_string(), "limit: must be a whole number", "{limit}");
        }
        for after in ["5", "true", "[\"x\"]", "{}"] {
            let body = format!(r#"{{"after":{after}}}"#);
            assert_eq!(told(&body), "after: must be a string", "{body}");
        }
    }
    #[test]
    fn a_whole_number_is_read_however_it_is_written() {
        let read = |number: &str| {
            let body = format!(r#"{{"limit":{number},"skip":{number}}}"#);
            let HistoryParams { limit, skip, .. } = parse_body(body.as_bytes()).unwrap();
            (limit, skip)
        };
        for five in ["5", "5.0", "5e0", "0.5E1", "50e-1"] {
            assert_eq!(read(five), (Some(5), Some(5)), "{five}");
        }
        assert_eq!(read("null"), (None, None));
        assert_eq!(read("-0"), (Some(0), Some(0)));
        let skip = |text: &str| parse_body::<HistoryParams>(text.as_bytes()).unwrap().skip;
        assert_eq!(skip(r#"{"skip":9007199254740993}"#), Some(9_007_199_254_740_993));
        assert_eq!(skip("{}"), None);
        assert_eq!(parse_query::<HistoryParams>("limit=5&skip=7").unwrap().skip, Some(7));
    }
}
