//! What the rules look at: cargo's view of the workspace, and its files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Cargo's view of all packages, for all platforms; asked once.
pub(crate) fn metadata() -> &'static Metadata {
    static METADATA: LazyLock<Metadata> =
        LazyLock::new(|| MetadataCommand::new().manifest_path(root().join("Cargo.toml")).exec().unwrap());
    &METADATA
}

/// The names of our own crates that a package names directly, by kind.
pub(crate) fn arrows(package: &Package, kind: DependencyKind) -> BTreeSet<&str> {
    let of_kind = package.dependencies.iter().filter(|dependency| dependency.kind == kind);
    of_kind.map(|dependency| dependency.name.as_str()).filter(|name| name.starts_with("chat-")).collect()
}

/// The names of all packages that end up in what is built from a package: itself, tests and build scripts left out.
pub(crate) fn closure(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let nodes: BTreeMap<&PackageId, _> =
        metadata.resolve.as_ref().unwrap().nodes.iter().map(|node| (&node.id, node)).collect();
    let first = metadata.packages.iter().find(|package| package.name.as_str() == name).unwrap();
    let (mut seen, mut open) = (BTreeSet::from([&first.id]), vec![&first.id]);
    while let Some(id) = open.pop() {
        let normal = |dependency: &&cargo_metadata::NodeDep| {
            dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
        };
        for dependency in nodes[id].deps.iter().filter(normal) {
            if seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    seen.remove(&first.id);
    seen.into_iter().map(|id| metadata[id].name.to_string()).collect()
}

/// Every Rust file of ours, by its path from the root, with its text.
pub(crate) fn rust_files() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for folder in ["crates", "tests"] {
        collect(&root().join(folder), &mut files);
    }
    assert!(files.len() > 50, "the files were not found");
    files
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "node_modules") {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            files.push((path.strip_prefix(root()).unwrap().to_owned(), text));
        }
    }
}
