//! One page of requirements, and the index of all of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::checks::{Coverage, ids};
use crate::document::replace_between;

/// Stands between the reason of a row and the tests that name it.
const TESTS: &str = " Tests: ";

/// What has become of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// A test names it.
    Tested,
    /// It belongs to a feature that does not exist yet.
    Later,
    /// It asks for nothing here.
    NotApplicable,
    /// Something else is done on purpose.
    Departs,
    /// No test names it, and nobody has said why.
    NotYet,
}

impl Status {
    const ALL: [Self; 5] = [
        Self::Tested,
        Self::Later,
        Self::NotApplicable,
        Self::Departs,
        Self::NotYet,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Tested => "tested",
            Self::Later => "later",
            Self::NotApplicable => "not applicable",
            Self::Departs => "departs",
            Self::NotYet => "not yet",
        }
    }
}

/// A requirement.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) status: Status,
    level: String,
    text: String,
    /// The reason, or the tests, or both.
    detail: String,
}

impl Row {
    /// Parses `| ID | level | text | status | detail |`.
    fn parse(line: &str) -> Option<Self> {
        let cells = line.strip_prefix('|')?.strip_suffix('|')?;
        let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
        let [id, level, text, status, detail] = cells[..] else {
            return None;
        };
        if !ids(id).contains(id) {
            return None;
        }
        let status = Status::ALL.into_iter().find(|s| s.as_str() == status);
        Some(Self {
            id: id.to_owned(),
            status: status.unwrap_or_else(|| panic!("{id} has no known status")),
            level: level.to_owned(),
            text: text.to_owned(),
            detail: detail.to_owned(),
        })
    }

    /// Returns why there is no test, or why something else is done.
    pub(super) fn reason(&self) -> &str {
        match self.status {
            Status::Tested | Status::NotYet => "",
            _ => self.detail.split(TESTS).next().unwrap_or_default(),
        }
    }

    /// Computes what follows from the tests.
    fn with_coverage(mut self, coverage: &Coverage) -> Self {
        // A row may say which other one its tests are those of.
        let mut named = ids(&self.text);
        named.insert(self.id.clone());
        let files: BTreeSet<&String> = named
            .iter()
            .filter_map(|id| coverage.get(id))
            .flatten()
            .collect();
        let names: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
        let tests = (!names.is_empty()).then(|| names.join(", "));
        (self.status, self.detail) = match (self.status, tests) {
            (Status::Departs, Some(tests)) => {
                let detail = format!("{}{TESTS}{tests}", self.reason());
                (Status::Departs, detail)
            }
            (Status::Departs, None) => (Status::Departs, self.reason().to_owned()),
            (_, Some(tests)) => (Status::Tested, tests),
            (Status::Tested | Status::NotYet, None) => (Status::NotYet, String::new()),
            (status, None) => (status, self.detail),
        };
        self
    }

    fn render(&self) -> String {
        let Self {
            id,
            level,
            text,
            detail,
            ..
        } = self;
        let status = self.status.as_str();
        let space = if detail.is_empty() { "" } else { " " };
        format!("| {id} | {level} | {text} | {status} |{space}{detail} |")
    }
}

#[derive(Debug)]
enum Line {
    Row(Row),
    Other(String),
}

/// A page, line by line.
#[derive(Debug)]
pub(super) struct Page {
    path: String,
    lines: Vec<Line>,
}

impl Page {
    pub(super) fn parse(path: String, text: &str) -> Self {
        let lines = text
            .lines()
            .map(|line| Row::parse(line).map_or_else(|| Line::Other(line.to_owned()), Line::Row))
            .collect();
        Self { path, lines }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.lines.iter().filter_map(|line| match line {
            Line::Row(row) => Some(row),
            Line::Other(_) => None,
        })
    }

    pub(super) fn with_coverage(self, coverage: &Coverage) -> Self {
        let lines = self.lines.into_iter().map(|line| match line {
            Line::Row(row) => Line::Row(row.with_coverage(coverage)),
            other @ Line::Other(_) => other,
        });
        Self {
            path: self.path,
            lines: lines.collect(),
        }
    }

    /// Returns the path and the text.
    pub(super) fn render(&self) -> (String, String) {
        let mut text = String::new();
        for line in &self.lines {
            match line {
                Line::Row(row) => text.push_str(&row.render()),
                Line::Other(line) => text.push_str(line),
            }
            text.push('\n');
        }
        (self.path.clone(), text)
    }

    /// Returns what the first line says, for the index.
    fn title(&self) -> &str {
        match self.lines.first() {
            Some(Line::Other(line)) => line.trim_start_matches("# "),
            _ => &self.path,
        }
    }

    fn counts(&self) -> [usize; 5] {
        Status::ALL.map(|status| self.rows().filter(|row| row.status == status).count())
    }
}

/// Returns the index with its two tables computed anew.
pub(super) fn index(text: &str, pages: &[Page]) -> String {
    let text = replace_between(text, "counts", &count_table(pages));
    replace_between(&text, "deviations", &deviation_table(pages))
}

fn count_table(pages: &[Page]) -> String {
    let mut table = String::from(
        "| Page | Rows | Tested | Later | Not applicable | Departs | Not yet |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
    );
    let mut totals = [0; 5];
    for page in pages {
        let counts = page.counts();
        let link = page.path.trim_start_matches("docs/");
        push_counts(&mut table, &format!("[{}]({link})", page.title()), counts);
        for (total, count) in totals.iter_mut().zip(counts) {
            *total += count;
        }
    }
    push_counts(&mut table, "**All**", totals);
    table
}

fn push_counts(table: &mut String, name: &str, counts: [usize; 5]) {
    let all: usize = counts.iter().sum();
    let [tested, later, not_applicable, departs, not_yet] = counts;
    let _ = writeln!(
        table,
        "| {name} | {all} | {tested} | {later} | {not_applicable} | {departs} | {not_yet} |"
    );
}

fn deviation_table(pages: &[Page]) -> String {
    let mut table =
        String::from("| Row | Requirement | What is done instead, and why |\n|---|---|---|\n");
    let rows = pages.iter().flat_map(Page::rows);
    for row in rows.filter(|row| row.status == Status::Departs) {
        let _ = writeln!(table, "| `{}` | {} | {} |", row.id, row.text, row.reason());
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Coverage, Page, index};

    /// Returns `line` as it is when `files` name it, with an id that no file has in one piece.
    fn rendered(line: &str, files: &[&str]) -> String {
        let id = ["INT", "-030"].concat();
        let files: BTreeSet<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let mut coverage = Coverage::new();
        if !files.is_empty() {
            coverage.insert(id.clone(), files);
        }
        let page = Page::parse("p.md".to_owned(), &line.replace("ID", &id));
        let (_, text) = page.with_coverage(&coverage).render();
        text.trim_end().replace(&id, "ID")
    }

    #[test]
    fn a_row_that_a_test_names_is_tested() {
        let tested = "| ID | MUST | rule | tested | `a.rs` |";
        assert_eq!(
            rendered("| ID | MUST | rule | not yet | |", &["a.rs"]),
            tested
        );
        assert_eq!(
            rendered("| ID | MUST | rule | later | why |", &["a.rs"]),
            tested
        );
        assert_eq!(
            rendered("| ID | MUST | rule | tested | `old.rs` |", &["a.rs"]),
            tested
        );
    }

    #[test]
    fn a_row_that_no_test_names_keeps_its_reason() {
        let later = "| ID | MUST | rule | later | why |";
        assert_eq!(rendered(later, &[]), later);
        let lost = "| ID | MUST | rule | tested | `a.rs` |";
        assert_eq!(rendered(lost, &[]), "| ID | MUST | rule | not yet | |");
    }

    #[test]
    fn a_deviation_shows_its_reason_and_its_tests() {
        let departs = "| ID | MUST | rule | departs | why |";
        let tested = "| ID | MUST | rule | departs | why Tests: `a.rs` |";
        assert_eq!(rendered(departs, &["a.rs"]), tested);
        assert_eq!(rendered(tested, &["a.rs"]), tested);
        assert_eq!(rendered(tested, &[]), departs);
    }

    #[test]
    fn the_index_counts_and_lists_deviations() {
        let id = ["INT", "-030"].concat();
        let text = format!("# Title\n| {id} | MUST | rule | departs | why |\n");
        let page = Page::parse("docs/p.md".to_owned(), &text);
        let empty = "<!-- counts -->\n<!-- end of counts -->\n\
                     <!-- deviations -->\n<!-- end of deviations -->\n";
        let index = index(empty, &[page]);
        assert!(
            index.contains("| [Title](p.md) | 1 | 0 | 0 | 0 | 1 | 0 |"),
            "{index}"
        );
        assert!(
            index.contains(&format!("| `{id}` | rule | why |")),
            "{index}"
        );
    }
}
