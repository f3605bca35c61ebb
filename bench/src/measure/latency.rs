//! How long single operations took.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Meter;

/// The samples of one window.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    nanoseconds: Vec<u64>,
}

impl Latencies {
    /// The beginning of an operation; `None` during the warm-up.
    pub(crate) fn start(meter: &Meter) -> Option<Instant> {
        meter.in_window().then(Instant::now)
    }

    /// The end of an operation that [`Self::start`] began.
    pub(crate) fn stop(&mut self, start: Option<Instant>) {
        if let Some(start) = start {
            self.record(start.elapsed());
        }
    }

    fn record(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.push(nanoseconds);
    }

    /// The percentiles that the table shows.
    pub(crate) fn summary(mut self) -> Option<Latency> {
        self.nanoseconds.sort_unstable();
        Some(Latency {
            p50: self.percentile(50)?,
            p99: self.percentile(99)?,
        })
    }

    /// The smallest sample that is not smaller than `percent` of all; `None` without samples.
    fn percentile(&self, percent: usize) -> Option<u64> {
        let rank = (self.nanoseconds.len() * percent).div_ceil(100);
        self.nanoseconds.get(rank.checked_sub(1)?).copied()
    }
}

/// Percentiles in nanoseconds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: u64,
    pub(crate) p99: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let mut latencies = Latencies::default();
        for nanoseconds in (1..=200).rev() {
            latencies.record(Duration::from_nanos(nanoseconds));
        }
        let summary = latencies.summary().unwrap();
        assert_eq!((summary.p50, summary.p99), (100, 198));
    }

    #[test]
    fn no_samples_have_no_percentiles() {
        assert!(Latencies::default().summary().is_none());
    }
}
