//! Strings: out of their quotes and into them.

use std::borrow::Cow;

/// The content of a valid JSON string in its quotes, escapes resolved; a lone surrogate becomes U+FFFD.
/// What is no string (a number) comes back as it is.
pub(crate) fn unquote(raw: &str) -> Cow<'_, str> {
    let Some(content) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(raw);
    };
    if !content.contains('\\') {
        return Cow::Borrowed(content);
    }
    let mut plain = String::with_capacity(content.len());
    let mut rest = content;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        rest = push_escaped(&mut plain, after);
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Resolves the escape whose backslash was just passed; gives back what follows it.
fn push_escaped<'a>(plain: &mut String, text: &'a str) -> &'a str {
    let mut chars = text.chars();
    match chars.next() {
        Some('u') => return push_unicode(plain, chars.as_str()),
        Some('b') => plain.push('\u{8}'),
        Some('f') => plain.push('\u{c}'),
        Some('n') => plain.push('\n'),
        Some('r') => plain.push('\r'),
        Some('t') => plain.push('\t'),
        Some(other) => plain.push(other),
        None => {}
    }
    chars.as_str()
}

fn push_unicode<'a>(plain: &mut String, text: &'a str) -> &'a str {
    let Some((unit, rest)) = code_unit(text) else { return text };
    if let Some(char) = char::from_u32(u32::from(unit)) {
        plain.push(char);
        return rest;
    }
    if let Some((low, after)) = rest.strip_prefix("\\u").and_then(code_unit)
        && let Some(Ok(pair)) = char::decode_utf16([unit, low]).next()
    {
        plain.push(pair);
        return after;
    }
    plain.push(char::REPLACEMENT_CHARACTER);
    rest
}

fn code_unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}

/// Appends `text` as a JSON string in its quotes.
pub(crate) fn push_string(json: &mut String, text: &str) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    json.push('"');
    for char in text.chars() {
        match char {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\0'..='\u{1f}' => {
                json.push_str(if char < '\u{10}' { "\\u000" } else { "\\u001" });
                json.extend(HEX.get(char as usize & 15));
            }
            _ => json.push(char),
        }
    }
    json.push('"');
}
