//! Code below the driver knows no clock, no randomness, no runtime, no lock and no log.

use crate::source::{SourceFile, assert_none, shipped_files};
use crate::strip::has_word;

/// What would make a machine depend on when and where it runs.
const FORBIDDEN: [&str; 23] = [
    "Instant::now",
    "SystemTime::now",
    "elapsed()",
    "rand",
    "getrandom",
    "tokio",
    "tracing",
    "log::",
    "async",
    ".await",
    "spawn",
    "thread::",
    "Mutex",
    "RwLock",
    "Condvar",
    "OnceLock",
    "LazyLock",
    "mpsc",
    "TcpStream",
    "TcpListener",
    "println!",
    "eprintln!",
    "std::fs",
];

#[test]
fn the_machines_of_zmtp_do_no_io() {
    let mut files = Vec::new();
    for module in [
        "message",
        "endpoint",
        "wire",
        "curve",
        "zap",
        "mechanism",
        "session",
        "pattern",
    ] {
        files.extend(module_files("zmtp/src", module));
    }
    assert_none(
        "sans-IO code reaches for the world",
        &uses(&files, &FORBIDDEN),
    );
}

#[test]
fn the_codec_adapters_know_tokio_util_alone() {
    let allowed_here = ["tokio"];
    let forbidden: Vec<&str> = FORBIDDEN
        .into_iter()
        .filter(|word| !allowed_here.contains(word))
        .chain(["tokio::"])
        .collect();
    let files = module_files("zmtp/src", "codec");
    assert_none(
        "a codec adapter does more than adapt",
        &uses(&files, &forbidden),
    );
}

#[test]
fn zrpc_proto_does_no_io() {
    let files = shipped_files("zrpc-proto/src");
    assert!(!files.is_empty(), "zrpc-proto has sources");
    assert_none(
        "sans-IO code reaches for the world",
        &uses(&files, &FORBIDDEN),
    );
}

fn module_files(source_root: &str, module: &str) -> Vec<SourceFile> {
    let mut files = shipped_files(source_root);
    files.retain(|file| file.module_path(source_root).first() == Some(&module));
    assert!(!files.is_empty(), "{source_root} has a module `{module}`");
    files
}

fn uses(files: &[SourceFile], forbidden: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (line, code) in file.shipped_lines() {
            for word in forbidden.iter().filter(|word| has_word(&code, word)) {
                findings.push(format!("{}:{line}: `{word}`", file.path));
            }
        }
    }
    findings
}
