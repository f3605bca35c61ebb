//! Streams whose items have to come in time.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use proto::ChannelId;

/// The streams whose callers wait for an item, and for how long they do.
///
/// It is empty, and costs nothing, unless callers ask for it.
#[derive(Debug)]
pub(super) struct ItemWatches<C = ChannelId> {
    expiries: HashMap<C, Instant>,
    /// No later than the first of them.
    deadline: Option<Instant>,
}

impl<C: Copy + Eq + Hash> ItemWatches<C> {
    pub(super) fn new() -> Self {
        Self {
            expiries: HashMap::new(),
            deadline: None,
        }
    }

    /// A caller waits since then for an item, or for the end of its stream.
    pub(super) fn begin(&mut self, stream: C, since: Instant, timeout: Duration) {
        // What no clock reaches is never over.
        let Some(expiry) = since.checked_add(timeout) else {
            return;
        };
        self.expiries.insert(stream, expiry);
        self.deadline = Some(self.deadline.map_or(expiry, |first| first.min(expiry)));
    }

    /// Something has come, or nobody waits any more.
    pub(super) fn end(&mut self, stream: C) {
        if !self.expiries.is_empty() {
            self.expiries.remove(&stream);
        }
    }

    /// Takes out those that have waited too long.
    pub(super) fn take_expired(&mut self, now: Instant) -> Vec<C> {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return Vec::new();
        }
        let expired = self.expiries.extract_if(|_, expiry| *expiry <= now);
        let expired = expired.map(|(stream, _)| stream).collect();
        self.deadline = self.expiries.values().min().copied();
        expired
    }

    /// Returns when to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn whoever_waits_too_long_is_found_once() {
        let now = Instant::now();
        let mut watches = ItemWatches::new();
        assert_eq!(watches.deadline(), None);
        watches.begin('a', now, SECOND);
        watches.begin('b', now, 3 * SECOND);
        assert_eq!(watches.deadline(), Some(now + SECOND));
        assert_eq!(watches.take_expired(now), []);
        assert_eq!(watches.take_expired(now + SECOND), ['a']);
        assert_eq!(watches.take_expired(now + SECOND), []);
        assert_eq!(watches.deadline(), Some(now + 3 * SECOND));
    }

    #[test]
    fn an_item_ends_the_wait_and_the_next_begins_anew() {
        let now = Instant::now();
        let mut watches = ItemWatches::new();
        watches.begin('a', now, SECOND);
        watches.end('a');
        watches.begin('a', now + SECOND, SECOND);
        assert_eq!(watches.take_expired(now + SECOND), []);
        assert_eq!(watches.take_expired(now + 2 * SECOND), ['a']);
        assert_eq!(watches.deadline(), None);
    }

    #[test]
    fn a_time_that_no_clock_reaches_is_never_over() {
        let mut watches = ItemWatches::new();
        watches.begin('a', Instant::now(), Duration::MAX);
        assert_eq!(watches.deadline(), None);
    }
}
