//! Licences, sources and double versions of what the binary is built from, without a network.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::{
    spdx::satisfies,
    world::{metadata, root},
};

/// Licences that let anybody use, change and sell the work.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0+LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates of which more than one version is built, and who needs the older one.
const DOUBLES: &[(&str, &str)] = &[
    ("base64", "bcrypt's is newer than actix-web's"),
    ("getrandom", "the older one under rand_core 0.6"),
    ("hashbrown", "governor's is older, and unused by us"),
    ("r-efi", "of the two getrandom, on UEFI only"),
    ("rand", "bson's is older than actix-web's"),
    ("rand_core", "the older one in jsonwebtoken's traits"),
    ("syn", "derive macros move to 3 one by one"),
    ("untrusted", "aws-lc-rs' is older than rustls-webpki's"),
    ("windows-sys", "on Windows only"),
];

/// Packages that state their licence in a form that npm does not copy into its lock file.
const STATED_OTHERWISE: &[(&str, &str)] = &[("node_modules/xmlhttprequest-ssl", "MIT")];

fn is_permissive(name: &str) -> bool {
    PERMISSIVE.contains(&name)
}

#[test]
fn every_crate_has_a_permissive_licence() {
    for package in &metadata().packages {
        let licence = package.license.as_deref().unwrap_or("none");
        assert!(satisfies(licence, &is_permissive), "{} {}: {licence}", package.name, package.version);
    }
}

#[test]
fn every_crate_comes_from_the_registry_or_from_here() {
    for package in &metadata().packages {
        let known = package.source.as_ref().is_none_or(cargo_metadata::Source::is_crates_io);
        assert!(known, "{} comes from {:?}", package.name, package.source);
        assert!(package.source.is_some() || package.manifest_path.starts_with(root()), "{}", package.name);
    }
}

#[test]
fn only_the_listed_crates_stand_in_two_versions() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in &metadata().packages {
        versions.entry(package.name.to_string()).or_default().insert(package.version.to_string());
    }
    let found: Vec<&String> =
        versions.iter().filter(|(_, all)| all.len() > 1).map(|(name, _)| name).collect();
    let listed: Vec<&str> = DOUBLES.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, listed, "two versions of a crate: agree on one, or list it with its reason");
}

#[test]
fn what_the_page_ships_has_a_permissive_licence() {
    let lock = fs::read_to_string(root().join("web/package-lock.json")).unwrap();
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    let mut shipped = 0;
    for (path, package) in lock["packages"].as_object().unwrap() {
        if path.is_empty() || package["dev"] == true || package["devOptional"] == true {
            continue;
        }
        let stated = STATED_OTHERWISE.iter().find(|(name, _)| path == name).map(|(_, licence)| *licence);
        let licence = package["license"].as_str().or(stated).unwrap_or("none");
        assert!(satisfies(licence, &is_permissive), "{path}: {licence}");
        shipped += 1;
    }
    assert!(shipped > 0, "the page ships its Socket.IO client");
}

#[test]
fn lock_files_name_no_registry() {
    for path in ["web/package-lock.json", "tests/js/package-lock.json"] {
        let lock = fs::read_to_string(root().join(path)).unwrap();
        assert!(!lock.contains("\"resolved\""), "{path}: npm must not write hosts (.npmrc)");
        assert!(lock.contains("\"integrity\""), "{path} has no checksums");
    }
}
