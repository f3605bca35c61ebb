//! Replays the seeds of the fuzz targets, every prefix of the short ones, and the octets of each
//! with one of them disturbed.

#![expect(clippy::print_stdout, reason = "says which seed made a target panic")]

use std::fs;
use std::path::{Path, PathBuf};

use tests::fuzz_targets::{ALL, Target};

/// Seeds up to this length are also cut and disturbed at every octet.
const MAX_DISTURBED: usize = 200;

fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let entries = fs::read_dir(folder.join(target)).expect("every target has a folder of seeds");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has seeds");
    paths
}

fn replay(name: &str) {
    let found = ALL.iter().find(|(other, _)| *other == name);
    let (_, run): &Target = found.expect("the target exists");
    for path in seeds(name) {
        let seed = fs::read(&path).expect("a seed can be read");
        // Tests show what they print when they fail.
        println!("{}", path.display());
        run(&seed);
        if seed.len() <= MAX_DISTURBED {
            disturb(&seed, *run);
        }
    }
}

fn disturb(seed: &[u8], run: fn(&[u8])) {
    for at in 0..seed.len() {
        run(&seed[..at]);
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = seed.to_vec();
            changed[at] ^= flip;
            run(&changed);
        }
    }
}

/// Targets whose bodies need what their crates do not show; unit tests there replay their seeds.
const INSIDE: [(&str, &str); 4] = [
    (
        "cli_args",
        include_str!("../../zrpc/cli/src/fuzz_targets.rs"),
    ),
    (
        "cli_json",
        include_str!("../../zrpc/cli/src/fuzz_targets.rs"),
    ),
    (
        "cli_values",
        include_str!("../../zrpc/cli/src/fuzz_targets.rs"),
    ),
    (
        "router",
        include_str!("../../zmtp/src/socket/routing_table_target.rs"),
    ),
];

#[test]
fn every_target_is_replayed_described_and_has_seeds() {
    let manifest = include_str!("../../fuzz/Cargo.toml");
    let described = include_str!("../../fuzz/README.md");
    let this = include_str!("main.rs");
    let here = ALL.map(|(name, _)| (name, this)).into_iter();
    let all: Vec<(&str, &str)> = here.chain(INSIDE).collect();
    for (name, replays) in &all {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(described.contains(&format!("`{name}`")), "{name}");
        assert!(replays.contains(&format!("{name}\"")), "{name}");
        assert!(!seeds(name).is_empty(), "{name}");
    }
    let targets = manifest.matches("[[bin]]").count();
    assert_eq!(targets, all.len(), "a target that is not replayed");
}

/// ZMTP31-021.
#[test]
fn greeting() {
    replay("greeting");
}

/// ZMTP31-037, ZMTP31-038.
#[test]
fn frames() {
    replay("frames");
}

/// ZMTP31-040.
#[test]
fn commands() {
    replay("commands");
}

/// ZMTP31-065.
#[test]
fn metadata() {
    replay("metadata");
}

#[test]
fn endpoint() {
    replay("endpoint");
}

/// INT-029.
#[test]
fn session() {
    replay("session");
}

/// PLAIN-010, PLAIN-012.
#[test]
fn plain() {
    replay("plain");
}

/// CURVE-032, CURVE-050.
#[test]
fn curve() {
    replay("curve");
}

/// CURVE-016, CURVE-017, CURVE-032, CURVE-041, CURVE-052.
#[test]
fn curve_oracle() {
    replay("curve_oracle");
}

#[test]
fn zerorpc_event() {
    replay("zerorpc_event");
}

#[test]
fn multiplexer() {
    replay("multiplexer");
}

#[test]
fn channels() {
    replay("channels");
}

#[test]
fn certificate() {
    replay("certificate");
}

/// ZMTP31-036.
#[test]
fn frame_memory() {
    replay("frame_memory");
}

#[test]
fn null() {
    replay("null");
}

#[test]
fn session_pair() {
    replay("session_pair");
}

#[test]
fn subscriptions() {
    replay("subscriptions");
}

/// Z85-001, Z85-003, Z85-008, Z85-009, Z85-010.
#[test]
fn z85() {
    replay("z85");
}

/// ZAP-011, ZAP-016, ZAP-017, ZAP-020, ZAP-028.
#[test]
fn zap() {
    replay("zap");
}
