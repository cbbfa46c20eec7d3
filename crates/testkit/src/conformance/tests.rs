//! No promise is left out of the macro.

/// The modules' sources, as the macro lists them.
const MODULES: &[(&str, &str)] = &[
    ("archive", include_str!("archive.rs")),
    ("archive_reading", include_str!("archive_reading.rs")),
    ("archive_state", include_str!("archive_state.rs")),
    ("blocks", include_str!("blocks.rs")),
    ("changes", include_str!("changes.rs")),
    ("commits", include_str!("commits.rs")),
    ("conversations", include_str!("conversations.rs")),
    ("deadlines", include_str!("deadlines.rs")),
    ("editing", include_str!("editing.rs")),
    ("history", include_str!("history.rs")),
    ("listing", include_str!("listing.rs")),
    ("reading", include_str!("reading.rs")),
    ("receipts", include_str!("receipts.rs")),
    ("repeats", include_str!("repeats.rs")),
    ("restart", include_str!("restart.rs")),
    ("sending", include_str!("sending.rs")),
    ("users", include_str!("users.rs")),
];

#[test]
fn the_macro_names_every_promise() {
    let listed = include_str!("../conformance.rs");
    for (module, source) in MODULES {
        let list = listed.split_once(&format!("            {module}:\n")).map(|(_, rest)| rest).unwrap();
        let list: Vec<&str> = list.split(';').next().unwrap().split_whitespace().collect();
        let promises = source.lines().filter_map(|line| line.strip_prefix("pub fn ")?.split('(').next());
        assert_eq!(list, promises.collect::<Vec<_>>(), "{module}");
    }
}
