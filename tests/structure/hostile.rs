//! Keeps `docs/hostile.md` true and complete: each attack names a test that exists, and each test of
//! hostile peers is on the page and accounts for all that an attack may do.

use crate::document::read;
use crate::source::{SourceFile, assert_none, root, rust_files};
use crate::strip::has_word;

const PAGE: &str = "docs/hostile.md";

/// Where the tests of hostile peers are.
const FOLDERS: [&str; 2] = ["tests/zmtp/hostile", "tests/zerorpc/hostile"];

/// What is attacked, and a test in name only.
const VICTIM: &str = "the_victim_itself";

/// The tests that show what the others are worth, and attack nobody.
const HARNESS: &str = "tests/zmtp/hostile/harness.rs";

/// What there is beside `Victim::conclude`, with which a test could account for less than all at once. That
/// none is left out needs no search: a victim that nobody has accounted for fails its test when it is
/// dropped.
const PARTIAL: [&str; 2] = [".account(", "start_accomplice"];

/// The one who starts attackers, which are processes as victims are.
const ACCOMPLICES: &str = "tests/zmtp/hostile/crowds.rs";

#[test]
fn an_attack_names_a_test_that_exists_and_what_it_took() {
    let mut findings = Vec::new();
    let rows = rows();
    for row in &rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [attack, reaction, peak, time, test] = cells[..] else {
            findings.push(format!("{row}: not five cells"));
            continue;
        };
        if attack.is_empty() || reaction.is_empty() {
            findings.push(format!("{row}: nothing is said"));
        }
        for (measure, unit) in [(peak, " MiB"), (time, " s")] {
            let number = measure.strip_suffix(unit).unwrap_or_default();
            if number.parse::<f64>().is_err() {
                findings.push(format!("{row}: {measure} is no measure in{unit}"));
            }
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
    for file in files() {
        let mut is_test = false;
        for line in file.text.lines() {
            if line.starts_with("#[tokio::test") {
                is_test = true;
            } else if is_test && let Some((_, rest)) = line.split_once("fn ") {
                is_test = false;
                let name = rest.split('(').next().unwrap_or_default();
                let entry = format!("`{}` `{name}`", file.path);
                if name != VICTIM && file.path != HARNESS && !page.contains(&entry) {
                    findings.push(entry);
                }
            }
        }
    }
    assert_none("every attack has a row", &findings);
}

#[test]
fn an_attack_is_accounted_for_as_a_whole() {
    let mut findings = Vec::new();
    for file in files().filter(|file| file.path != HARNESS) {
        for partial in PARTIAL {
            let is_known = partial == "start_accomplice" && file.path == ACCOMPLICES;
            if file.text.contains(partial) && !is_known {
                findings.push(format!("{}: {partial}", file.path));
            }
        }
    }
    assert_none("every attack is accounted for as a whole", &findings);
}

/// The tests of hostile peers, and what they share.
fn files() -> impl Iterator<Item = SourceFile> {
    FOLDERS.iter().flat_map(|folder| rust_files(folder))
}

/// The rows below the headings that say what comes of an attack.
fn rows() -> Vec<String> {
    let page = read(PAGE);
    let tables = page.split("\n## What comes of").skip(1);
    let lines = tables.flat_map(|table| table.lines().filter(|line| line.starts_with("| ")));
    let rows = lines.filter(|line| !line.starts_with("| Attack |"));
    rows.map(str::to_owned).collect()
}
