//! The end of a server that is waited for, but not for ever.

use std::collections::BTreeMap;
use std::time::Instant;

use tokio::sync::oneshot;

/// What became of the calls of a server that was drained.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// How many calls of each method were cut off: their handlers had not finished in time, or their
    /// callers had not taken all items of a stream.
    pub cut: BTreeMap<String, usize>,
}

impl Drained {
    /// Returns how many calls were cut off.
    pub fn cut_count(&self) -> usize {
        self.cut.values().sum()
    }

    /// Returns whether every call got its answer from its handler, and nothing was cut off. Answers
    /// that could not be sent within [`ServerBuilder::linger`](crate::ServerBuilder::linger), because
    /// their callers do not read, are not known of here.
    pub fn is_complete(&self) -> bool {
        self.cut.is_empty()
    }
}

/// Those who wait for the end of a server, and until when.
#[derive(Debug, Default)]
pub(super) struct Drains {
    waiting: Vec<Drain>,
}

/// Somebody who waits for the end of a server. `None` waits for as long as it takes.
#[derive(Debug)]
pub(super) struct Drain {
    pub(super) until: Option<Instant>,
    pub(super) report: oneshot::Sender<Drained>,
}

impl Drains {
    pub(super) fn add(&mut self, drain: Drain) {
        self.waiting.push(drain);
    }

    /// Returns when the first of them loses patience.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().filter_map(|drain| drain.until).min()
    }

    /// Tells all of them that it is over, and which calls were cut off.
    pub(super) fn finish<'a>(&mut self, cut: impl Iterator<Item = &'a str>) {
        if self.waiting.is_empty() {
            return;
        }
        let mut drained = Drained::default();
        for method in cut {
            *drained.cut.entry(method.to_owned()).or_default() += 1;
        }
        for drain in self.waiting.drain(..) {
            // Whoever has stopped to wait does not want to know.
            let _ = drain.report.send(drained.clone());
        }
    }
}
