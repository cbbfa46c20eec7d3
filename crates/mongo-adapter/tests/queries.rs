//! Every query that the store sends stands in the table of `docs/mongodb.md`, with the index that serves it;
//! and where the server tells which one it takes, it is that one.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what a test can't do fails it")]

#[expect(dead_code, reason = "each of the tests uses a part of it")]
#[path = "support/node.rs"]
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bson::{Bson, Document, doc};
use chat_mongo_testkit::{Proxy, TestDatabase, block_on as drive, server_address};
use chat_ports::{
    Archive, ArchiveQuery, BlockChange, Blocks, Changes, ChangesQuery, ConversationQuery, Conversations,
    Delete, Edit, HistoryAnchor, HistoryQuery, Login, MessageLog, Messages, PresenceRecord, Receipt,
    ReceiptKind, UserQuery, Users,
    model::{Block, ConversationCursor, ConversationId, Message, Timestamp, User, UserCursor, UserId},
};
use chat_testkit::{SequentialIds, build};
use futures_executor::block_on;
use support::{Node, PATIENCE, SystemClock, options};

const DOCS: &str = include_str!("../../../docs/mongodb.md");
/// Collections of a handful of documents, in which nothing is looked for by more than `_id`.
const TINY: [&str; 2] = ["meta", "migrations"];

#[test]
fn every_query_stands_in_the_docs_with_the_index_that_serves_it() {
    let database = TestDatabase::new();
    lay_down_old_documents(&database);
    let proxy = Proxy::before(server_address());
    proxy.record();
    let uri = proxy.uri(database.name());
    let ids = std::sync::Arc::new(SequentialIds::new());
    use_everything(&Node::open(options(&uri), &ids), &ids);
    // Others come when something has to be derived again.
    drop_collection(&database, "conversations");
    drop(Node::open(options(&uri), &ids));
    mark_as_crashed(&database);
    drop(Node::open(options(&uri), &ids));
    let queries: Vec<_> = proxy.recorded().iter().flat_map(queries_of).collect();
    let table = table();
    let shapes: BTreeSet<_> = queries.iter().map(|query| query.shape.clone()).collect();
    let unnamed: Vec<_> = shapes.iter().filter(|shape| !table.contains_key(*shape)).collect();
    assert!(unnamed.is_empty(), "not in docs/mongodb.md: {unnamed:#?}");
    let gone: Vec<_> = table.keys().filter(|shape| !shapes.contains(*shape)).collect();
    assert!(gone.is_empty(), "only in docs/mongodb.md: {gone:#?}");
    explain(&database, &queries, &table);
}

/// One query of a command.
struct Query {
    shape: String,
    /// The command, with nothing but this query in it.
    command: Document,
}

/// The rows of the table: a query's shape, and the names of the indexes that may serve it.
fn table() -> BTreeMap<String, Vec<String>> {
    let code =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = DOCS.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.split('|');
        let shape = code(cells.next()?).pop().filter(|shape| shape.contains(": "))?;
        Some((shape, code(cells.next()?)))
    });
    rows.collect()
}

fn queries_of(command: &Document) -> Vec<Query> {
    let Some((name, Bson::String(collection))) = command.iter().next() else { return Vec::new() };
    if TINY.contains(&collection.as_str()) {
        return Vec::new();
    }
    let plain = || {
        let mut plain = command.clone();
        for field in ["lsid", "$db", "$readPreference", "$clusterTime", "readConcern", "writeConcern"] {
            plain.remove(field);
        }
        for field in ["txnNumber", "maxTimeMS"] {
            plain.remove(field);
        }
        plain
    };
    let single = |filter: &Document, sort: Option<&Document>, command: Document| Query {
        shape: format!("{collection}.{name}: {}{}", shape(filter), order(sort)),
        command,
    };
    match name.as_str() {
        "find" => {
            let filter = command.get_document("filter").cloned().unwrap_or_default();
            let sort = command.get_document("sort").ok();
            vec![single(&filter, sort, plain())]
        }
        "aggregate" => {
            let stages = command.get_array("pipeline").unwrap();
            let filter = stages[0].as_document().unwrap().get_document("$match").unwrap();
            vec![single(filter, None, plain())]
        }
        "update" | "delete" => {
            let field = if name == "update" { "updates" } else { "deletes" };
            let statements = command.get_array(field).unwrap().iter().map(|each| each.as_document().unwrap());
            let query = |statement: &Document| {
                let mut command = plain();
                command.insert(field, vec![Bson::from(statement.clone())]);
                single(statement.get_document("q").unwrap(), None, command)
            };
            statements.map(query).collect()
        }
        _ => Vec::new(),
    }
}

/// The fields of a filter with their operators: which values they have does not matter.
fn shape(filter: &Document) -> String {
    let field = |(name, value): (&String, &Bson)| match (name.as_str(), value) {
        ("$or", Bson::Array(branches)) => {
            let branches: BTreeSet<_> =
                branches.iter().map(|branch| shape(branch.as_document().unwrap())).collect();
            format!("({})", branches.into_iter().collect::<Vec<_>>().join(" or "))
        }
        (name, Bson::Document(operators)) if operators.keys().all(|key| key.starts_with('$')) => {
            let operators: Vec<_> = operators.keys().map(String::as_str).collect();
            format!("{name} {}", operators.join(" "))
        }
        (name, _) => name.to_owned(),
    };
    filter.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn order(sort: Option<&Document>) -> String {
    let Some(sort) = sort.filter(|sort| !sort.is_empty()) else { return String::new() };
    let field = |(name, direction): (&String, &Bson)| {
        if direction == &Bson::Int32(-1) { format!("-{name}") } else { name.clone() }
    };
    format!("; by {}", sort.iter().map(field).collect::<Vec<_>>().join(", "))
}

/// Asks the server which index it takes. FerretDB has no plans that could be read: there the test is over.
fn explain(database: &TestDatabase, queries: &[Query], table: &BTreeMap<String, Vec<String>>) {
    let plan_of = |command: Document| {
        let driver = database.driver();
        let explain = doc! { "explain": command, "verbosity": "queryPlanner" };
        drive(async move { driver.run_command(explain).await })
    };
    let any = plan_of(doc! { "find": "messages", "filter": { "_id": 1 } });
    if any.as_ref().ok().and_then(winning_plan).is_none() {
        return;
    }
    let mut asked = BTreeSet::new();
    for query in queries.iter().filter(|query| asked.insert(query.shape.clone())) {
        let expected = &table[&query.shape];
        if expected.is_empty() {
            continue;
        }
        let plan = plan_of(query.command.clone()).unwrap();
        let winner = winning_plan(&plan).unwrap();
        let text = format!("{winner:?}");
        assert!(!text.contains("COLLSCAN"), "{}: {text}", query.shape);
        let mut taken = Vec::new();
        index_names(winner, &mut taken);
        assert!(taken.iter().all(|index| expected.contains(index)), "{}: {taken:?}", query.shape);
    }
}

fn winning_plan(plan: &Document) -> Option<&Document> {
    if let Ok(winner) = plan.get_document("queryPlanner").and_then(|plans| plans.get_document("winningPlan"))
    {
        return Some(winner);
    }
    let stages = plan.get_array("stages").ok()?.first()?.as_document()?;
    stages.get_document("$cursor").ok().and_then(winning_plan)
}

fn index_names(plan: &Document, names: &mut Vec<String>) {
    names.extend(plan.get_str("indexName").ok().map(str::to_owned));
    if plan.get_str("stage").is_ok_and(|stage| stage.contains("IDHACK")) {
        names.push("_id_".to_owned());
    }
    for value in plan.values() {
        let inner = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        inner.iter().filter_map(Bson::as_document).for_each(|inner| index_names(inner, names));
    }
}

/// What an older application has left: enough that the migrations send all their queries.
fn lay_down_old_documents(database: &TestDatabase) {
    let [a, b, c] = [1, 2, 3].map(|byte| bson::oid::ObjectId::from_bytes([byte; 12]));
    let at = bson::DateTime::from_millis(5_000);
    let user = |id, name: &str| {
        doc! { "_id": id, "username": name, "email": format!("{name}@example.org"), "password": "$2b$" }
    };
    let users = vec![user(a, "old-anna"), user(b, "OLD-ANNA")];
    let odd = doc! { "sender": a, "receiver": b, "message": "odd", "timestamp": "late" };
    let undated = doc! { "sender": b, "receiver": a, "message": "undated" };
    let old = doc! { "sender": a, "receiver": b, "message": "old", "timestamp": at };
    let other = doc! { "sender": c, "receiver": b, "message": "old", "timestamp": at };
    let driver = database.driver();
    drive(async move {
        driver.collection("users").insert_many(users).await?;
        driver.collection("messages").insert_many([odd, undated, old, other]).await
    })
    .unwrap();
}

fn drop_collection(database: &TestDatabase, name: &'static str) {
    let driver = database.driver();
    drive(async move { driver.collection::<Document>(name).drop().await }).unwrap();
}

/// Leaves a flush mark of a node that has not closed.
fn mark_as_crashed(database: &TestDatabase) {
    let mark = doc! { "_id": "upkeep:0123456789ab0123456789ab", "at": bson::DateTime::from_millis(1_000) };
    let driver = database.driver();
    drive(async move { driver.collection("meta").insert_one(mark).await }).unwrap();
}

fn use_everything(node: &Node, ids: &SequentialIds) {
    let store = &*node.store;
    let [a, b] = ["anna", "bob"]
        .map(|name| block_on(Users::insert(store, build::new_user(ids.user(), name))).unwrap().id);
    block_on(Users::insert(store, build::new_user(ids.user(), "anna"))).unwrap_err();
    let taken = chat_ports::NewUser {
        email: build::email("Anna@example.org"),
        ..build::new_user(ids.user(), "carl")
    };
    block_on(Users::insert(store, taken)).unwrap_err();
    for login in [Login::Username("Anna".into()), Login::Email("Anna@example.org".into())] {
        assert!(block_on(store.find_by_login(login)).unwrap().is_some());
    }
    block_on(Users::find(store, a)).unwrap();
    block_on(store.find_many(vec![a, b])).unwrap();
    for prefix in ["", "a"] {
        for after in [None, Some(UserCursor { folded: "anna".into(), id: a })] {
            let query = UserQuery { prefix: prefix.into(), except: b, after, limit: 5 };
            block_on(Users::list(store, query)).unwrap();
        }
    }
    let record =
        PresenceRecord { user: a, is_online: true, last_seen: chat_ports::Clock::now(&SystemClock(0)) };
    block_on(store.record_presence(vec![record])).unwrap();
    block_on(store.clear_presence()).unwrap();
    converse(node, a, b);
    move_everything(node, a, ids);
}

fn move_everything(node: &Node, a: UserId, ids: &SequentialIds) {
    let store = &*node.store;
    let extent = block_on(store.extent()).unwrap();
    for after in [None, Some(a)] {
        block_on(store.users(after, 5)).unwrap();
    }
    for after in [None, extent.last_message] {
        block_on(Archive::messages(store, ArchiveQuery { after, limit: 5, max_bytes: 1_000 })).unwrap();
    }
    let anna = block_on(Users::find(store, a)).unwrap().unwrap();
    let twin =
        User { id: ids.user(), username: "ANNA".into(), email: "ANNA@example.org".into(), ..anna.clone() };
    block_on(store.put_users(vec![anna, twin])).unwrap();
    let last = extent.last_message.unwrap();
    let (sender, receiver) = last.conversation.users();
    let next = Message {
        id: ids.message(),
        seq: last.seq + 1,
        sender,
        receiver,
        text: "moved".into(),
        timestamp: Timestamp::from_millis(1),
        delivered_at: None,
        read_at: None,
        edited_at: None,
        deleted_at: None,
        client_id: None,
        first_text: None,
    };
    for _ in 0..2 {
        block_on(store.put_messages(vec![next.clone()])).unwrap();
    }
    let clash = Message { seq: next.seq + 1, ..next };
    block_on(store.put_messages(vec![clash])).unwrap_err();
    let block = Block { blocker: a, blocked: receiver, since: Timestamp::from_millis(1) };
    for _ in 0..2 {
        block_on(store.put_blocks(vec![block])).unwrap();
    }
    for after in [None, Some((a, a))] {
        block_on(store.blocks(after, 5)).unwrap();
    }
}

/// Receipts, edits, a deletion, and what others missed of them.
fn change(node: &Node, a: UserId, b: UserId, sent: &Message) {
    let store = &*node.store;
    let since = block_on(store.position()).unwrap();
    let delivered = Receipt { kind: ReceiptKind::Delivered, ..node.reading(b, sent) };
    block_on(store.receipt(delivered)).unwrap();
    let Receipt { message, at, deadline, .. } = node.reading(b, sent);
    block_on(store.edit(Edit { message, text: build::text("other"), at, deadline })).unwrap();
    block_on(store.delete(Delete { message, at, deadline })).unwrap();
    let mut query = ChangesQuery { user: a, since, limit: 1, max_bytes: 1_000 };
    loop {
        let page = block_on(store.changes(query.clone())).unwrap();
        query.since = page.position;
        if page.complete {
            break;
        }
    }
    for blocks in [true, true, false] {
        let change = BlockChange { blocker: a, blocked: b, blocks, at, most: 5 };
        block_on(Blocks::change(store, change)).unwrap();
    }
    block_on(store.blocked_by(a)).unwrap();
    block_on(store.between(a, vec![b])).unwrap();
    block_on(store.partners(a, 5)).unwrap();
    let stranger = UserId::from_bytes([77; 12]);
    block_on(store.partners_among(a, vec![b, stranger])).unwrap();
}

fn converse(node: &Node, a: UserId, b: UserId) {
    let store = &*node.store;
    let named = |text| chat_ports::NewMessage {
        client_id: Some(build::client_id("n1")),
        ..node.message(a, b, text, PATIENCE)
    };
    node.append(named("hello")).unwrap();
    node.append(named("hello")).unwrap();
    let sent = node.send(a, b, "second");
    block_on(store.receipt(node.reading(b, &sent))).unwrap();
    change(node, a, b, &node.send(a, b, "third"));
    block_on(Messages::find(store, sent.id)).unwrap();
    let conversation = ConversationId::between(a, b);
    for anchor in [
        HistoryAnchor::Newest { skip: 0 },
        HistoryAnchor::Newest { skip: 1 },
        HistoryAnchor::Before(2),
        HistoryAnchor::After(0),
    ] {
        block_on(store.history(HistoryQuery { conversation, anchor, limit: 5, max_bytes: 1_000 })).unwrap();
    }
    let listed = |after| {
        let query = ConversationQuery { user: a, after, limit: 5, max_unread: 100 };
        block_on(Conversations::list(store, query)).unwrap()
    };
    let written = || listed(Some(ConversationCursor { timestamp: sent.timestamp, message: sent.id }));
    assert_eq!(listed(None).items.len(), 1);
    assert!(written().items.is_empty());
    node.send(b, a, "last");
    // Until the list is written behind.
    assert!(chat_mongo_testkit::until(Duration::from_secs(60), || listed(None).items[0].unread == 1));
}
