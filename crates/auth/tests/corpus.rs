//! Replays the committed seeds of the fuzz targets for tokens and seals.

use std::{fs, path::Path};

#[expect(unreachable_pub, reason = "shared with cargo-fuzz")]
#[path = "../../../fuzz/src/seals.rs"]
mod seals;
#[expect(clippy::expect_used, unreachable_pub, reason = "shared with cargo-fuzz")]
#[path = "../../../fuzz/src/tokens.rs"]
mod tokens;

type Target = fn(&[u8]);

#[test]
fn every_seed_passes_its_target() {
    let targets: [(&str, Target); 2] = [("seals", seals::seals), ("tokens", tokens::tokens)];
    for (name, target) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
        let paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!paths.is_empty(), "{name}");
        paths.iter().for_each(|path| target(&fs::read(path).unwrap()));
    }
}
