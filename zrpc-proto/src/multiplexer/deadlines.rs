//! The deadlines of all channels in one heap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::ChannelId;
use super::capacity::is_oversized;

/// Deadlines, earliest first.
///
/// Nothing is removed when a channel ends: its entry turns stale and is dropped when its time
/// comes, or when the stale ones outnumber the others. A call that ends before its first heartbeat
/// so costs one push, which is cheap because deadlines mostly come in order.
#[derive(Debug)]
pub(super) struct Deadlines {
    heap: BinaryHeap<Reverse<(Instant, ChannelId)>>,
}

/// How many stale entries are not worth a sweep.
const SLACK: usize = 1024;

impl Deadlines {
    pub(super) const fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
        }
    }

    pub(super) fn push(&mut self, at: Instant, channel: ChannelId) {
        self.heap.push(Reverse((at, channel)));
    }

    /// Returns the earliest entry that is due.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Instant, ChannelId)> {
        let due = self.heap.peek().is_some_and(|Reverse((at, _))| *at <= now);
        if !due {
            return None;
        }
        let entry = self.heap.pop().map(|Reverse(entry)| entry);
        self.give_back();
        entry
    }

    /// Returns the time of the earliest entry, stale or not.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Returns how many entries there are, stale ones included.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.heap.len()
    }

    /// Drops stale entries if they are the most.
    pub(super) fn sweep(
        &mut self,
        live: usize,
        mut is_live: impl FnMut(Instant, ChannelId) -> bool,
    ) {
        if self.heap.len() > live.saturating_mul(2).saturating_add(SLACK) {
            self.heap
                .retain(|Reverse((at, channel))| is_live(*at, *channel));
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if is_oversized(self.heap.capacity(), self.heap.len()) {
            self.heap.shrink_to(self.heap.len().saturating_mul(2));
        }
    }

    /// Returns how many entries there is room for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.heap.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "the origin of virtual time")]
    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn stale_deadlines_are_swept_once_they_are_more_than_the_live_ones_and_some() {
        let (mut deadlines, now) = (Deadlines::new(), now());
        let channel = |index| ChannelId {
            index,
            generation: 0,
        };
        let live = 100;
        let kept = 2 * live + SLACK;
        for index in (0..).take(kept) {
            deadlines.push(now, channel(index));
        }
        let is_live = |_, id: ChannelId| id.number() < live;
        deadlines.sweep(live, is_live);
        assert_eq!(deadlines.count(), kept, "not yet worth a sweep");
        deadlines.push(now, channel(u32::MAX));
        deadlines.push(now, channel(u32::MAX));
        deadlines.sweep(live, is_live);
        assert_eq!(deadlines.count(), live);
        assert_eq!(deadlines.pop_due(now), Some((now, channel(0))));
    }
}
