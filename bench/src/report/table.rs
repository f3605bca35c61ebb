//! The tables, in Markdown that also reads well on a terminal.

use std::fmt::Write as _;

use crate::measure::Measurement;
use crate::run::{Results, Row, Spread};
use crate::workload::Workload;

/// One table for each workload.
pub(crate) fn table(results: &Results) -> String {
    let mut text = conditions(results);
    for workload in results.workloads() {
        section(&mut text, results, workload);
    }
    text
}

/// Under what conditions the figures came about.
pub(super) fn conditions(results: &Results) -> String {
    format!(
        "{}, {} cores, Linux {}; {} rounds of {} s; median (min to max)\n",
        results.machine.processor,
        results.machine.cores,
        results.machine.kernel,
        results.rounds,
        results.seconds,
    )
}

/// The table of one workload, under its title.
pub(super) fn section(text: &mut String, results: &Results, workload: Workload) {
    let latency = results
        .of(workload)
        .any(|row| row.latency(|latency| latency.p50).is_some());
    let baseline = workload.baseline().name();
    let mut lines = vec![header(workload, baseline, latency)];
    lines.extend(results.of(workload).map(|row| line(results, row, latency)));

    let columns = lines[0].len();
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    // Writing to a string does not fail.
    let _ = write!(text, "\n### {}\n\n", workload.title());
    for (number, line) in lines.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let _ = match column {
                0 => write!(text, "| {cell:<width$} "),
                _ => write!(text, "| {cell:>width$} "),
            };
        }
        text.push_str("|\n");
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let _ = match column {
                    0 => write!(text, "|:{:-<width$}-", ""),
                    _ => write!(text, "|-{:-<width$}:", ""),
                };
            }
            text.push_str("|\n");
        }
    }
}

fn header(workload: Workload, baseline: &str, latency: bool) -> Vec<String> {
    let mut cells = vec!["contender".to_owned(), workload.unit().to_owned()];
    cells.push(format!("× {baseline}"));
    if latency {
        cells.extend(["p50 µs".to_owned(), "p99 µs".to_owned()]);
    }
    cells.push("CPU server".to_owned());
    cells.push("CPU client".to_owned());
    cells.push("foreign load".to_owned());
    cells
}

fn line(results: &Results, row: &Row, latency: bool) -> Vec<String> {
    let rate = row.spread(Measurement::rate);
    let ratio = results
        .baseline(row.workload)
        .map(|baseline| rate.median / baseline.spread(Measurement::rate).median);
    let mut cells = vec![
        row.entry.to_string(),
        with_spread(rate, short),
        ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
    ];
    if latency {
        let cell = |spread: Option<Spread>| {
            spread.map_or_else(String::new, |spread| {
                with_spread(spread, |microseconds| format!("{microseconds:.1}"))
            })
        };
        cells.push(cell(row.latency(|latency| latency.p50)));
        cells.push(cell(row.latency(|latency| latency.p99)));
    }
    let per_operation = |seconds: fn(&Measurement) -> f64| {
        duration(
            row.spread(|one| seconds(one) * 1e9 / one.operations.max(1) as f64)
                .median,
        )
    };
    cells.push(per_operation(|one| one.server_cpu));
    cells.push(per_operation(|one| one.client_cpu));
    cells.push(format!(
        "{:.2}",
        row.spread(Measurement::foreign_load).median
    ));
    cells
}

fn with_spread(spread: Spread, format: impl Fn(f64) -> String) -> String {
    format!(
        "{} ({} to {})",
        format(spread.median),
        format(spread.min),
        format(spread.max)
    )
}

/// A number with three significant digits and a unit.
pub(crate) fn short(number: f64) -> String {
    let (number, unit) = match number {
        million if million >= 1e6 => (million / 1e6, " M"),
        thousand if thousand >= 1e3 => (thousand / 1e3, " k"),
        small => (small, ""),
    };
    let digits = match number {
        hundreds if hundreds >= 100.0 => 0,
        tens if tens >= 10.0 => 1,
        _ => 2,
    };
    format!("{number:.digits$}{unit}")
}

/// A time in nanoseconds, in a unit that suits it.
fn duration(nanoseconds: f64) -> String {
    if nanoseconds >= 10_000.0 {
        format!("{:.1} µs", nanoseconds / 1e3)
    } else {
        format!("{nanoseconds:.0} ns")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!(short(26_277_123.0), "26.3 M");
        assert_eq!(short(130_352_000.0), "130 M");
        assert_eq!(short(5_019.0), "5.02 k");
        assert_eq!(short(774.2), "774");
    }
}
