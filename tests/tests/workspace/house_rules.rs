//! The house style, as far as a test can see it (docs/contributing.md).

use std::path::Path;

use crate::world::rust_files;

const MAX_LINES: usize = 400;
const MAX_MEDIAN_LINES: usize = 200;

/// Whether a file holds nothing but tests, benches or fuzz targets.
fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
        || path
            .components()
            .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "benches" | "fuzz")))
}

/// The lines of a file before its tests.
fn lines_without_tests(text: &str) -> usize {
    text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count()
}

#[test]
fn modules_are_foo_rs_and_foo_never_mod_rs() {
    for (path, _) in rust_files() {
        assert!(path.file_name().is_some_and(|name| name != "mod.rs"), "{}", path.display());
    }
}

#[test]
fn every_file_opens_with_its_one_responsibility() {
    for (path, text) in rust_files() {
        let first = text.lines().find(|line| !line.starts_with("#![")).unwrap_or_default();
        assert!(first.starts_with("//! ") && first.len() > 10, "{} opens with {first:?}", path.display());
    }
}

#[test]
fn files_stay_small() {
    let mut sizes = Vec::new();
    for (path, text) in rust_files().into_iter().filter(|(path, _)| !is_test(path)) {
        let lines = lines_without_tests(&text);
        assert!(lines <= MAX_LINES, "{} has {lines} lines: one subject a file", path.display());
        sizes.push(lines);
    }
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    assert!(median <= MAX_MEDIAN_LINES, "the median file has {median} lines");
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    // Put together here, so that this file does not find itself.
    let marks = ["TO DO", "FIX ME", "XX X", "HA CK"].map(|mark| mark.replace(' ', ""));
    for (path, text) in rust_files() {
        for (at, line) in text.lines().enumerate() {
            let found = marks
                .iter()
                .find(|mark| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == **mark));
            assert!(found.is_none(), "{}:{}: {line}", path.display(), at + 1);
        }
    }
}

#[test]
fn no_test_is_switched_off_expects_a_panic_or_sleeps() {
    let marks = ["#[ignore", "#[should_panic", "thread::sleep(", "time::sleep("];
    for (path, text) in rust_files() {
        if path.ends_with("house_rules.rs") {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            let in_tests = is_test(&path) || at >= lines_without_tests(&text);
            let found = marks.iter().find(|mark| line.contains(**mark));
            assert!(found.is_none() || !in_tests, "{}:{}: {line}", path.display(), at + 1);
        }
    }
}

#[test]
fn lib_rs_is_a_table_of_contents() {
    for (path, text) in
        rust_files().into_iter().filter(|(path, _)| path.ends_with("src/lib.rs") && !is_test(path))
    {
        let logic = text.lines().find(|line| line.starts_with("fn ") || line.starts_with("pub fn "));
        assert_eq!(logic, None, "{} holds logic", path.display());
    }
}
