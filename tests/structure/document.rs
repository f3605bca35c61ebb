//! Pages that are computed in part.

use std::fs;

use crate::source::{assert_none, root};

/// Returns the text of a page.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Writes the pages if `CONFORMANCE=write` asks for it, and checks that they are current if not.
#[track_caller]
pub(crate) fn write_or_check(expected: &[(String, String)]) {
    if std::env::var_os("CONFORMANCE").is_some_and(|value| value == "write") {
        for (path, text) in expected {
            fs::write(root().join(path), text).expect("the page can be written");
        }
        return;
    }
    let findings: Vec<String> = expected
        .iter()
        .flat_map(|(path, text)| differences(path, &read(path), text))
        .collect();
    assert_none("CONFORMANCE=write brings the pages up to date", &findings);
}

/// Returns the lines in which a page differs from what it should be.
fn differences(path: &str, is: &str, should: &str) -> Vec<String> {
    let mut findings: Vec<String> = is
        .lines()
        .zip(should.lines())
        .filter(|(is, should)| is != should)
        .map(|(_, should)| format!("{path}: {should}"))
        .collect();
    let (is, should) = (is.lines().count(), should.lines().count());
    if is != should {
        findings.push(format!("{path}: {is} lines instead of {should}"));
    }
    findings
}

/// Replaces what stands between `<!-- name -->` and `<!-- end of name -->`.
pub(crate) fn replace_between(text: &str, name: &str, table: &str) -> String {
    let (start, end) = (
        format!("<!-- {name} -->"),
        format!("<!-- end of {name} -->"),
    );
    let parts = text
        .split_once(&start)
        .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.unwrap_or_else(|| panic!("the page has no place for {name}"));
    format!("{before}{start}\n\n{table}\n{end}{after}")
}
