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

#[test]
fn every_target_is_known_to_cargo_fuzz_and_to_this_file() {
    let manifest = include_str!("../../fuzz/Cargo.toml");
    let this = include_str!("main.rs");
    for (name, _) in ALL {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(this.contains(&format!("replay(\"{name}\")")), "{name}");
    }
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
