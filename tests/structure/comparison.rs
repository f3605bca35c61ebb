//! Keeps `docs/comparison.md` true: what it claims has a test behind it. The table of the README is
//! part of it.

use std::collections::BTreeMap;
use std::fs;

use crate::document::read;
use crate::source::{assert_none, root};
use crate::strip::has_word;

const PAGE: &str = "docs/comparison.md";

#[test]
fn a_claim_names_tests_that_exist() {
    let mut findings = Vec::new();
    for (name, cells) in rows(&read(PAGE)) {
        let (Some(claim), Some(tests)) = (cells.first(), cells.last()) else {
            continue;
        };
        if ["", "-"].contains(&claim.as_str()) {
            continue;
        }
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        if names.is_empty() || !names.len().is_multiple_of(2) {
            findings.push(format!("{name}: no test"));
        }
        for test in names.chunks_exact(2) {
            let source = fs::read_to_string(root().join(test[0])).unwrap_or_default();
            let wanted = format!("fn {}", test[1]);
            if !source.lines().any(|line| has_word(line, &wanted)) {
                findings.push(format!("{name}: there is no {} in {}", test[1], test[0]));
            }
        }
    }
    assert_none("what the comparison claims is tested", &findings);
}

#[test]
fn the_table_of_the_readme_is_part_of_the_comparison() {
    let page: BTreeMap<_, _> = rows(&read(PAGE)).into_iter().collect();
    let readme = read("README.md");
    let table = readme.split("## `zmtp` among its peers").nth(1);
    let table = table.and_then(|rest| rest.split("\n## ").next());
    let rows = rows(table.unwrap_or_default());
    assert!(rows.len() > 10, "the table is found");
    let mut findings = Vec::new();
    for (name, cells) in rows {
        // The last two columns, a rival and the tests, are on the page alone.
        match page.get(&name) {
            Some(whole) if whole.starts_with(&cells) => {}
            Some(whole) => findings.push(format!("{name}: {cells:?} and {whole:?}")),
            None => findings.push(format!("{name}: not in {PAGE}")),
        }
    }
    assert_none("the README and the comparison agree", &findings);
}

/// The rows of the tables in `text`: their names, and the other cells. Headings are left out.
fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let mut rows = Vec::new();
    for line in text.lines() {
        let inner = line
            .strip_prefix("| ")
            .and_then(|rest| rest.strip_suffix('|'));
        let cells = inner.map(|rest| rest.split('|').map(|cell| cell.trim().to_owned()));
        let Some((name, cells)) = cells.and_then(|mut cells| {
            let name = cells.next()?;
            Some((name, cells.collect::<Vec<_>>()))
        }) else {
            continue;
        };
        if !name.is_empty() && !cells.iter().all(String::is_empty) {
            rows.push((name, cells));
        }
    }
    rows
}
