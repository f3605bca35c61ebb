//! Keeps `docs/conformance.md` true: the last column of each row is computed from the tests.
//!
//! A test names the requirements that it holds the code to in a comment or in a table of cases.
//! After a change, `CONFORMANCE=write cargo test -p tests --test structure` brings the page up
//! to date.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::source::{SourceFile, assert_none, root, rust_files, shipped_files};

const PAGE: &str = "docs/conformance.md";

/// What the last column says where no test names the requirement.
const OPEN: &str = "not yet";

/// The families of requirements that the page lists.
const FAMILIES: [&str; 6] = ["ZMTP31", "ZMTP30", "REQREP", "PUBSUB", "PIPE", "INT"];

#[test]
fn the_page_says_what_the_tests_cover() {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).expect("the page can be read");
    let expected = render(&page, &coverage());
    if std::env::var_os("CONFORMANCE").is_some_and(|value| value == "write") {
        fs::write(&path, &expected).expect("the page can be written");
        return;
    }
    let findings: Vec<String> = page
        .lines()
        .zip(expected.lines())
        .filter(|(is, should)| is != should)
        .map(|(_, should)| should.to_owned())
        .collect();
    assert_none("CONFORMANCE=write brings the page up to date", &findings);
}

#[test]
fn requirements_named_in_code_are_on_the_page() {
    let page = fs::read_to_string(root().join(PAGE)).expect("the page can be read");
    let known: BTreeSet<String> = page.lines().filter_map(row_id).map(str::to_owned).collect();
    let mut findings = Vec::new();
    for file in rust_files("") {
        for id in ids(&file.text) {
            if !known.contains(&id) {
                findings.push(format!("{}: {id}", file.path));
            }
        }
    }
    assert_none("a requirement that code names is on the page", &findings);
}

#[test]
fn no_requirement_is_listed_twice() {
    let page = fs::read_to_string(root().join(PAGE)).expect("the page can be read");
    let mut seen = BTreeSet::new();
    let findings: Vec<String> = page
        .lines()
        .filter_map(row_id)
        .filter(|id| !seen.insert(id.to_owned()))
        .map(str::to_owned)
        .collect();
    assert_none("one row per requirement", &findings);
}

/// Returns the page with the last cell of each row, and the count line, computed anew.
fn render(page: &str, coverage: &BTreeMap<String, BTreeSet<String>>) -> String {
    let rows: Vec<&str> = page.lines().filter_map(row_id).collect();
    let covered = rows.iter().filter(|id| coverage.contains_key(**id)).count();
    let mut out = String::with_capacity(page.len());
    for line in page.lines() {
        if line.starts_with("Covered: ") {
            out.push_str(&format!("Covered: {covered} of {} rows.", rows.len()));
        } else if let Some((id, head)) = row_id(line).zip(without_last_cell(line)) {
            let status = coverage.get(id).map_or_else(
                || OPEN.to_owned(),
                |files| {
                    let names: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
                    names.join(", ")
                },
            );
            out.push_str(&format!("{head}| {status} |"));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// Returns which test files name which requirement.
fn coverage() -> BTreeMap<String, BTreeSet<String>> {
    let shipped: BTreeSet<String> = ["zmtp", "zrpc-proto", "zrpc"]
        .into_iter()
        .flat_map(shipped_files)
        .map(|file| file.path)
        .collect();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in rust_files("") {
        for id in ids(test_part(&file, &shipped)) {
            found.entry(id).or_default().insert(file.path.clone());
        }
    }
    found
}

/// Returns what of `file` is test code: all of a test file, and the end of one that ships.
fn test_part<'a>(file: &'a SourceFile, shipped: &BTreeSet<String>) -> &'a str {
    if !shipped.contains(&file.path) {
        return &file.text;
    }
    file.text
        .split_once("#[cfg(test)]")
        .map_or("", |(_, tests)| tests)
}

/// Returns the requirement ids in `text`: a family, a hyphen and three digits.
fn ids(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for family in FAMILIES {
        for (at, _) in text.match_indices(family) {
            let fresh = !text[..at].ends_with(|c: char| c.is_alphanumeric());
            let rest = &text[at + family.len()..];
            let number = rest.strip_prefix('-').and_then(|digits| digits.get(..3));
            if let Some(number) = number
                && fresh
                && number.bytes().all(|byte| byte.is_ascii_digit())
            {
                found.insert(format!("{family}-{number}"));
            }
        }
    }
    found
}

fn row_id(line: &str) -> Option<&str> {
    let id = line.strip_prefix("| ")?.split(' ').next()?;
    ids(id).contains(id).then_some(id)
}

fn without_last_cell(line: &str) -> Option<&str> {
    let cells = line.strip_suffix('|')?;
    Some(&cells[..cells.rfind('|')?])
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{ids, render};

    #[test]
    fn ids_are_found_in_running_text() {
        // Built from parts, so that this file names no requirement itself.
        let id = ["INT", "-030"].concat();
        let text = format!("({id}, P{id}x) INT-x");
        assert_eq!(ids(&text).into_iter().collect::<Vec<_>>(), [id]);
    }

    #[test]
    fn the_last_cell_is_replaced() {
        let id = ["INT", "-030"].concat();
        let covered = BTreeMap::from([(id.clone(), BTreeSet::from(["a.rs".to_owned()]))]);
        let page = format!("Covered: ?\n| {id} | rule | not yet |\n");
        let expected = format!("Covered: 1 of 1 rows.\n| {id} | rule | `a.rs` |\n");
        assert_eq!(render(&page, &covered), expected);
    }
}
