//! What the store costs: CPU per stored message (all threads), pages, and a start after a crash.
//!
//! The CPU table comes first, because wall-clock figures say little of a store with threads of its
//! own. It needs Linux's `/proc`; `STORE_BENCH_MESSAGES` is how many messages each line of it
//! stores.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench prints, and has nobody to answer")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use chat_embedded_adapter::{Options, Store};
use chat_ports::{
    Clock, CommitListener, Committed, HistoryAnchor, HistoryQuery, MessageLog, Messages, NewMessage,
    model::{ClientId, ConversationId, Limits, MessageId, MessageText, Timestamp, UserId},
};
use criterion::Criterion;
use futures_executor::block_on;

/// As many messages are sent before one is waited for.
const IN_FLIGHT: u64 = 512;

struct RealClock;

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn instant() -> Instant {
    Instant::now()
}

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_341_600_000)
    }

    fn instant(&self) -> Instant {
        instant()
    }
}

struct Nobody;

impl CommitListener for Nobody {
    fn committed(&self, _: Vec<Committed>) {}
}

fn open(dir: &Path) -> Store {
    Store::open(Options::new(dir), Arc::new(RealClock), Arc::new(Nobody)).expect("the folder opens")
}

fn id(kind: u8, number: u64) -> [u8; 12] {
    let mut id = [kind; 12];
    id[4..].copy_from_slice(&number.to_be_bytes());
    id
}

fn users(conversation: u64) -> (UserId, UserId) {
    (UserId::from_bytes(id(1, conversation)), UserId::from_bytes(id(2, conversation)))
}

/// 96 bytes of text, like the load tool's.
fn message(number: u64, conversation: u64, named: bool, deadline: Instant) -> NewMessage {
    let limits = Limits::default();
    let (a, b) = users(conversation);
    let (sender, receiver) = if number.is_multiple_of(2) { (a, b) } else { (b, a) };
    let client_id = named
        .then(|| ClientId::parse(format!("{:032x}", number ^ 0x9e37_79b9), &limits).expect("a client id"));
    NewMessage {
        id: MessageId::from_bytes(id(0x65, number)),
        sender,
        receiver,
        text: MessageText::parse(format!("{number:096}"), &limits).expect("a text"),
        timestamp: Timestamp::from_millis(1_795_341_600_000 + number.cast_signed()),
        client_id,
        deadline,
        except: None,
    }
}

/// Stores messages round the conversations, in bursts.
fn fill(store: &Store, messages: u64, conversations: u64, named: bool) {
    let mut context = Context::from_waker(Waker::noop());
    let mut number = 0;
    while number < messages {
        let deadline = instant() + Duration::from_secs(60);
        for _ in 1..IN_FLIGHT {
            // The first poll queues it; what nobody waits for is stored all the same.
            let append = store.append(message(number, number % conversations, named, deadline));
            if let Poll::Ready(answer) = pin!(append).poll(&mut context) {
                answer.expect("it is stored");
            }
            number += 1;
        }
        block_on(store.append(message(number, number % conversations, named, deadline)))
            .expect("it is stored");
        number += 1;
    }
}

/// CPU seconds of this process so far, by the kernel's ticks of 10 ms.
fn process_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks =
        |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

/// CPU seconds of each kind of thread that lives.
fn thread_cpu() -> BTreeMap<String, f64> {
    let mut cpu = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |name| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let nanos: f64 =
            read("schedstat").split(' ').next().and_then(|text| text.parse().ok()).unwrap_or_default();
        *cpu.entry(read("comm").trim().to_owned()).or_default() += nanos / 1e9;
    }
    cpu
}

fn cpu_per_message(messages: u64) {
    println!("CPU per stored message, µs ({messages} messages of 96 bytes, {IN_FLIGHT} in flight)");
    println!("conversations  client ids  all with harness  writer  sweeper  bytes on disk  wall");
    for named in [false, true] {
        for conversations in [50, 2_000, 20_000] {
            let dir = tempfile::tempdir().expect("a folder");
            let store = open(dir.path());
            let (begun, before) = (instant(), process_cpu());
            fill(&store, messages, conversations, named);
            let wall = begun.elapsed().as_secs_f64();
            std::thread::park_timeout(Duration::from_millis(500));
            let threads = thread_cpu();
            store.close();
            let per = |seconds: f64| seconds * 1e6 / messages as f64;
            let thread = |name: &str| per(threads.get(name).copied().unwrap_or_default());
            let bytes: u64 = fs::read_dir(dir.path())
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|file| file.metadata().ok())
                .map(|file| file.len())
                .sum();
            println!(
                "{conversations:>13}  {:>10}  {:>16.1}  {:>6.1}  {:>7.1}  {:>13.0}  {:>4.1}",
                if named { "yes" } else { "no" },
                per(process_cpu() - before),
                thread("store-writer"),
                thread("store-sweeper"),
                bytes as f64 / messages as f64,
                per(wall),
            );
        }
    }
}

/// How long a start takes on the files of a store that was not closed.
fn start_after_a_crash(store: &Store, dir: &Path, messages: u64) {
    let copy = tempfile::tempdir().expect("a folder");
    for file in fs::read_dir(dir).into_iter().flatten().flatten() {
        fs::copy(file.path(), copy.path().join(file.file_name())).expect("a copy");
    }
    let (begun, before) = (instant(), process_cpu());
    let started = open(copy.path());
    println!(
        "start on {messages} messages, not closed: {:.0} ms, {:.0} ms CPU",
        begun.elapsed().as_secs_f64() * 1e3,
        (process_cpu() - before) * 1e3
    );
    drop((started, store));
}

fn pages(criterion: &mut Criterion, messages: u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    fill(&store, messages, 10, true);
    start_after_a_crash(&store, dir.path(), messages);
    // Closing sweeps, so that the pages come from the tables.
    store.close();
    let store = open(dir.path());
    let (a, b) = users(3);
    let page = |skip| HistoryQuery {
        conversation: ConversationId::between(a, b),
        anchor: HistoryAnchor::Newest { skip },
        limit: 50,
        max_bytes: 256 * 1024,
    };
    for (name, skip) in [("newest", 0), ("10,000 deep", 10_000)] {
        let (rounds, before) = (5_000, process_cpu());
        for _ in 0..rounds {
            assert_eq!(block_on(store.history(page(skip))).expect("a page").items.len(), 50);
        }
        println!("page of 50, {name}: {:.1} µs CPU", (process_cpu() - before) * 1e6 / f64::from(rounds));
        criterion.bench_function(&format!("page of 50, {name}"), |bencher| {
            bencher.iter(|| block_on(store.history(page(skip))).expect("a page"));
        });
    }
}

fn one_at_a_time(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    let mut number = 0;
    criterion.bench_function("append and wait", |bencher| {
        bencher.iter(|| {
            number += 1;
            let deadline = instant() + Duration::from_secs(60);
            block_on(store.append(message(number, number % 50, true, deadline))).expect("it is stored")
        });
    });
}

fn main() {
    let tested = std::env::args().any(|argument| argument == "--test");
    let messages = std::env::var("STORE_BENCH_MESSAGES").ok().and_then(|text| text.parse().ok());
    let messages = messages.unwrap_or(if tested { 120_000 } else { 400_000 });
    let mut criterion = Criterion::default().configure_from_args();
    cpu_per_message(messages);
    pages(&mut criterion, messages);
    one_at_a_time(&mut criterion);
    criterion.final_summary();
}
