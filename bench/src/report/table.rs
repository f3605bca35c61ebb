//! The tables, in Markdown that also reads well on a terminal.

use std::fmt::Write as _;

use crate::measure::Measurement;
use crate::run::{Results, Row, Spread};
use crate::workload::{Processes, Workload};

/// One table for each workload.
pub(crate) fn table(results: &Results) -> String {
    let mut text = conditions(results);
    for workload in results.workloads() {
        section(&mut text, results, workload);
    }
    text
}

/// Under what conditions the figures came about, and what they are.
pub(super) fn conditions(results: &Results) -> String {
    format!("{}; median (min to max)\n", machine_and_rounds(results))
}

/// Where and for how long it was measured.
pub(super) fn machine_and_rounds(results: &Results) -> String {
    format!(
        "{}, {} cores, Linux {}; {} rounds of {} s",
        results.machine.processor,
        results.machine.cores,
        results.machine.kernel,
        results.rounds,
        results.seconds,
    )
}

/// The table of one workload, under its title.
pub(super) fn section(text: &mut String, results: &Results, workload: Workload) {
    let columns: Vec<Column> = Column::ALL
        .into_iter()
        .filter(|column| {
            results
                .of(workload)
                .any(|row| column.cell(results, row).is_some())
        })
        .collect();
    let header = columns.iter().map(|column| column.title(workload));
    let mut lines: Vec<Vec<String>> = vec![header.collect()];
    lines.extend(results.of(workload).map(|row| {
        let cells = columns.iter().map(|column| column.cell(results, row));
        cells.map(Option::unwrap_or_default).collect()
    }));
    // Writing to a string does not fail.
    let _ = write!(text, "\n### {}\n\n", workload.title());
    aligned(text, &lines);
}

/// A table whose columns are as wide as their widest cells, the first aligned to the left.
pub(super) fn aligned(text: &mut String, lines: &[Vec<String>]) {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    // Writing to a string does not fail.
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

/// What a table can show of a contender.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Column {
    Contender,
    Rate,
    Ratio,
    P50,
    P99,
    IdleMemory,
    UsedMemory,
    WakeUps,
    Size,
    ServerCpu,
    ClientCpu,
    ForeignLoad,
}

impl Column {
    const ALL: [Self; 12] = [
        Self::Contender,
        Self::Rate,
        Self::Ratio,
        Self::P50,
        Self::P99,
        Self::IdleMemory,
        Self::UsedMemory,
        Self::WakeUps,
        Self::Size,
        Self::ServerCpu,
        Self::ClientCpu,
        Self::ForeignLoad,
    ];

    fn title(self, workload: Workload) -> String {
        match self {
            Self::Contender => "contender".to_owned(),
            Self::Rate => workload.unit().to_owned(),
            Self::Ratio => format!("× {}", workload.baseline().name()),
            Self::P50 => "p50 µs".to_owned(),
            Self::P99 => "p99 µs".to_owned(),
            Self::IdleMemory => "KiB each, idle".to_owned(),
            Self::UsedMemory => "KiB each, used".to_owned(),
            Self::WakeUps => "wake-ups/s, idle".to_owned(),
            Self::Size => "MiB".to_owned(),
            Self::ServerCpu => "CPU server".to_owned(),
            Self::ClientCpu => "CPU client".to_owned(),
            Self::ForeignLoad => "foreign load".to_owned(),
        }
    }

    /// What stands in a row; `None` where the workload has no such figure.
    fn cell(self, results: &Results, row: &Row) -> Option<String> {
        const KIB: f64 = 1024.0;
        const MIB: f64 = 1024.0 * 1024.0;
        let rate = || row.spread(Measurement::rate);
        let microseconds = |spread| with_spread(spread, |time| format!("{time:.1}"));
        let kibibytes = |spread| with_spread(spread, |bytes| format!("{:.1}", bytes / KIB));
        let two_processes = row.workload.processes() == Processes::Two;
        match self {
            Self::Contender => Some(row.entry.to_string()),
            Self::Rate => Some(with_spread(rate(), short)),
            Self::Ratio => {
                let baseline = results.baseline(row.workload)?.spread(Measurement::rate);
                Some(format!("{:.2}", rate().median / baseline.median))
            }
            Self::P50 => row.latency(|latency| latency.p50).map(microseconds),
            Self::P99 => row.latency(|latency| latency.p99).map(microseconds),
            Self::IdleMemory => row
                .footprint(|footprint| footprint.idle_bytes)
                .map(kibibytes),
            Self::UsedMemory => row
                .footprint(|footprint| footprint.used_bytes)
                .map(kibibytes),
            Self::WakeUps => row
                .footprint(|footprint| footprint.wake_ups)
                .map(|spread| with_spread(spread, |number| format!("{number:.1}"))),
            Self::Size => row.size().map(|bytes| format!("{:.2}", bytes / MIB)),
            Self::ServerCpu => Some(per_operation(row, |one| one.server_cpu)),
            Self::ClientCpu => two_processes.then(|| per_operation(row, |one| one.client_cpu)),
            Self::ForeignLoad => Some(format!(
                "{:.2}",
                row.spread(Measurement::foreign_load).median
            )),
        }
    }
}

fn per_operation(row: &Row, seconds: fn(&Measurement) -> f64) -> String {
    let nanoseconds = |one: &Measurement| seconds(one) * 1e9 / one.operations.max(1) as f64;
    duration(row.spread(nanoseconds).median)
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
