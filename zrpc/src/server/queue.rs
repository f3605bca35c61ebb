//! Calls that wait until their handlers may start.

use std::collections::BTreeMap;
use std::ops::Bound;

use proto::ChannelId;
use zmtp::PeerId;

/// Calls that wait for their turn, by the connection that they came from.
///
/// Connections are served in turn, and the calls of each in their order, so that whoever waits with
/// many calls does not hold up those who wait with one. A call whose caller is gone leaves at once.
#[derive(Debug)]
pub(super) struct Queue<P = PeerId, C = ChannelId> {
    lines: BTreeMap<P, BTreeMap<Number, C>>,
    /// The connection that was served last.
    served: Option<P>,
    next: Number,
}

/// The place of a call in the line of its connection.
type Number = u64;

/// Where a call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot<P = PeerId> {
    peer: P,
    number: Number,
}

impl<P: Copy + Ord, C> Queue<P, C> {
    pub(super) const fn new() -> Self {
        Self {
            lines: BTreeMap::new(),
            served: None,
            next: 0,
        }
    }

    /// Lets a call wait behind the others of its connection.
    pub(super) fn push(&mut self, peer: P, channel: C) -> Spot<P> {
        let number = self.next;
        self.next += 1;
        self.lines.entry(peer).or_default().insert(number, channel);
        Spot { peer, number }
    }

    /// Takes the first call of the connection whose turn it is.
    pub(super) fn pop(&mut self) -> Option<C> {
        let after = self.served.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.lines.range((after, Bound::Unbounded)).next();
        let (peer, _) = next.or_else(|| self.lines.first_key_value())?;
        let peer = *peer;
        self.served = Some(peer);
        let line = self.lines.get_mut(&peer)?;
        let (_, channel) = line.pop_first()?;
        if line.is_empty() {
            self.lines.remove(&peer);
        }
        Some(channel)
    }

    /// Takes a call out.
    pub(super) fn remove(&mut self, spot: Spot<P>) {
        if let Some(line) = self.lines.get_mut(&spot.peer) {
            line.remove(&spot.number);
            if line.is_empty() {
                self.lines.remove(&spot.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_served_in_turn_and_their_calls_in_order() {
        let mut queue = Queue::new();
        for call in ["a1", "a2", "a3", "b1", "c1", "c2"] {
            queue.push(call.as_bytes()[0], call);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "c2", "a3"]);
    }

    #[test]
    fn calls_that_leave_hold_nothing() {
        let mut queue = Queue::new();
        for number in 0..1000 {
            let spot = queue.push(number % 3, number);
            queue.remove(spot);
        }
        assert!(queue.lines.is_empty());
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn a_call_that_leaves_is_passed_over() {
        let mut queue = Queue::new();
        queue.push('a', 1);
        let spot = queue.push('a', 2);
        queue.push('a', 3);
        queue.remove(spot);
        // Leaving twice takes nobody else's place.
        queue.remove(spot);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [1, 3]);
    }
}
