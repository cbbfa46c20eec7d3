//! Fills a page up to its limits.

use std::sync::Arc;

use chat_ports::{HistoryQuery, model::Message};

use crate::history::is_backwards;

/// A page that is being filled from its anchor on.
pub(crate) struct Filler {
    items: Vec<Arc<Message>>,
    bytes: usize,
    max_items: usize,
    max_bytes: usize,
    backwards: bool,
    full: bool,
}

impl Filler {
    /// An empty page.
    pub(crate) fn new(query: &HistoryQuery) -> Self {
        Self {
            items: Vec::new(),
            bytes: 0,
            max_items: query.limit as usize,
            max_bytes: query.max_bytes,
            backwards: is_backwards(query.anchor),
            full: query.limit == 0,
        }
    }

    /// Whether the page has room for a text of so many bytes; from the first refusal on it is full.
    /// The first message always fits.
    pub(crate) fn admits(&mut self, bytes: usize, taken: usize) -> bool {
        let count = self.items.len() + taken;
        self.full |=
            count >= self.max_items || (count > 0 && self.bytes.saturating_add(bytes) > self.max_bytes);
        if !self.full {
            self.bytes += bytes;
        }
        !self.full
    }

    /// Whether nothing more fits.
    pub(crate) const fn is_full(&self) -> bool {
        self.full
    }

    /// Adds messages that are given oldest first, beginning at the anchor's side, until one does
    /// not fit.
    pub(crate) fn add(&mut self, rows: &[Arc<Message>]) {
        if self.backwards {
            rows.iter().rev().for_each(|row| self.add_one(row));
        } else {
            rows.iter().for_each(|row| self.add_one(row));
        }
    }

    fn add_one(&mut self, row: &Arc<Message>) {
        if self.admits(row.text.len(), 0) {
            self.items.push(Arc::clone(row));
        }
    }

    /// Adds messages that were admitted before, in the order of filling.
    pub(crate) fn extend(&mut self, admitted: impl IntoIterator<Item = Arc<Message>>) {
        self.items.extend(admitted);
    }

    /// The messages, oldest first.
    pub(crate) fn finish(mut self) -> Vec<Arc<Message>> {
        if self.backwards {
            self.items.reverse();
        }
        self.items
    }
}
