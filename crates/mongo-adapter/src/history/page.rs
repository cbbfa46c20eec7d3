//! Fills a page up to its limits.

use std::sync::Arc;

use chat_ports::{
    HistoryAnchor, HistoryQuery,
    model::{Message, Page},
};

/// A page that is being filled from its anchor on.
pub(super) struct Filler {
    items: Vec<Arc<Message>>,
    bytes: usize,
    max_items: usize,
    max_bytes: usize,
    backwards: bool,
    more: bool,
}

impl Filler {
    /// An empty page.
    pub(super) fn new(query: &HistoryQuery) -> Self {
        Self {
            items: Vec::new(),
            bytes: 0,
            max_items: query.limit as usize,
            max_bytes: query.max_bytes,
            backwards: !matches!(query.anchor, HistoryAnchor::After(_)),
            more: false,
        }
    }

    /// Adds a message, the one nearest to the anchor first. Whether it fitted: from the first one that does
    /// not, the page is full. The first message always fits.
    pub(super) fn add(&mut self, message: Message) -> bool {
        let bytes = self.bytes.saturating_add(message.text.len());
        let fits = self.items.len() < self.max_items && (self.items.is_empty() || bytes <= self.max_bytes);
        if fits {
            self.bytes = bytes;
            self.items.push(Arc::new(message));
        } else {
            self.more = true;
        }
        fits
    }

    /// The page, oldest first.
    pub(super) fn finish(self) -> Page<Arc<Message>> {
        let Self { mut items, more, backwards, .. } = self;
        if backwards {
            items.reverse();
        }
        Page { items, more }
    }
}

#[cfg(test)]
mod tests {
    use chat_ports::model::{ConversationId, MessageId, Timestamp, UserId};

    use super::*;

    fn query(anchor: HistoryAnchor, limit: u32, max_bytes: usize) -> HistoryQuery {
        let [a, b] = [1, 2].map(|byte| UserId::from_bytes([byte; 12]));
        HistoryQuery { conversation: ConversationId::between(a, b), anchor, limit, max_bytes }
    }

    fn message(seq: u64, text: &str) -> Message {
        Message {
            id: MessageId::from_bytes([9; 12]),
            seq,
            sender: UserId::from_bytes([1; 12]),
            receiver: UserId::from_bytes([2; 12]),
            text: text.to_owned(),
            timestamp: Timestamp::from_millis(0),
            delivered_at: None,
            read_at: None,
            edited_at: None,
            deleted_at: None,
            first_text: None,
            client_id: None,
        }
    }

    fn fill(query: &HistoryQuery, seqs: &[u64], text: &str) -> (Vec<u64>, bool) {
        let mut filler = Filler::new(query);
        for seq in seqs {
            if !filler.add(message(*seq, text)) {
                break;
            }
        }
        let page = filler.finish();
        (page.items.iter().map(|message| message.seq).collect(), page.more)
    }

    #[test]
    fn a_page_is_filled_from_its_anchor_and_stands_oldest_first() {
        let before = query(HistoryAnchor::Before(9), 3, 1_000);
        assert_eq!(fill(&before, &[8, 7, 6, 5], "hello"), (vec![6, 7, 8], true));
        assert_eq!(fill(&before, &[3, 2, 1], "hello"), (vec![1, 2, 3], false));
        let after = query(HistoryAnchor::After(2), 3, 1_000);
        assert_eq!(fill(&after, &[3, 4, 5, 6], "hello"), (vec![3, 4, 5], true));
    }

    #[test]
    fn a_page_ends_early_when_its_text_is_long_but_has_one_message() {
        let after = query(HistoryAnchor::After(2), 10, 11);
        assert_eq!(fill(&after, &[3, 4, 5], "hello"), (vec![3, 4], true));
        assert_eq!(fill(&after, &[3, 4, 5], "hello, world"), (vec![3], true));
    }
}
