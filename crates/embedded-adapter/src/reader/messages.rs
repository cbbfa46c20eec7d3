//! Messages: one by its id, and pages of a conversation.

use std::sync::Arc;

use chat_ports::{
    HistoryQuery,
    model::{ClientId, ConversationId, Message, MessageId, Page, UserId},
};

use super::{Desk, assemble::Filler};
use crate::{
    fault::Fault,
    history::{Span, is_backwards},
    overlay::{Laid, Marks, Overlay, View},
    state::{ConversationState, KINDS, Who},
    tables::{self, KnownConversation, message_key},
};

/// A page that memory alone can answer; `None` if part of it is in the tables.
pub(crate) fn history_in_memory(overlay: &Overlay, query: &HistoryQuery) -> Option<Page<Arc<Message>>> {
    let view = overlay.view(&query.conversation, |end| Span::at(query.anchor, query.limit, end))?;
    view.span.before(view.floor).is_empty().then(|| {
        let mut filler = Filler::new(query);
        filler.add(&view.rows);
        page(filler, query, view.state.last)
    })
}

impl Desk {
    /// The message with this id, which was not in memory.
    pub(crate) fn find(&mut self, id: MessageId) -> Result<Option<Arc<Message>>, Fault> {
        let tables = self.tables()?;
        let Some((cid, seq)) = tables::locate(tables, id)? else { return Ok(None) };
        let known = tables::conversation_by_cid(tables, cid)?;
        let (conversation, _) = known.ok_or_else(|| Fault::corrupt("conversations", cid, "cid"))?;
        self.in_tables(&conversation, cid, seq).map(Some)
    }

    /// The message that was sent under this client id, which was not in memory.
    pub(crate) fn sent_as(
        &mut self,
        sender: UserId,
        receiver: UserId,
        client_id: &ClientId,
    ) -> Result<Option<Arc<Message>>, Fault> {
        let conversation = ConversationId::between(sender, receiver);
        let tables = self.tables()?;
        let Some(known) = tables::conversation(tables, &conversation)? else { return Ok(None) };
        let who = Who::is(sender, &conversation);
        let found = tables::repeated(tables, known.cid, who, client_id.as_str())?;
        found.map(|seq| self.in_tables(&conversation, known.cid, seq)).transpose()
    }

    /// A message that the tables have, as it is now.
    fn in_tables(
        &mut self,
        conversation: &ConversationId,
        cid: i64,
        seq: u32,
    ) -> Result<Arc<Message>, Fault> {
        // Memory first: what leaves it meanwhile is in the tables by then.
        let laid = self.shared.overlay.laid(conversation, seq);
        let tables = self.tables()?;
        let mut message = tables::message(tables, conversation, cid, seq)?.message;
        let receiver = Who::receives(message.receiver, conversation);
        tables::set_marks(tables, cid, receiver, seq, &mut message)?;
        laid.over(&mut message, receiver, seq);
        Ok(Arc::new(message))
    }

    /// A page: what the tables have of it, with memory laid over.
    pub(crate) fn history(&mut self, query: &HistoryQuery) -> Result<Page<Arc<Message>>, Fault> {
        let span = |end| Span::at(query.anchor, query.limit, end);
        let view = self.shared.overlay.view(&query.conversation, span);
        let tables = self.tables()?;
        let snapshot = tables.unchecked_transaction()?;
        let known = tables::conversation(&snapshot, &query.conversation)?;
        let Some(view) = view.or_else(|| known.map(|known| swept_view(known.state, span))) else {
            return Ok(Page { items: Vec::new(), more: false });
        };
        let mut filler = Filler::new(query);
        if is_backwards(query.anchor) {
            filler.add(&view.rows);
        }
        let rest = view.span.before(view.floor);
        if !rest.is_empty() && !filler.is_full() {
            let known = known.ok_or_else(|| Fault::corrupt("conversations", query.conversation, "pair"))?;
            let swept = swept(&snapshot, query, rest, known, &view.laid, &mut filler)?;
            filler.extend(swept);
        }
        if !is_backwards(query.anchor) {
            filler.add(&view.rows);
        }
        Ok(page(filler, query, view.state.last))
    }
}

/// What memory would say of a conversation that is wholly swept.
fn swept_view(state: ConversationState, span: impl FnOnce(u32) -> Span) -> View {
    let floor = state.last.saturating_add(1);
    View { state, span: span(state.last), floor, rows: Vec::new(), laid: Laid::default() }
}

/// The messages of a span that the tables have, as far as they fit, in the order of filling.
fn swept(
    snapshot: &rusqlite::Connection,
    query: &HistoryQuery,
    span: Span,
    known: KnownConversation,
    unswept: &Laid,
    filler: &mut Filler,
) -> Result<Vec<Arc<Message>>, Fault> {
    let backwards = is_backwards(query.anchor);
    let mut messages: Vec<Message> = Vec::new();
    let mut statement = tables::between(snapshot, backwards)?;
    let mut rows =
        statement.query((message_key(known.cid, span.first), message_key(known.cid, span.last)))?;
    let mut expected = if backwards { span.last } else { span.first };
    while let Some(row) = rows.next()? {
        let mut swept = tables::swept_at(row, &query.conversation)?;
        if swept.place.seq != expected {
            return Err(Fault::corrupt("messages", message_key(known.cid, expected), "k"));
        }
        unswept.revise(&mut swept.message, expected);
        if !filler.admits(swept.message.text.len(), messages.len()) {
            break;
        }
        expected = if backwards { expected.saturating_sub(1) } else { expected.saturating_add(1) };
        messages.push(swept.message);
    }
    drop(rows);
    set_times(snapshot, &query.conversation, known, unswept, &mut messages)?;
    Ok(messages.into_iter().map(Arc::new).collect())
}

/// Sets when messages of one conversation were delivered and read, and lays over them what memory knows.
pub(super) fn set_times(
    snapshot: &rusqlite::Connection,
    conversation: &ConversationId,
    known: KnownConversation,
    unswept: &Laid,
    messages: &mut [Message],
) -> Result<(), Fault> {
    let mut swept = [Marks::default(), Marks::default()];
    for receiver in [Who::Low, Who::High] {
        let user = receiver.user(conversation);
        let received = || messages.iter().filter(|message| message.receiver == user).map(seq_of);
        let Some((first, last)) = received().min().zip(received().max()) else { continue };
        for (marks, kind) in swept.iter_mut().zip(KINDS) {
            let (_, count) = known.state.side(receiver).marked(kind);
            if count > 0 {
                let found = tables::marks(snapshot, kind, known.cid, receiver, (first, last))?;
                match receiver {
                    Who::Low => marks.low = found,
                    Who::High => marks.high = found,
                }
            }
        }
    }
    let [delivered, read] = &swept;
    for message in messages {
        let (receiver, seq) = (Who::receives(message.receiver, conversation), seq_of(message));
        message.delivered_at = delivered.since(receiver, seq);
        message.read_at = read.since(receiver, seq);
        unswept.over(message, receiver, seq);
    }
    Ok(())
}

fn page(filler: Filler, query: &HistoryQuery, end: u32) -> Page<Arc<Message>> {
    let items = filler.finish();
    let more = if is_backwards(query.anchor) {
        items.first().is_some_and(|message| message.seq > 1)
    } else {
        items.last().is_some_and(|message| message.seq < end.into())
    };
    Page { items, more }
}

pub(super) fn seq_of(message: &Message) -> u32 {
    u32::try_from(message.seq).unwrap_or(u32::MAX)
}
