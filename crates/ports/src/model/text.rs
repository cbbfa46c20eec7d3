//! Texts that come in from outside: parsed once, valid from then on.

use std::{borrow::Cow, fmt};

use super::Limits;

/// A field that breaks a rule. Both parts are safe to show to clients.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct InvalidInput {
    /// The field as the client wrote it (`receiverId`).
    pub field: Cow<'static, str>,
    /// The rule that it broke (`must be 24 hex digits`).
    pub rule: Cow<'static, str>,
}

impl InvalidInput {
    /// Names the field and the rule.
    pub fn new(field: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), rule: rule.into() }
    }
}

/// The form in which usernames and addresses are compared: ignoring case.
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// A username for a new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Takes a name of ASCII letters, digits, `_`, `.` and `-`.
    ///
    /// # Errors
    /// Another character, or a length outside the limits.
    pub fn parse(raw: String, limits: &Limits) -> Result<Self, InvalidInput> {
        let range = limits.min_username_chars..=limits.max_username_chars;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if !range.contains(&raw.chars().count()) || !raw.chars().all(allowed) {
            return Err(InvalidInput::new(
                "username",
                format!(
                    "must be {} to {} ASCII letters, digits, '_', '.' or '-'",
                    range.start(),
                    range.end()
                ),
            ));
        }
        Ok(Self(raw))
    }

    /// The name as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address for a new account.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Takes one ASCII address: `local@domain`, no spaces, no display name.
    ///
    /// # Errors
    /// Anything else, or longer than the limits allow.
    pub fn parse(raw: String, limits: &Limits) -> Result<Self, InvalidInput> {
        if raw.len() > limits.max_email_chars {
            return Err(InvalidInput::new(
                "email",
                format!("must be at most {} characters", limits.max_email_chars),
            ));
        }
        if !is_address(&raw) {
            return Err(InvalidInput::new("email", "must be one ASCII address"));
        }
        Ok(Self(raw))
    }

    /// The address as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// The dot-atom form of RFC 5322 §3.4.1 with a host name of RFC 1123 labels.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let atom = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c);
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    local.len() <= 64
        && local.split('.').all(|part| !part.is_empty() && part.bytes().all(atom))
        && domain.split('.').all(label)
}

/// The text of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    /// Takes a text and keeps it byte for byte.
    ///
    /// # Errors
    /// Empty, only white space or invisible characters, with a NUL, or of more characters (Unicode
    /// scalar values) than the limits allow.
    pub fn parse(raw: String, limits: &Limits) -> Result<Self, InvalidInput> {
        let too_long = raw.len() > limits.max_message_chars && raw.chars().count() > limits.max_message_chars;
        if raw.is_empty() || too_long {
            return Err(InvalidInput::new(
                "message",
                format!("must be 1 to {} characters", limits.max_message_chars),
            ));
        }
        if raw.contains('\0') {
            return Err(InvalidInput::new("message", "must not contain NUL"));
        }
        if raw.chars().all(is_invisible) {
            return Err(InvalidInput::new("message", "must not be only white space"));
        }
        Ok(Self(raw))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

fn is_invisible(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// A client's own name for a message, which makes sending it again safe.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Takes visible ASCII (0x21 to 0x7e).
    ///
    /// # Errors
    /// Another character, or a length outside 1 to the limit.
    pub fn parse(raw: String, limits: &Limits) -> Result<Self, InvalidInput> {
        let length = 1..=limits.max_client_id_chars;
        if !length.contains(&raw.len()) || !raw.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(InvalidInput::new(
                "clientId",
                format!("must be 1 to {} visible ASCII characters", limits.max_client_id_chars),
            ));
        }
        Ok(Self(raw))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_keep_to_their_alphabet_and_length() {
        let limits = Limits::default();
        for good in ["abc", "A_b.c-9", &"x".repeat(32)] {
            assert_eq!(Username::parse(good.into(), &limits).unwrap().as_str(), good);
        }
        for bad in ["", "ab", "a b", "ünïcode", "a\u{0}bc", &"x".repeat(33)] {
            assert_eq!(Username::parse(bad.into(), &limits).unwrap_err().field, "username", "{bad}");
        }
    }

    #[test]
    fn one_ascii_address_is_an_email_and_nothing_else_is() {
        let limits = Limits::default();
        for good in ["a@b", "first.last+tag@mail.example.org", "x_y@sub-1.example"] {
            assert!(Email::parse(good.into(), &limits).is_ok(), "{good}");
        }
        let long = format!("a@{}", "b.".repeat(200));
        for bad in ["", "a", "@b", "a@", "a@@b", "a b@c", "a@b.", "a@-b", ".a@b", "a@b,c@d", "é@b.c", &long]
        {
            assert!(Email::parse(bad.into(), &limits).is_err(), "{bad}");
        }
    }

    #[test]
    fn message_texts_are_counted_in_scalar_values_and_kept_byte_for_byte() {
        let limits = Limits::default();
        let emoji = "👩‍👩‍👧".to_owned() + &"é".repeat(3995);
        assert_eq!(MessageText::parse(emoji.clone(), &limits).unwrap().as_str(), emoji);
        assert!(MessageText::parse("é".repeat(4001), &limits).is_err());
        assert_eq!(MessageText::parse("  x ".into(), &limits).unwrap().as_str(), "  x ");
        for bad in ["", "  \t\n", "\u{200b}\u{200d}\u{2060}\u{feff} \u{a0}", "a\0b"] {
            assert_eq!(MessageText::parse(bad.into(), &limits).unwrap_err().field, "message", "{bad:?}");
        }
    }

    #[test]
    fn client_ids_are_visible_ascii() {
        let limits = Limits::default();
        assert!(ClientId::parse("m-1~!".into(), &limits).is_ok());
        for bad in ["", "a b", "é", "a\u{7f}", &"x".repeat(65)] {
            assert!(ClientId::parse(bad.into(), &limits).is_err(), "{bad:?}");
        }
    }
}
