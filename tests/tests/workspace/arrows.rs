//! Which crate may depend on which. A new arrow is a commit of its own, with its reason.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata};

use crate::world::{arrows, closure, metadata};

/// The arrows between our crates, all of them: what each is built from.
const ARROWS: &[(&str, &[&str])] = &[
    ("chat-ports", &[]),
    ("chat-socketio", &[]),
    ("chat-socketio-actix", &["chat-socketio"]),
    ("chat-domain", &["chat-ports"]),
    ("chat-archive", &["chat-ports"]),
    ("chat-auth", &["chat-ports"]),
    ("chat-embedded-adapter", &["chat-ports"]),
    ("chat-limiter", &["chat-ports"]),
    ("chat-mongo-adapter", &["chat-ports"]),
    ("chat-mongo-testkit", &[]),
    ("chat-testkit", &["chat-ports"]),
    ("chat-transport", &["chat-domain", "chat-socketio-actix"]),
    (
        "chat-server",
        &[
            "chat-archive",
            "chat-auth",
            "chat-domain",
            "chat-embedded-adapter",
            "chat-limiter",
            "chat-mongo-adapter",
            "chat-transport",
            "chat-verify",
        ],
    ),
    ("chat-client", &[]),
    ("chat-loadgen", &["chat-client"]),
    ("chat-verify", &["chat-client"]),
    ("chat-tests", &[]),
];

/// What the tests of a crate may use besides: the testkits, and the ports with their mocks.
const TEST_ARROWS: &[&str] = &["chat-mongo-testkit", "chat-ports", "chat-testkit"];

/// What the tests of single crates may use beside that: `chat-verify` plays its schedules on the chat itself, in virtual time.
const OWN_TEST_ARROWS: &[(&str, &str)] = &[("chat-verify", "chat-domain")];

/// What must not stand anywhere below a crate: a trailing `*` stands for any ending.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "chat-ports",
        &[
            "actix-*",
            "tokio*",
            "rusqlite",
            "mongodb",
            "bson",
            "redis",
            "jsonwebtoken",
            "tracing*",
            "getrandom",
        ],
    ),
    (
        "chat-domain",
        &["actix-*", "tokio*", "rusqlite", "mongodb", "bson", "redis", "jsonwebtoken", "bcrypt", "getrandom"],
    ),
    ("chat-socketio", &["actix-*", "tokio*", "mio", "socket2", "rusqlite", "getrandom", "tracing*"]),
    ("chat-socketio-actix", &["chat-domain", "chat-ports", "rusqlite", "mongodb", "redis"]),
    ("chat-archive", &["actix-*", "tokio*", "rusqlite", "mongodb", "bson", "redis", "getrandom"]),
    ("chat-auth", &["actix-*", "rusqlite", "mongodb", "redis"]),
    ("chat-embedded-adapter", &["actix-*", "mongodb", "redis", "jsonwebtoken", "bcrypt"]),
    ("chat-limiter", &["actix-*", "tokio*", "tracing*", "rusqlite", "mongodb", "redis"]),
    ("chat-testkit", &["actix-*", "tokio*", "rusqlite", "mongodb", "redis"]),
    ("chat-transport", &["rusqlite", "libsqlite3-sys", "mongodb", "bson", "redis", "jsonwebtoken", "bcrypt"]),
    ("chat-client", &["actix-*", "rusqlite", "mongodb", "redis", "tracing*"]),
    ("chat-loadgen", &["actix-*", "rusqlite"]),
];

fn ours(metadata: &Metadata) -> BTreeMap<&str, &cargo_metadata::Package> {
    metadata.workspace_packages().into_iter().map(|package| (package.name.as_str(), package)).collect()
}

#[test]
fn the_arrows_between_our_crates_are_the_drawn_ones() {
    let metadata = metadata();
    let drawn: BTreeMap<_, BTreeSet<_>> =
        ARROWS.iter().map(|(name, to)| (*name, to.iter().copied().collect())).collect();
    let found: BTreeMap<_, BTreeSet<_>> = ours(metadata)
        .into_iter()
        .map(|(name, package)| (name, arrows(package, DependencyKind::Normal)))
        .collect();
    assert_eq!(found, drawn);
}

#[test]
fn tests_of_a_crate_add_only_the_testkit_and_the_ports() {
    for (name, package) in ours(metadata()) {
        let drawn = ARROWS.iter().find(|(from, _)| *from == name).unwrap().1;
        for to in arrows(package, DependencyKind::Development) {
            let allowed = TEST_ARROWS.contains(&to) || OWN_TEST_ARROWS.contains(&(name, to));
            assert!(allowed || drawn.contains(&to), "the tests of {name} use {to}");
        }
        assert!(arrows(package, DependencyKind::Build).is_empty(), "the build script of {name}");
    }
}

#[test]
fn nothing_forbidden_stands_below_a_crate() {
    let metadata = metadata();
    for (name, patterns) in FORBIDDEN {
        for below in closure(metadata, name) {
            let hit = patterns.iter().find(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => below.starts_with(beginning),
                None => below == **pattern,
            });
            assert!(hit.is_none(), "{name} is built from {below}");
        }
    }
}

#[test]
fn every_crate_takes_the_lints_the_edition_and_the_licence_of_the_workspace() {
    for (name, package) in ours(metadata()) {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        for line in ["[lints]\nworkspace = true", "edition.workspace = true", "license.workspace = true"] {
            assert!(manifest.contains(line), "{name}: {line}");
        }
        assert!(package.publish.as_ref().is_some_and(Vec::is_empty), "{name} could be published");
        assert!(package.description.is_some(), "{name} has no description");
    }
}

#[test]
fn every_crate_lies_where_its_name_says() {
    for (name, package) in ours(metadata()) {
        let folder = package.manifest_path.parent().unwrap().file_name().unwrap();
        assert_eq!(name, format!("chat-{folder}"));
    }
}
