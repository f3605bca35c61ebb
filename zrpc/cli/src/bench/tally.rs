//! What is measured.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// The numbers of one series of calls.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// How long answers took, in nanoseconds; of streams, all of them.
    pub(super) latency: Histogram<u64>,
    /// How long the first items of streams took, in nanoseconds.
    pub(super) first_item: Histogram<u64>,
    /// Items of streams.
    pub(super) items: u64,
    /// Failed calls by what happened to them.
    pub(super) failures: BTreeMap<String, u64>,
    /// How long the series took.
    pub(super) elapsed: Duration,
    /// Calls that nobody waited for any more.
    pub(super) unfinished: u64,
}

/// What became of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// There was one result.
    Answered {
        /// When it was there.
        after: Duration,
    },
    /// There was a stream.
    Streamed {
        /// When it was complete.
        after: Duration,
        /// When its first item was there.
        first: Option<Duration>,
        /// How many items it had.
        items: u64,
    },
    /// It failed.
    Failed {
        /// How.
        kind: String,
    },
}

impl Call {
    pub(super) fn answered(after: Duration) -> Self {
        Self::Answered { after }
    }

    pub(super) fn streamed(after: Duration, first: Option<Duration>, items: u64) -> Self {
        Self::Streamed {
            after,
            first,
            items,
        }
    }

    pub(super) fn failed(kind: String) -> Self {
        Self::Failed { kind }
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            latency: histogram(),
            first_item: histogram(),
            items: 0,
            failures: BTreeMap::new(),
            elapsed: Duration::ZERO,
            unfinished: 0,
        }
    }
}

impl Tally {
    pub(super) fn record(&mut self, call: Call) {
        match call {
            Call::Answered { after } => self.latency.saturating_record(nanoseconds(after)),
            Call::Streamed {
                after,
                first,
                items,
            } => {
                self.latency.saturating_record(nanoseconds(after));
                self.items += items;
                if let Some(first) = first {
                    self.first_item.saturating_record(nanoseconds(first));
                }
            }
            Call::Failed { kind } => {
                let is_known = self.failures.contains_key(&kind);
                let kind = match is_known || self.failures.len() < MAX_KINDS {
                    true => kind,
                    false => OTHER.to_owned(),
                };
                *self.failures.entry(kind).or_default() += 1;
            }
        }
    }

    /// Calls that have ended, one way or the other.
    pub(super) fn calls(&self) -> u64 {
        self.latency.len() + self.failed()
    }

    /// Calls that have failed.
    pub(super) fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("two constants that fit together")
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Names of errors come from the server, who may make up any number of them.
const MAX_KINDS: usize = 64;

/// What failures are counted as when there are too many names.
const OTHER: &str = "(others)";

/// A day, in nanoseconds: what took longer counts as that.
const LONGEST: u64 = 24 * 60 * 60 * 1_000_000_000;

/// Significant decimal digits of a measured time.
const DIGITS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_what_became_of_them() {
        let mut tally = Tally::default();
        let after = Duration::from_millis(2);
        tally.record(Call::answered(after));
        tally.record(Call::streamed(after, Some(after / 2), 7));
        tally.record(Call::failed("E".to_owned()));
        tally.record(Call::failed("E".to_owned()));
        assert_eq!((tally.calls(), tally.failed(), tally.items), (4, 2, 7));
        assert_eq!((tally.latency.len(), tally.first_item.len()), (2, 1));
        assert_eq!(tally.failures.get("E"), Some(&2));
    }

    #[test]
    fn a_server_cannot_make_up_names_without_end() {
        let mut tally = Tally::default();
        for number in 0..1000 {
            tally.record(Call::failed(number.to_string()));
        }
        assert_eq!(tally.failures.len(), MAX_KINDS + 1);
        assert_eq!(tally.failed(), 1000);
    }
}
