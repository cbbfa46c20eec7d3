//! Every query that the store sends stands in the table of `docs/mongodb.md`, with the index that serves it;
//! and where the server tells which one it takes, it is that one.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what a test can't do fails it")]

#[expect(dead_code, reason = "each of the tests uses a part of it")]
#[path = "support/node.rs"]
mod support;

#[path = "queries/everything.rs"]
mod everything;
#[path = "queries/old.rs"]
mod old;

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use chat_mongo_testkit::{Proxy, TestDatabase, block_on as drive, server_address};
use chat_testkit::SequentialIds;
use everything::{lose_answers, use_everything};
use support::{Node, options};

const DOCS: &str = include_str!("../../../docs/mongodb.md");
/// Collections of a handful of documents, in which nothing is looked for by more than `_id`.
const TINY: [&str; 2] = ["meta", "migrations"];
/// Commands on a collection that look for nothing.
const WITHOUT_QUERY: [&str; 6] =
    ["collMod", "createIndexes", "dropIndexes", "insert", "killCursors", "listIndexes"];

#[test]
fn every_query_stands_in_the_docs_with_the_index_that_serves_it() {
    let database = TestDatabase::new();
    old::lay_down_old_documents(&database);
    let proxy = Proxy::before(server_address());
    proxy.record();
    let uri = proxy.uri(database.name());
    let ids = std::sync::Arc::new(SequentialIds::new());
    let node = Node::open(options(&uri), &ids);
    use_everything(&node, &ids);
    lose_answers(&node, &proxy);
    drop(node);
    old::delete_while_numbering(&proxy);
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
        other => {
            assert!(WITHOUT_QUERY.contains(&other), "{other} may have a query, and is not looked at");
            Vec::new()
        }
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
        ("$and", Bson::Array(parts)) => {
            let parts: Vec<_> = parts.iter().map(|part| shape(part.as_document().unwrap())).collect();
            parts.join(", ")
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

fn drop_collection(database: &TestDatabase, name: &'static str) {
    let driver = database.driver();
    drive(async move { driver.collection::<Document>(name).drop().await }).unwrap();
}

/// Leaves a flush mark of a node that was there a moment ago and has not closed.
fn mark_as_crashed(database: &TestDatabase) {
    let mark = doc! { "_id": "upkeep:0123456789ab0123456789ab", "at": bson::DateTime::now() };
    let driver = database.driver();
    drive(async move { driver.collection("meta").insert_one(mark).await }).unwrap();
}
