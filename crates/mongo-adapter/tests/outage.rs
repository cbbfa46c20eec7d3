//! An outage: sends are answered in time, it is one line in the log, and its end needs no restart.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be made fails its test")]

#[expect(dead_code, reason = "each binary of tests uses another part of it")]
#[path = "support/node.rs"]
mod support;

use std::{
    fmt::{self, Write},
    sync::Arc,
    time::Duration,
};

use chat_mongo_testkit::{OwnServer, until};
use chat_ports::{Clock, Commit, HistoryAnchor, HistoryQuery, Messages, StoreHealth, model::ConversationId};
use chat_testkit::SequentialIds;
use futures_executor::block_on;
use parking_lot::Mutex;
use support::{Node, PATIENCE, SystemClock, options, pair};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Keeps what is logged at INFO and above.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, _field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("chat_mongo_adapter")
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().push(line.0);
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

impl Log {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock())
    }
}

type Fault = fn(&OwnServer);

#[test]
fn an_outage_is_one_line_its_sends_are_answered_in_time_and_it_ends_by_itself() {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let server = OwnServer::start();
    let mut options = options(&server.uri("chat"));
    options.operation_timeout = Duration::from_secs(2);
    let node = Node::open(options, &Arc::new(SequentialIds::new()));
    let (a, b) = pair();
    let faults: [(Fault, Fault); 2] =
        [(OwnServer::kill, OwnServer::restart), (OwnServer::stop, OwnServer::resume)];
    for (begin, end) in faults {
        node.send(a, b, "before");
        log.take();
        begin(&server);
        let clock = SystemClock(0);
        let is_away = || {
            let begun = clock.instant();
            node.append(node.message(a, b, "during", Duration::from_secs(1))).unwrap_err();
            assert!(clock.instant() - begun < Duration::from_secs(4), "answered in time");
            block_on(node.store.check()).is_err() && !log.0.lock().is_empty()
        };
        assert!(until(PATIENCE, is_away));
        end(&server);
        assert!(until(PATIENCE, || block_on(node.store.check()).is_ok()));
        node.send(a, b, "after");
        let lines = log.take();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("MongoDB is away") && lines[1].contains("MongoDB is back"), "{lines:?}");
    }
    check_history(&node);
}

/// Whatever became of the sends that were answered with an error: no gaps, and all that is stored is told
/// once and in order.
fn check_history(node: &Node) {
    let (a, b) = pair();
    let query = HistoryQuery {
        conversation: ConversationId::between(a, b),
        anchor: HistoryAnchor::After(0),
        limit: 1_000,
        max_bytes: usize::MAX,
    };
    let stored = block_on(node.store.history(query)).unwrap().items;
    let seqs: Vec<u64> = stored.iter().map(|message| message.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    assert!(until(PATIENCE, || node.commits.commits().len() == stored.len()));
    let told = node.commits.commits().into_iter().map(|commit| match commit {
        Commit::Sent { message, .. } => message,
        other @ (Commit::Receipt { .. } | _) => unreachable!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), stored);
}
