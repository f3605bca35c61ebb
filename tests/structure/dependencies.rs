//! What the crates depend on.

use std::collections::BTreeSet;
use std::process::Command;

use crate::source::{assert_none, root};

/// Packages that stand for C code, a system library, or the search for one.
const FORBIDDEN: [&str; 6] = ["cc", "cmake", "bindgen", "pkg-config", "vcpkg", "autotools"];

/// Packages named `-sys` that contain Rust only, and what they are.
const PURE_SYS: [(&str, &str); 5] = [
    (
        "linux-raw-sys",
        "generated constants and structures of Linux",
    ),
    ("windows-sys", "generated declarations of the Windows API"),
    ("windows-targets", "import libraries, on Windows only"),
    (
        "js-sys",
        "declarations of JavaScript's globals, on wasm only",
    ),
    ("web-sys", "declarations of the browser's API, on wasm only"),
];

#[test]
fn nothing_in_the_lock_file_brings_c() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock can be read");
    let findings: Vec<String> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .filter(|name| is_native(name))
        .map(str::to_owned)
        .collect();
    assert_none("every dependency is Rust, on every target", &findings);
}

#[test]
fn the_protocol_core_has_no_runtime() {
    let names = tree(&["-p", "zrpc-proto"]);
    let findings: Vec<String> = names
        .into_iter()
        .filter(|name| {
            ["tokio", "tokio-util", "mio", "zmtp", "tracing", "rand"].contains(&name.as_str())
        })
        .collect();
    assert_none("zrpc-proto does no I/O", &findings);
}

#[test]
fn zmtp_without_features_is_bytes_and_thiserror() {
    let names = tree(&["-p", "zmtp", "--no-default-features", "--depth", "1"]);
    let expected: BTreeSet<String> = ["bytes", "thiserror", "zmtp"].map(str::to_owned).into();
    assert_eq!(names, expected);
}

#[test]
fn the_codec_feature_adds_tokio_util_alone() {
    let features = ["--no-default-features", "--features", "codec"];
    let names = tree(&[&["-p", "zmtp", "--depth", "1"][..], &features].concat());
    let expected: BTreeSet<String> = ["bytes", "thiserror", "tokio-util", "zmtp"]
        .map(str::to_owned)
        .into();
    assert_eq!(names, expected);
}

/// Returns the names of the packages that `cargo tree` prints for shipped code.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}"])
        .args(arguments)
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

fn is_native(name: &str) -> bool {
    let native_name = name.ends_with("-sys") || name.ends_with("-src");
    let known = PURE_SYS.iter().any(|(pure, _)| *pure == name);
    FORBIDDEN.contains(&name) || (native_name && !known)
}
