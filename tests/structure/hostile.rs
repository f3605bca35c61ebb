//! Keeps `docs/hostile.md` true and complete: each attack names a test that exists, and each test of
//! hostile peers is on the page.

use crate::document::read;
use crate::source::{assert_none, root, rust_files};
use crate::strip::has_word;

const PAGE: &str = "docs/hostile.md";

/// Where the tests of hostile peers are.
const FOLDERS: [&str; 2] = ["tests/zmtp/hostile", "tests/zerorpc/hostile"];

/// What is attacked, and a test in name only.
const VICTIM: &str = "the_victim_itself";

#[test]
fn an_attack_names_a_test_that_exists_and_what_it_took() {
    let mut findings = Vec::new();
    let rows = rows();
    for row in &rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_attack, _reaction, peak, test] = cells[..] else {
            findings.push(format!("{row}: not four cells"));
            continue;
        };
        if peak != "–" && !peak.ends_with(" MiB") {
            findings.push(format!("{row}: {peak} is no measure"));
        }
        let names: Vec<&str> = test.split('`').skip(1).step_by(2).collect();
        let [file, function] = names[..] else {
            findings.push(format!("{row}: a file and a test"));
            continue;
        };
        let source = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        let wanted = format!("fn {function}");
        if !source.lines().any(|line| has_word(line, &wanted)) {
            findings.push(format!("there is no {function} in {file}"));
        }
    }
    assert!(rows.len() > 50, "the tables are found");
    assert_none("what the page claims is tested", &findings);
}

#[test]
fn each_test_of_a_hostile_peer_is_on_the_page() {
    let page = rows().join("\n");
    let mut findings = Vec::new();
    for file in FOLDERS.iter().flat_map(|folder| rust_files(folder)) {
        let mut is_test = false;
        for line in file.text.lines() {
            if line.starts_with("#[tokio::test") {
                is_test = true;
            } else if is_test && let Some((_, rest)) = line.split_once("fn ") {
                is_test = false;
                let name = rest.split('(').next().unwrap_or_default();
                let entry = format!("`{}` `{name}`", file.path);
                if name != VICTIM && !page.contains(&entry) {
                    findings.push(entry);
                }
            }
        }
    }
    assert_none("every attack has a row", &findings);
}

/// The rows below the headings that say what comes of an attack.
fn rows() -> Vec<String> {
    let page = read(PAGE);
    let tables = page.split("\n## What comes of").skip(1);
    let lines = tables.flat_map(|table| table.lines().filter(|line| line.starts_with("| ")));
    let rows = lines.filter(|line| !line.starts_with("| Attack |"));
    rows.map(str::to_owned).collect()
}
