//! JSON as it stands on the wire: validated once, never parsed into values.

mod elements;
mod placeholders;
mod plain;
mod scan;
mod text;

#[cfg(test)]
mod tests;

pub(crate) use elements::{Spans, elements};
pub(crate) use placeholders::check_placeholders;
pub(crate) use scan::{first_byte, validate};
pub(crate) use text::{push_string, unquote};

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// Not JSON, or nested too deep.
    Syntax,
    /// More elements than allowed.
    TooMany,
    /// A placeholder without its attachment.
    Placeholder,
}
