//! Replays the committed seeds of the fuzz target for tokens.

use std::{fs, path::Path};

#[expect(clippy::expect_used, unreachable_pub, reason = "shared with cargo-fuzz")]
#[path = "../../../fuzz/src/tokens.rs"]
mod target;

#[test]
fn every_seed_passes_its_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/tokens");
    let paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!paths.is_empty());
    paths.iter().for_each(|path| target::tokens(&fs::read(path).unwrap()));
}
