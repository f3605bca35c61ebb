//! How each file looks.

use crate::source::{SourceFile, assert_none, rust_files, shipped_files, text_files};
use crate::strip::has_word;

/// A file longer than this holds two things.
const MAX_LINES: usize = 600;

/// The crates whose sources ship.
const SHIPPED: [&str; 5] = [
    "zmtp/src",
    "zrpc-proto/src",
    "zrpc/src",
    "zrpc/cli/src",
    "zrpc/macros/src",
];

/// A procedural macro is a function at the root of its crate.
const ROOT_OF_MACROS: &str = "zrpc/macros/src/lib.rs";

#[test]
fn no_file_is_too_long() {
    let findings: Vec<String> = rust_files("")
        .iter()
        .filter_map(|file| {
            let count = file.text.lines().count();
            (count > MAX_LINES).then(|| format!("{}: {count} lines", file.path))
        })
        .collect();
    assert_none("a file has at most 600 lines", &findings);
}

#[test]
fn every_file_says_what_it_is() {
    let findings: Vec<String> = rust_files("")
        .iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.path.clone())
        .collect();
    assert_none("a file starts with a line of `//!`", &findings);
}

#[test]
fn module_roots_hold_no_logic() {
    let mut findings = Vec::new();
    for folder in SHIPPED.into_iter().chain(["tests/src", "interop/src"]) {
        for file in shipped_files(folder)
            .iter()
            .filter(|file| is_module_root(file))
        {
            for (line, code) in file.shipped_lines() {
                for word in ["fn ", "impl", "macro_rules!"] {
                    if has_word(&code, word) {
                        findings.push(format!("{}:{line}: `{word}`", file.path));
                    }
                }
            }
        }
    }
    assert_none(
        "`lib.rs` and `mod.rs` hold docs, modules and re-exports",
        &findings,
    );
}

#[test]
fn folders_have_a_mod_file_inside() {
    let files: Vec<SourceFile> = SHIPPED.into_iter().flat_map(shipped_files).collect();
    let findings: Vec<String> = files
        .iter()
        .filter(|file| {
            let folder = format!("{}/", file.path.trim_end_matches(".rs"));
            files.iter().any(|other| other.path.starts_with(&folder))
        })
        .map(|file| file.path.clone())
        .collect();
    assert_none("a module with children is `name/mod.rs`", &findings);
}

#[test]
fn shipped_code_does_not_unwrap() {
    let mut findings = Vec::new();
    for file in SHIPPED.into_iter().flat_map(shipped_files) {
        for (line, code) in file.shipped_lines() {
            for word in [
                ".unwrap()",
                ".unwrap_err()",
                "panic!",
                "unreachable!",
                "todo!",
                "unimplemented!",
            ] {
                if has_word(&code, word) {
                    findings.push(format!("{}:{line}: `{word}`", file.path));
                }
            }
        }
    }
    assert_none("what can fail is an error, what cannot says why", &findings);
}

#[test]
fn lints_are_expected_and_never_allowed() {
    let mut findings = Vec::new();
    for file in rust_files("") {
        for (line, code) in file.code_lines() {
            let attribute = code.contains("[allow(") || code.contains("cfg_attr(");
            if (attribute && has_word(&code, "allow(")) || has_word(&code, "warn(clippy::allow") {
                findings.push(format!("{}:{line}", file.path));
            }
        }
    }
    assert_none("use `#[expect(lint, reason = …)]`", &findings);
}

#[test]
fn shipped_manifests_take_the_lints_of_the_workspace() {
    let findings: Vec<String> = text_files("")
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .filter(|file| {
            !["fuzz/", "bench/"]
                .iter()
                .any(|own| file.path.starts_with(own))
        })
        .filter(|file| !file.text.contains("[lints]\nworkspace = true"))
        .map(|file| file.path.clone())
        .collect();
    assert_none("a member takes the workspace lints", &findings);
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    let mut findings = Vec::new();
    for file in text_files("") {
        for (line, text) in (1..).zip(file.text.lines()) {
            // An ipc endpoint is a path, and tests of endpoints have some as examples.
            if text.to_ascii_lowercase().contains("ipc") {
                continue;
            }
            if let Some(folder) = machine_path(text) {
                findings.push(format!("{}:{line}: {folder}", file.path));
            }
        }
    }
    assert_none("paths are relative to the repository", &findings);
}

#[test]
fn the_architecture_page_knows_every_module() {
    let page = std::fs::read_to_string(crate::source::root().join("ARCHITECTURE.md"))
        .expect("ARCHITECTURE.md can be read");
    let mut findings = Vec::new();
    for source_root in SHIPPED {
        for file in shipped_files(source_root) {
            let path = file.module_path(source_root);
            let is_module = path.len() == 1;
            if is_module && !page.contains(&format!("`{}`", path[0])) {
                findings.push(format!("{}: `{}`", file.path, path[0]));
            }
        }
    }
    assert_none(
        "ARCHITECTURE.md has a place for each top-level module",
        &findings,
    );
}

fn is_module_root(file: &SourceFile) -> bool {
    let name = file.path.rsplit('/').next();
    matches!(name, Some("lib.rs" | "mod.rs")) && file.path != ROOT_OF_MACROS
}

/// Returns the folder if `line` contains an absolute path below a folder of one machine.
fn machine_path(line: &str) -> Option<&'static str> {
    const FOLDERS: [&str; 7] = ["tmp", "root", "home", "work", "Users", "mnt", "opt"];
    FOLDERS.into_iter().find(|folder| {
        let needle = format!("/{folder}");
        line.match_indices(&needle).any(|(at, _)| {
            let before = &line[..at];
            let after = line[at + needle.len()..].chars().next();
            let absolute =
                !before.ends_with(|c: char| c.is_alphanumeric() || "_-.~}/>:*".contains(c));
            let whole = !after.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
            absolute && whole
        })
    })
}

#[cfg(test)]
mod tests {
    use super::machine_path;

    #[test]
    fn machine_paths_are_told_from_other_slashes() {
        let home = ["cd /", "home/somebody"].concat();
        assert_eq!(machine_path(&home), Some("home"));
        assert_eq!(machine_path("ipc:///tmp/a is an endpoint"), None);
        assert_eq!(machine_path("target/tmp and either/work"), None);
    }
}
