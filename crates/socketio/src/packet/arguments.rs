//! The arguments of an event or acknowledgement: JSON text that was validated once, and where each begins.

use std::borrow::Cow;
use std::fmt;

use crate::json::{self, Spans};
use bytes::Bytes;

/// The name and the arguments of an event, or the arguments of an acknowledgement: raw JSON texts over
/// the message as it came in. Nothing is parsed into values and nothing copied.
#[derive(Clone)]
pub struct Arguments {
    text: Bytes,
    spans: Spans,
    /// 1 for events, whose first element is the name.
    skip: usize,
}

impl Arguments {
    pub(crate) fn new(text: Bytes, spans: Spans, named: bool) -> Self {
        Self { text, spans, skip: usize::from(named) }
    }

    /// The event's name, escapes resolved (a lone surrogate becomes U+FFFD). A numeric name is its JSON
    /// text. Empty for an acknowledgement.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        if self.skip == 0 {
            return Cow::Borrowed("");
        }
        self.element(0).map_or(Cow::Borrowed(""), json::unquote)
    }

    /// The raw JSON of argument `index`, the name not counted.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&str> {
        self.element(index.checked_add(self.skip)?)
    }

    /// The raw JSON of each argument, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index).unwrap_or_default())
    }

    /// How many arguments there are, the name not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len().saturating_sub(self.skip)
    }

    /// Whether there is no argument.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the text, so that it no longer holds the buffer that it came in.
    pub(crate) fn detach(&mut self) {
        self.text = Bytes::copy_from_slice(&self.text);
    }

    /// The JSON text of the first element.
    pub(crate) fn raw_name(&self) -> &str {
        self.element(0).unwrap_or_default()
    }

    fn element(&self, index: usize) -> Option<&str> {
        let span = self.spans.get(index)?;
        let text = self.text.get(span.start as usize..span.end as usize)?;
        std::str::from_utf8(text).ok()
    }
}

impl PartialEq for Arguments {
    fn eq(&self, other: &Self) -> bool {
        self.skip == other.skip
            && self.spans.len() == other.spans.len()
            && (0..self.spans.len()).all(|index| self.element(index) == other.element(index))
    }
}

impl Eq for Arguments {}

impl fmt::Debug for Arguments {
    /// Prints the name and the count only: what people write stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arguments").field("name", &self.name()).field("len", &self.len()).finish()
    }
}
