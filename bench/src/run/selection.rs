//! Which contenders are measured on which workloads.

use std::fmt;

use crate::cli::{Options, Side};
use crate::contender::{Entry, Implementation};
use crate::error::BenchError;
use crate::workload::Workload;

/// One contender on one workload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Cell {
    pub(crate) workload: Workload,
    pub(crate) entry: Entry,
}

impl Cell {
    /// What runs on one side of it.
    pub(crate) fn implementation(&self, side: Side) -> Implementation {
        self.entry.contender.implementation(self.workload, side)
    }
}

/// The cells of one run, workload by workload.
#[derive(Debug)]
pub(crate) struct Selection {
    cells: Vec<Cell>,
}

impl Selection {
    /// What the filters leave.
    ///
    /// # Errors
    ///
    /// If a word fits nothing, or nothing is left.
    pub(crate) fn new(options: &Options) -> Result<Self, BenchError> {
        let fits_workload = |word: &str| {
            Workload::ALL
                .iter()
                .any(|workload| workload.to_string().contains(word))
        };
        let fits_entry = |word: &str| Entry::all().any(|entry| entry.to_string().contains(word));
        let mut workloads = Vec::new();
        let mut entries = Vec::new();
        for word in &options.filter {
            if fits_workload(word) {
                workloads.push(word.as_str());
            } else if fits_entry(word) {
                entries.push(word.as_str());
            } else {
                return Err(BenchError::UnknownFilter(word.clone()));
            }
        }
        let cells: Vec<Cell> = Workload::ALL
            .into_iter()
            .filter(|workload| chosen(&workloads, &workload.to_string()))
            .flat_map(|workload| Entry::all().map(move |entry| Cell { workload, entry }))
            .filter(|cell| cell.entry.contender.supports(cell.workload))
            .filter(|cell| chosen(&entries, &cell.entry.to_string()))
            .filter(|cell| match (options.runtime, cell.entry.runtime) {
                (Some(wanted), Some(runtime)) => wanted == runtime,
                _ => true,
            })
            .collect();
        if cells.is_empty() {
            return Err(BenchError::NothingSelected);
        }
        Ok(Self { cells })
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Whether any process runs this code.
    pub(crate) fn uses(&self, implementation: Implementation) -> bool {
        self.cells.iter().any(|cell| {
            [Side::Server, Side::Client]
                .into_iter()
                .any(|side| cell.implementation(side) == implementation)
        })
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for cell in &self.cells {
            writeln!(f, "{}  {}", cell.workload, cell.entry)?;
        }
        Ok(())
    }
}

/// Whether one of `words` is part of `name`, or there are none.
fn chosen(words: &[&str], name: &str) -> bool {
    words.is_empty() || words.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn names(arguments: &[&str]) -> Result<Vec<String>, BenchError> {
        let options = Options::parse_from(["bench"].iter().chain(arguments));
        let selection = Selection::new(&options)?;
        Ok(selection.to_string().lines().map(str::to_owned).collect())
    }

    #[test]
    fn words_choose_workloads_and_contenders() {
        assert_eq!(
            names(&["push-pull-16", "libzmq"]).unwrap(),
            ["push-pull-16  libzmq"]
        );
    }

    #[test]
    fn a_runtime_leaves_contenders_without_one() {
        assert_eq!(
            names(&["dealer", "libzmq", "zmtp", "--runtime", "current-thread"]).unwrap(),
            [
                "dealer-router-16  libzmq",
                "dealer-router-16  zmtp, current-thread"
            ]
        );
    }

    #[test]
    fn a_word_that_fits_nothing_is_an_error() {
        assert!(matches!(
            names(&["push", "nonsense"]),
            Err(BenchError::UnknownFilter(word)) if word == "nonsense"
        ));
    }
}
