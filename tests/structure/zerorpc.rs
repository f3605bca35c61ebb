//! Keeps `docs/zerorpc.md` complete and true: every quirk and every defect has a row with tests,
//! and what the tables say of this project names tests that exist.
//!
//! `CONFORMANCE=write` computes the tests of the rows anew, as for the pages of requirements.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::document::{read, write_or_check};
use crate::source::{SourceFile, assert_none, rust_files};
use crate::strip::has_word;

const PAGE: &str = "docs/zerorpc.md";

/// The two families of rows, each numbered from one without gaps.
const FAMILIES: [(char, usize); 2] = [('Q', 27), ('B', 30)];

/// Where tests of the RPC layer are.
const FOLDERS: [&str; 5] = [
    "zrpc-proto",
    "zrpc",
    "tests/zerorpc",
    "tests/soak",
    "interop/tests",
];

/// The tables below these headings name tests by hand.
const CLAIMS: [&str; 2] = ["## Features", "## Wishes"];

/// The tests that name a row, by file.
type Tests = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_rows_of_quirks_and_defects_name_their_tests() {
    let coverage = coverage();
    let mut text = String::new();
    for line in read(PAGE).lines() {
        match row(line) {
            Some([id, theirs, ours, _]) => {
                let tests = coverage.get(id).map(list).unwrap_or_default();
                let space = if tests.is_empty() { "" } else { " " };
                let _ = writeln!(text, "| {id} | {theirs} | {ours} |{space}{tests} |");
            }
            None => {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    write_or_check(&[(PAGE.to_owned(), text)]);
}

#[test]
fn every_quirk_and_every_defect_has_a_row_and_a_test() {
    let page = read(PAGE);
    let listed: Vec<String> = page
        .lines()
        .filter_map(|line| row(line).map(|[id, ..]| id.to_owned()))
        .collect();
    let expected: Vec<String> = FAMILIES
        .iter()
        .flat_map(|(family, count)| (1..=*count).map(move |number| format!("{family}{number}")))
        .collect();
    assert_eq!(listed, expected, "one row each, in order");

    let coverage = coverage();
    let findings: Vec<String> = expected
        .into_iter()
        .filter(|id| !coverage.contains_key(id))
        .collect();
    assert_none("a test names each row", &findings);
}

#[test]
fn rows_named_in_tests_exist() {
    let findings: Vec<String> = coverage()
        .into_iter()
        .filter(|(id, _)| !FAMILIES.iter().any(|family| is_of(id, *family)))
        .map(|(id, tests)| format!("{id}: {}", list(&tests)))
        .collect();
    assert_none("a row that a test names is on the page", &findings);
}

#[test]
fn a_feature_or_an_answer_names_tests_that_exist() {
    let page = read(PAGE);
    let mut findings = Vec::new();
    for heading in CLAIMS {
        let table = page
            .lines()
            .skip_while(|line| *line != heading)
            .skip(1)
            .take_while(|line| !line.starts_with("## "))
            .filter(|line| line.starts_with("| "))
            // The head of the table.
            .skip(1);
        let mut rows = 0;
        for line in table {
            rows += 1;
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let test = cells.last().copied().unwrap_or_default();
            let names: Vec<&str> = test.split('`').skip(1).step_by(2).collect();
            match names[..] {
                [file, function] => findings.extend(missing(file, function)),
                // What is not there, or nothing that a test could show, has no test.
                [] if test == "–" => {}
                _ => findings.push(format!("{line}: a file and a test, or –")),
            }
        }
        assert!(rows > 0, "{heading} has a table");
    }
    assert_none("what the page claims is tested", &findings);
}

/// Returns what is missing if the file does not have the test.
fn missing(file: &str, function: &str) -> Option<String> {
    let path = crate::source::root().join(file);
    let source = std::fs::read_to_string(path).unwrap_or_default();
    let wanted = format!("fn {function}");
    let found = source.lines().any(|line| has_word(line, &wanted));
    (!found).then(|| format!("there is no {function} in {file}"))
}

/// Splits `| Q1 | theirs | ours | tests |`.
fn row(line: &str) -> Option<[&str; 4]> {
    let cells = line.strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
    let cells = <[&str; 4]>::try_from(cells).ok()?;
    (ids(cells[0]) == [cells[0]]).then_some(cells)
}

/// Whether an id is one of a family.
fn is_of(id: &str, (family, count): (char, usize)) -> bool {
    let number = id.strip_prefix(family).map(str::parse);
    number.is_some_and(|number| number.is_ok_and(|number| (1..=count).contains(&number)))
}

/// Writes the tests as `file`: `test`, `test`; `other file`: `test`.
fn list(tests: &Tests) -> String {
    let files: Vec<String> = tests
        .iter()
        .map(|(file, names)| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("`{file}`: {}", names.join(", "))
        })
        .collect();
    files.join("; ")
}

/// Returns which tests name which row.
fn coverage() -> BTreeMap<String, Tests> {
    let mut found = BTreeMap::<String, Tests>::new();
    for file in FOLDERS.into_iter().flat_map(rust_files) {
        for (id, test) in named_by(&file) {
            let tests = found.entry(id).or_default();
            tests.entry(file.path.clone()).or_default().insert(test);
        }
    }
    found
}

/// Returns the rows that the tests of a file name: in their names, in the comments above them,
/// and in those inside.
fn named_by(file: &SourceFile) -> Vec<(String, String)> {
    let mut named = Vec::new();
    let mut above = Vec::new();
    let mut is_test = false;
    // The test that the line may be in, and how far it is indented.
    let mut inside: Option<(String, usize)> = None;
    for line in file.text.lines() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if let Some(comment) = code
            .strip_prefix("//")
            .filter(|rest| !rest.starts_with('!'))
        {
            let rows = ids(comment).into_iter().map(str::to_owned);
            match &inside {
                Some((test, outer)) if indent > *outer => {
                    named.extend(rows.map(|row| (row, test.clone())));
                }
                _ => above.extend(rows),
            }
        } else if code.starts_with("#[") {
            is_test |= code.contains("test]") || code.contains("::test(");
        } else if let Some(name) = function_name(code) {
            let rows = above.drain(..).chain(ids_of_name(name));
            if is_test {
                named.extend(rows.map(|row| (row, name.to_owned())));
                inside = Some((name.to_owned(), indent));
            } else {
                rows.for_each(drop);
            }
            is_test = false;
        } else if !code.is_empty() && indent == 0 && code != "}" {
            above.clear();
        }
    }
    named
}

fn function_name(code: &str) -> Option<&str> {
    let code = code.strip_prefix("pub(crate) ").unwrap_or(code);
    let code = code.strip_prefix("async ").unwrap_or(code);
    code.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// Returns the rows that begin a name: those of `q2_q17_every_event_has` are Q2 and Q17.
fn ids_of_name(name: &str) -> impl Iterator<Item = String> {
    name.split('_')
        .map(str::to_uppercase)
        .take_while(|part| ids(part) == [part.as_str()])
}

/// Returns the ids in a text: Q or B and one or two digits, as a word. Other words of that kind,
/// such as the name of a version, have more letters or digits.
fn ids(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| {
            let number = word.strip_prefix(FAMILIES.map(|(family, _)| family));
            number.is_some_and(|digits| {
                (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{SourceFile, ids, named_by};

    #[test]
    fn ids_are_words() {
        let [quirk, defect] = ["Q", "B"].map(|family| format!("{family}12"));
        let text = format!("{quirk}, ({defect}): X{quirk} {defect}7 {quirk}x");
        assert_eq!(ids(&text), [&*quirk, &*defect]);
    }

    #[test]
    fn a_test_names_rows_in_its_name_above_and_inside() {
        let comment = |number: u32, indent: &str| format!("{indent}// {}{number}: why.\n", 'Q');
        let text = [
            &comment(1, ""),
            "#[test]\nfn b2_first() {\n",
            &comment(3, "    "),
            "}\n\n",
            &comment(4, ""),
            "fn helper() {\n}\n\n#[tokio::test(flavor = \"x\")]\nasync fn second() {\n}\n",
        ]
        .concat();
        let file = SourceFile {
            path: "a.rs".to_owned(),
            text,
        };
        let expected = [
            (1, 'Q', "b2_first"),
            (2, 'B', "b2_first"),
            (3, 'Q', "b2_first"),
        ];
        let expected =
            expected.map(|(number, family, test)| (format!("{family}{number}"), test.to_owned()));
        assert_eq!(named_by(&file), expected);
    }
}
