//! The checks, and where they look.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{read, write_or_check};
use crate::source::{SourceFile, assert_none, rust_files, shipped_files};

use super::page::{self, Page, Status};

/// The page with the counts and the deviations.
const INDEX: &str = "docs/conformance.md";

/// The families of requirements, each numbered from one without gaps.
const FAMILIES: [(&str, usize); 22] = [
    ("ZMTP31", 160),
    ("ZMTP30", 21),
    ("PLAIN", 26),
    ("ZCURVE", 7),
    ("CURVE", 66),
    ("ZAP", 47),
    ("REQREP", 55),
    ("PUBSUB", 62),
    ("PIPE", 21),
    ("PAIR", 11),
    ("Z85", 16),
    ("INT", 52),
    ("ZMTP10", 36),
    ("ZMTP20", 27),
    ("GSS", 6),
    ("ZWS1", 15),
    ("ZWS2", 35),
    ("CLISRV", 26),
    ("RADIO", 31),
    ("SCAT", 19),
    ("P2P", 15),
    ("CHAN", 10),
];

/// The rows of [`LIBZMQ`], numbered in the same way.
const BEHAVIOURS: (&str, usize) = ("LZ", 86);

/// The page with the behaviours of libzmq.
const LIBZMQ: &str = "docs/libzmq.md";

/// The pages below `docs/conformance`, in the order of the index.
const PAGES: [&str; 13] = [
    "zmtp-3.1",
    "zmtp-3.0",
    "plain",
    "curve",
    "zap",
    "request-reply",
    "publish-subscribe",
    "pipeline",
    "pair",
    "z85",
    "interoperation",
    "older-versions",
    "later",
];

/// Which files name which requirement.
pub(super) type Coverage = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_pages_say_what_the_tests_cover() {
    let coverage = coverage();
    let pages: Vec<Page> = pages()
        .into_iter()
        .map(|page| page.with_coverage(&coverage))
        .collect();
    let index = read(INDEX);
    let expected_index = page::index(&index, &pages);
    let mut expected: Vec<(String, String)> = pages.iter().map(Page::render).collect();
    expected.push(behaviours().with_coverage(&coverage).render());
    expected.push((INDEX.to_owned(), expected_index));

    write_or_check(&expected);
}

// INT-050
#[test]
fn every_requirement_has_its_row() {
    let mut listed: Vec<String> = pages()
        .iter()
        .flat_map(Page::rows)
        .map(|row| row.id.clone())
        .collect();
    listed.sort();
    let mut expected: Vec<String> = FAMILIES
        .iter()
        .flat_map(|(family, count)| (1..=*count).map(move |n| format!("{family}-{n:03}")))
        .collect();
    expected.sort();
    assert_eq!(expected.len(), 764);
    assert_eq!(
        listed, expected,
        "one row per requirement, and none besides"
    );
}

// INT-050, INT-051
#[test]
fn a_row_without_a_test_has_its_reason() {
    let coverage = coverage();
    let mut findings = Vec::new();
    let mut pages = pages();
    pages.push(behaviours());
    for page in pages {
        let page = page.with_coverage(&coverage);
        for row in page.rows() {
            match row.status {
                Status::Tested => {}
                Status::NotYet => findings.push(format!("{}: no test names it", row.id)),
                status if row.reason().is_empty() => {
                    findings.push(format!("{}: {status:?} without a reason", row.id));
                }
                Status::Later | Status::NotApplicable | Status::Departs => {}
            }
        }
    }
    assert_none("each row is tested, or says why not", &findings);
}

#[test]
fn requirements_named_in_code_exist() {
    let mut pages = pages();
    pages.push(behaviours());
    let known: BTreeSet<String> = pages
        .iter()
        .flat_map(Page::rows)
        .map(|row| row.id.clone())
        .collect();
    let mut findings = Vec::new();
    for file in rust_files("") {
        for id in ids(&file.text) {
            if !known.contains(&id) {
                findings.push(format!("{}: {id}", file.path));
            }
        }
    }
    assert_none("a requirement that code names is on a page", &findings);
}

fn pages() -> Vec<Page> {
    PAGES
        .iter()
        .map(|name| {
            let path = format!("docs/conformance/{name}.md");
            let text = read(&path);
            Page::parse(path, &text)
        })
        .collect()
}

fn behaviours() -> Page {
    Page::parse(LIBZMQ.to_owned(), &read(LIBZMQ))
}

/// Returns which test files name which requirement.
fn coverage() -> Coverage {
    let shipped: BTreeSet<String> = ["zmtp", "zrpc-proto", "zrpc"]
        .into_iter()
        .flat_map(shipped_files)
        .map(|file| file.path)
        .collect();
    let mut found = Coverage::new();
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
pub(super) fn ids(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (family, _) in FAMILIES.into_iter().chain([BEHAVIOURS]) {
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

#[cfg(test)]
mod tests {
    use super::ids;

    #[test]
    fn ids_are_found_in_running_text() {
        // Built from parts, so that this file names no requirement itself.
        let id = ["INT", "-030"].concat();
        let text = format!("({id}, P{id}x) INT-x");
        assert_eq!(ids(&text).into_iter().collect::<Vec<_>>(), [id]);
    }
}
