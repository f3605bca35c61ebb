//! This project's command as one static file.

use std::path::PathBuf;
use std::process::Command;

use super::{home, run};
use crate::error::BenchError;

/// The host's triple by name keeps the flags away from build scripts and macros.
const TRIPLE: &str = concat!(env!("BENCH_ARCHITECTURE"), "-unknown-linux-gnu");

/// Those of `.ci/static`: cargo forgets to strip a program whose package has settings of its own.
const FLAGS: &str = "-C target-feature=+crt-static -C strip=symbols";

/// Builds it into `bench/target/command`, if it is not up to date.
///
/// # Errors
///
/// If cargo fails.
pub(super) fn build() -> Result<PathBuf, BenchError> {
    let target = home().join("target/command");
    eprintln!("building the command into {}", target.display());
    run(Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--locked",
            "--release",
            "-p",
            "zrpc-cli",
        ])
        .args(["--target", TRIPLE])
        .arg("--target-dir")
        .arg(&target)
        .arg("--manifest-path")
        .arg(home().with_file_name("Cargo.toml"))
        .env("RUSTFLAGS", FLAGS))?;
    Ok(target.join(TRIPLE).join("release/zrpc"))
}
