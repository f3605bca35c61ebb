//! The results for people and for programs.

mod chart;
mod goals;
mod json;
mod readme;
mod summary;
mod table;

use std::fs;
use std::path::Path;

use crate::error::BenchError;
use crate::run::Results;

pub(crate) use goals::goals;
pub(crate) use readme::update_readmes;
pub(crate) use table::{short, table};

/// Writes `latest.json`, `latest.md`, `goals.md` and a chart for each workload.
pub(crate) fn write(results: &Results, directory: &Path) -> Result<(), BenchError> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join("latest.json"), json::json(results)?)?;
    fs::write(directory.join("latest.md"), table(results))?;
    fs::write(directory.join("goals.md"), goals(results))?;
    for workload in results.workloads() {
        let chart = chart::chart(results, workload);
        fs::write(directory.join(format!("{workload}.svg")), chart)?;
    }
    eprintln!("results are in {}", directory.display());
    Ok(())
}
