//! Finds and reads the files that the checks look at.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::strip;

/// A file of the repository.
pub(crate) struct SourceFile {
    /// Where it is, from the root of the repository, with `/` between the parts.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

impl SourceFile {
    /// Returns the numbered lines of the code that ships, without comments, literals and tests.
    pub(crate) fn shipped_lines(&self) -> Vec<(usize, String)> {
        let code = strip::without_test_items(&strip::code_only(&self.text));
        number(&code)
    }

    /// Returns the numbered lines of the code, without comments and literals.
    pub(crate) fn code_lines(&self) -> Vec<(usize, String)> {
        number(&strip::code_only(&self.text))
    }

    /// Returns the path of the module below its crate: `["wire", "frame"]` for `wire/frame.rs`.
    pub(crate) fn module_path(&self, source_root: &str) -> Vec<&str> {
        let inner = self.path.strip_prefix(source_root).unwrap_or(&self.path);
        let inner = inner.trim_start_matches('/').trim_end_matches(".rs");
        inner
            .split('/')
            .filter(|part| !matches!(*part, "mod" | "lib" | "main"))
            .collect()
    }
}

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .map_or_else(|| package.to_path_buf(), Path::to_path_buf)
}

/// Returns the text files below `folder`, except what builds and tools leave behind.
pub(crate) fn text_files(folder: &str) -> Vec<SourceFile> {
    let mut paths = BTreeSet::new();
    collect(&root().join(folder), &mut paths);
    paths
        .into_iter()
        .filter_map(|path| {
            // What is not text, such as a fuzz seed, is not for these checks.
            let text = fs::read_to_string(&path).ok()?;
            Some(SourceFile {
                path: relative(&path),
                text,
            })
        })
        .collect()
}

/// Returns the Rust files below `folder`.
pub(crate) fn rust_files(folder: &str) -> Vec<SourceFile> {
    let mut files = text_files(folder);
    files.retain(|file| file.path.ends_with(".rs"));
    files
}

/// Returns the Rust files below `folder` that are part of what ships.
///
/// Modules that are declared under `#[cfg(test)]`, examples and benchmarks are left out.
pub(crate) fn shipped_files(folder: &str) -> Vec<SourceFile> {
    let mut files = rust_files(folder);
    let test_only: Vec<String> = files.iter().flat_map(test_only_paths).collect();
    files.retain(|file| {
        let in_test = test_only.iter().any(|path| {
            file.path == format!("{path}.rs") || file.path.starts_with(&format!("{path}/"))
        });
        let beside = ["/tests/", "/examples/", "/benches/"];
        !in_test && !beside.iter().any(|part| file.path.contains(part))
    });
    files
}

/// Joins findings into a failure, or passes if there is none.
#[track_caller]
pub(crate) fn assert_none(rule: &str, findings: &[String]) {
    assert!(
        findings.is_empty(),
        "{rule}; {} place(s):\n  {}",
        findings.len(),
        findings.join("\n  ")
    );
}

fn number(code: &str) -> Vec<(usize, String)> {
    let lines = code.lines().map(str::to_owned);
    (1..).zip(lines).collect()
}

fn test_only_paths(file: &SourceFile) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let stem = name.trim_end_matches(".rs");
    let base = match stem {
        "mod" | "lib" | "main" => folder.to_owned(),
        _ => format!("{folder}/{stem}"),
    };
    strip::test_modules(&strip::code_only(&file.text))
        .into_iter()
        .map(|module| format!("{base}/{module}"))
        .collect()
}

fn collect(folder: &Path, into: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let skipped = ["target", ".git", "node_modules", "__pycache__"];
        let generated = [
            "fuzz/artifacts",
            "fuzz/coverage",
            "fuzz/corpus",
            "interop/packages",
        ];
        if skipped.contains(&&*name) || generated.contains(&&*relative(&path)) {
            continue;
        }
        if path.is_dir() {
            collect(&path, into);
        } else {
            into.insert(path);
        }
    }
}

fn relative(path: &Path) -> String {
    let root = root();
    let inner = path.strip_prefix(&root).unwrap_or(path);
    let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
