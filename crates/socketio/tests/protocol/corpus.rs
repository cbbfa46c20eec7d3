//! Replays the committed seeds of the fuzz targets, and random mutations of them, without cargo-fuzz.

use std::path::Path;

use proptest::prelude::*;

#[expect(clippy::disallowed_methods, unreachable_pub, reason = "shared with cargo-fuzz")]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 5] = [
    ("attachments", targets::attachments),
    ("packet", targets::packet),
    ("payload", targets::payload),
    ("session", targets::session),
    ("websocket", targets::websocket),
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn every_seed_passes_its_target() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name}");
        seeds.iter().for_each(|seed| target(seed));
    }
}

proptest! {
    #[test]
    fn spliced_and_mutated_seeds_pass_too(
        target in 0..TARGETS.len(),
        picks in any::<[prop::sample::Index; 2]>(),
        cuts in any::<[prop::sample::Index; 2]>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let (name, run) = TARGETS[target];
        let seeds = seeds(name);
        let [head, tail] = picks.map(|pick| pick.get(&seeds));
        let mut data = [&head[..cuts[0].index(head.len() + 1)], &tail[cuts[1].index(tail.len() + 1)..]].concat();
        for (at, byte) in changes {
            if !data.is_empty() {
                let at = at.index(data.len());
                data[at] = byte;
            }
        }
        run(&data);
    }
}
