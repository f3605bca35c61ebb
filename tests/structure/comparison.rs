//! Keeps `docs/comparison.md` true: what it claims has a test behind it.

use std::fs;

use crate::document::read;
use crate::source::{assert_none, root};
use crate::strip::has_word;

const PAGE: &str = "docs/comparison.md";

#[test]
fn a_claim_names_a_test_that_exists() {
    let page = read(PAGE);
    let mut findings = Vec::new();
    for line in page.lines() {
        let Some(cells) = line
            .strip_prefix("| ")
            .and_then(|rest| rest.strip_suffix('|'))
        else {
            continue;
        };
        let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
        let (Some(name), Some(claim), Some(test)) = (cells.first(), cells.get(1), cells.last())
        else {
            continue;
        };
        if ["", "-"].contains(claim) || cells[1..].iter().all(|cell| cell.is_empty()) {
            continue;
        }
        if *claim == "zmtp" || claim.starts_with(':') {
            continue;
        }
        let names: Vec<&str> = test.split('`').skip(1).step_by(2).collect();
        let [file, function] = names[..] else {
            findings.push(format!("{name}: no test"));
            continue;
        };
        let source = fs::read_to_string(root().join(file)).unwrap_or_default();
        let wanted = format!("fn {function}");
        if !source.lines().any(|line| has_word(line, &wanted)) {
            findings.push(format!("{name}: there is no {function} in {file}"));
        }
    }
    assert_none("what the comparison claims is tested", &findings);
}
