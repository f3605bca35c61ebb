//! All measurements of a run.

use std::fs;

use serde::Serialize;

use super::{Cell, Selection};
use crate::cli::Options;
use crate::contender::Entry;
use crate::measure::{Footprint, Latency, Measurement};
use crate::workload::Workload;

/// The measurements, and where they come from.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) seconds: f64,
    pub(crate) rounds: usize,
    rows: Vec<Row>,
}

/// The measurements of one contender on one workload, a round each.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) workload: Workload,
    pub(crate) entry: Entry,
    pub(crate) measurements: Vec<Measurement>,
}

/// A median and what lies around it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// What the figures depend on.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
}

impl Results {
    pub(super) fn new(selection: &Selection, options: &Options) -> Self {
        Self {
            machine: Machine::this(),
            seconds: options.seconds.as_secs_f64(),
            rounds: options.rounds,
            rows: selection
                .cells()
                .iter()
                .map(|cell| Row {
                    workload: cell.workload,
                    entry: cell.entry,
                    measurements: Vec::new(),
                })
                .collect(),
        }
    }

    pub(super) fn add(&mut self, cell: &Cell, measurement: Measurement) {
        let row = self
            .rows
            .iter_mut()
            .find(|row| row.workload == cell.workload && row.entry == cell.entry);
        if let Some(row) = row {
            row.measurements.push(measurement);
        }
    }

    /// The workloads that have figures.
    pub(crate) fn workloads(&self) -> impl Iterator<Item = Workload> {
        Workload::ALL
            .into_iter()
            .filter(|workload| self.of(*workload).next().is_some())
    }

    /// The contenders that have figures for a workload.
    pub(crate) fn of(&self, workload: Workload) -> impl Iterator<Item = &Row> {
        self.rows
            .iter()
            .filter(move |row| row.workload == workload && !row.measurements.is_empty())
    }

    /// Whom the others are compared with.
    pub(crate) fn baseline(&self, workload: Workload) -> Option<&Row> {
        self.of(workload)
            .find(|row| row.entry.contender == workload.baseline())
    }
}

impl Row {
    /// Of one figure, over the rounds.
    pub(crate) fn spread(&self, figure: impl Fn(&Measurement) -> f64) -> Spread {
        let mut values: Vec<f64> = self.measurements.iter().map(figure).collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Spread {
            median: f64::midpoint(at(last / 2), at(last.div_ceil(2))),
            min: at(0),
            max: at(last),
        }
    }

    /// Of a percentile in microseconds, where there is one.
    pub(crate) fn latency(&self, percentile: impl Fn(&Latency) -> u64) -> Option<Spread> {
        self.optional(|measurement| {
            let latency = measurement.latency.as_ref()?;
            Some(percentile(latency) as f64 / 1e3)
        })
    }

    /// Of what connections cost, where they are held.
    pub(crate) fn footprint(&self, figure: impl Fn(&Footprint) -> f64) -> Option<Spread> {
        self.optional(|measurement| measurement.footprint.as_ref().map(&figure))
    }

    /// The length of the program in bytes, where it is measured.
    pub(crate) fn size(&self) -> Option<f64> {
        let size = self.optional(|measurement| measurement.size.map(|size| size as f64))?;
        Some(size.median)
    }

    fn optional(&self, figure: impl Fn(&Measurement) -> Option<f64>) -> Option<Spread> {
        let spread = self.spread(|measurement| figure(measurement).unwrap_or(f64::NAN));
        spread.median.is_finite().then_some(spread)
    }
}

impl Machine {
    fn this() -> Self {
        let processor = fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|text| {
                let line = text.lines().find(|line| line.starts_with("model name"))?;
                Some(line.split_once(':')?.1.trim().to_owned())
            })
            .unwrap_or_else(|| "unknown".to_owned());
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")
            .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned());
        Self {
            processor,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contender::Contender;

    fn row(operations: &[u64]) -> Row {
        Row {
            workload: Workload::RpcStream,
            entry: Entry {
                contender: Contender::Raw,
                runtime: None,
            },
            measurements: operations
                .iter()
                .map(|operations| Measurement {
                    operations: *operations,
                    seconds: 1.0,
                    server_cpu: 0.0,
                    client_cpu: 0.0,
                    foreign_cpu: 0.0,
                    latency: None,
                    footprint: None,
                    size: None,
                })
                .collect(),
        }
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        let odd = row(&[5, 1, 3]).spread(Measurement::rate);
        assert_eq!((odd.median, odd.min, odd.max), (3.0, 1.0, 5.0));
        let even = row(&[1, 2, 4, 5]).spread(Measurement::rate);
        assert_eq!(even.median, 3.0);
    }

    #[test]
    fn without_latencies_there_is_no_percentile() {
        assert!(row(&[1]).latency(|latency| latency.p50).is_none());
    }
}
