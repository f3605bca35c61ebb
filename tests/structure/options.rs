//! Keeps `docs/options.md` complete and true: every option of libzmq has its row, and what a row
//! names exists.
//!
//! `CONFORMANCE=write` computes the totals anew, as for the pages of requirements.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::document::{read, replace_between, write_or_check};
use crate::source::{assert_none, shipped_files};
use crate::strip::has_word;

const PAGE: &str = "docs/options.md";

/// The tables of the page: the heading that they stand under, and how many rows libzmq asks for.
const TABLES: [(&str, usize); 3] = [
    // 108 of the manual, and six that only the headers have.
    ("## Socket options", 114),
    ("## Context options", 13),
    ("## Monitor events", 16),
];

const STATUSES: [&str; 5] = ["yes", "otherwise", "later", "no", "not yet"];

/// A row: what libzmq has, and what there is here.
struct Row {
    name: String,
    status: String,
    /// Names in the sources, in backticks.
    here: String,
    note: String,
}

#[test]
fn the_totals_of_the_options_are_current() {
    let page = read(PAGE);
    let mut table = String::from(
        "| | All | Yes | Otherwise | Later | No | Not yet |\n|---|--:|--:|--:|--:|--:|--:|\n",
    );
    for (heading, _) in TABLES {
        let rows = rows(&page, heading);
        let title = heading.trim_start_matches("## ");
        let _ = write!(table, "| {title} | {} |", rows.len());
        for status in STATUSES {
            let count = rows.iter().filter(|row| row.status == status).count();
            let _ = write!(table, " {count} |");
        }
        table.push('\n');
    }
    let expected = replace_between(&page, "totals", &table);
    write_or_check(&[(PAGE.to_owned(), expected)]);
}

#[test]
fn every_option_of_libzmq_has_its_row() {
    let page = read(PAGE);
    for (heading, count) in TABLES {
        let rows = rows(&page, heading);
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(rows.len(), count, "{heading}");
        assert_eq!(names.len(), count, "{heading}: a name stands twice");
    }
}

#[test]
fn an_option_names_what_exists_or_says_why_not() {
    let code: Vec<String> = shipped_files("zmtp/src")
        .iter()
        .flat_map(|file| file.shipped_lines())
        .map(|(_, line)| line)
        .collect();
    let page = read(PAGE);
    let mut findings = Vec::new();
    for row in TABLES.iter().flat_map(|(heading, _)| rows(&page, heading)) {
        let Row {
            name,
            status,
            here,
            note,
        } = &row;
        let names: Vec<&str> = here.split('`').skip(1).step_by(2).collect();
        match status.as_str() {
            "yes" if names.is_empty() => findings.push(format!("{name}: yes, and no name")),
            "no" | "later" if note.is_empty() => findings.push(format!("{name}: no reason")),
            "otherwise" if names.is_empty() && note.is_empty() => {
                findings.push(format!("{name}: neither a name nor a reason"));
            }
            status if !STATUSES.contains(&status) => findings.push(format!("{name}: {status}?")),
            _ => {}
        }
        findings.extend(
            names
                .iter()
                .filter(|path| !exists(&code, path))
                .map(|path| format!("{name}: there is no `{path}`")),
        );
    }
    assert_none("the page of options is true", &findings);
}

#[test]
fn every_method_of_the_builder_is_on_the_page() {
    let page = read(PAGE);
    let mut findings = Vec::new();
    for file in shipped_files("zmtp/src/socket") {
        let mut inside = false;
        for (number, line) in file.shipped_lines() {
            if line.starts_with("impl") {
                inside = line.contains(" Builder<");
            }
            let method = line.trim_start().strip_prefix("pub fn ");
            let name = method.and_then(|rest| rest.split(['(', '<']).next());
            // `build` ends a builder and is no option.
            if let Some(name) = name.filter(|name| inside && *name != "build")
                && !page.contains(&format!("`Builder::{name}`"))
            {
                findings.push(format!("{}:{number}: {name}", file.path));
            }
        }
    }
    assert_none(
        "the page of options has all methods of the builder",
        &findings,
    );
}

/// Whether the sources have what a path like `Builder::linger` ends with.
fn exists(code: &[String], path: &str) -> bool {
    path.split("::").all(|name| {
        let is_function = name.starts_with(|first: char| first.is_lowercase());
        let wanted = if is_function {
            format!("fn {name}")
        } else {
            name.to_owned()
        };
        code.iter().any(|line| has_word(line, &wanted))
    })
}

/// Returns the rows of the tables below a heading.
fn rows(page: &str, heading: &str) -> Vec<Row> {
    page.lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| {
            let cells = line.strip_prefix('|')?.strip_suffix('|')?;
            let mut cells: Vec<&str> = cells.split('|').map(str::trim).collect();
            // The events have no default.
            if cells.len() == 4 {
                cells.insert(1, "");
            }
            let [name, _, status, here, note] = cells[..] else {
                return None;
            };
            let is_name = name.starts_with(|first: char| first.is_ascii_uppercase())
                && !name.contains(|c: char| c.is_lowercase());
            is_name.then(|| Row {
                name: name.to_owned(),
                status: status.to_owned(),
                here: here.to_owned(),
                note: note.to_owned(),
            })
        })
        .collect()
}
