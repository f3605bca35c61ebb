//! Measuring everything that was chosen, round by round.

mod cell;
mod results;
mod selection;

use std::time::Instant;

use crate::cli::Options;
use crate::error::BenchError;
use crate::helpers::Helpers;

use cell::Processes;
pub(crate) use results::{Machine, Results, Row, Spread};
pub(crate) use selection::{Cell, Selection};

/// How much of a core other programs may use before a measurement counts as disturbed.
const DISTURBED: f64 = 0.25;

/// Measures each cell once per round, so that a busy minute of the machine hits all alike.
pub(crate) fn run(selection: &Selection, options: &Options) -> Result<Results, BenchError> {
    let processes = Processes::new(options, Helpers::install(selection)?)?;
    let mut results = Results::new(selection, options);
    let begin = Instant::now();
    for round in 1..=options.rounds {
        for (number, cell) in selection.cells().iter().enumerate() {
            let done = (round - 1) * selection.cells().len() + number;
            eprint!(
                "[{:>4}/{}] {:>4} s  {} {}: ",
                done + 1,
                options.rounds * selection.cells().len(),
                begin.elapsed().as_secs(),
                cell.workload,
                cell.entry,
            );
            match measure(&processes, cell, options.retries) {
                Ok(measurement) => {
                    eprintln!(
                        "{} {}",
                        crate::report::short(measurement.rate()),
                        cell.workload.unit()
                    );
                    results.add(cell, measurement);
                }
                // One contender that fails does not take the figures of the others with it.
                Err(error) => eprintln!("failed: {error}"),
            }
        }
    }
    Ok(results)
}

/// The calmest of as many attempts as it takes to be undisturbed.
fn measure(
    processes: &Processes,
    cell: &Cell,
    retries: usize,
) -> Result<crate::measure::Measurement, BenchError> {
    let mut best = processes.measure(cell)?;
    for _ in 0..retries {
        if best.foreign_load() <= DISTURBED {
            break;
        }
        let again = processes.measure(cell)?;
        if again.foreign_load() < best.foreign_load() {
            best = again;
        }
    }
    Ok(best)
}
