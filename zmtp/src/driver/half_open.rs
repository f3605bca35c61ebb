//! Handshakes in progress on accepted connections, and who has to go when they are too many (L3).
//!
//! Somebody who opens connections and never speaks must not keep others out: one address gets a
//! share of the places, and the oldest handshake makes room for the newest.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use super::peer::{Peer, PeerId};
use super::sync::lock;

/// One address may hold half of all places.
const SHARE_DIVISOR: usize = 2;

/// The handshakes of all listeners of a socket.
#[derive(Debug)]
pub(crate) struct HalfOpen {
    entries: Mutex<VecDeque<Entry>>,
    max: usize,
}

/// Whether a handshake was among those in progress, or had to go before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    Yes,
    No,
}

#[derive(Debug)]
struct Entry {
    address: IpAddr,
    peer: Arc<Peer>,
}

impl HalfOpen {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            entries: Mutex::new(VecDeque::new()),
            max: max.max(1),
        }
    }

    /// Adds the handshake of `peer`, and ends the oldest one if there are too many: of the same
    /// address if that has more than its share, else of all.
    pub(crate) fn insert(&self, address: IpAddr, peer: Arc<Peer>) {
        let mut entries = lock(&self.entries);
        let share = (self.max / SHARE_DIVISOR).max(1);
        let same = entries.iter().filter(|e| e.address == address).count();
        let evicted = if same >= share {
            entries.iter().position(|e| e.address == address)
        } else if entries.len() >= self.max {
            Some(0)
        } else {
            None
        };
        let evicted = evicted.and_then(|index| entries.remove(index));
        entries.push_back(Entry { address, peer });
        // Before the lock is given back, so that nobody sees it listed nowhere and not closed.
        if let Some(evicted) = evicted {
            evicted.peer.outbox.close();
        }
    }

    /// Removes the handshake of a peer that has finished it or is gone.
    pub(crate) fn remove(&self, peer: PeerId) -> Listed {
        let mut entries = lock(&self.entries);
        match entries.iter().position(|entry| entry.peer.id == peer) {
            Some(index) => {
                entries.remove(index);
                Listed::Yes
            }
            None => Listed::No,
        }
    }

    /// Ends all handshakes.
    pub(crate) fn evict_all(&self) {
        let entries = std::mem::take(&mut *lock(&self.entries));
        for entry in entries {
            entry.peer.outbox.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::outbox::QueueLimits;
    use crate::driver::peer::Retention;

    fn peer(number: u64) -> Arc<Peer> {
        let limits = QueueLimits {
            messages: 1,
            bytes: 1,
        };
        let id = PeerId::new(number);
        Arc::new(Peer::new(id, Retention::Connection, limits, limits))
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn an_address_beyond_its_share_loses_its_own_oldest_handshake() {
        let half_open = HalfOpen::new(4);
        let peers: Vec<_> = (0..4).map(peer).collect();
        half_open.insert(address(9), Arc::clone(&peers[0]));
        for peer in &peers[1..] {
            half_open.insert(address(1), Arc::clone(peer));
        }
        let evicted: Vec<_> = peers.iter().map(|peer| peer.outbox.is_closed()).collect();
        assert_eq!(evicted, [false, true, false, false]);
    }

    #[test]
    fn the_oldest_handshake_of_all_makes_room() {
        let half_open = HalfOpen::new(2);
        let peers: Vec<_> = (0..3).map(peer).collect();
        for (last, peer) in (0..).zip(&peers) {
            half_open.insert(address(last), Arc::clone(peer));
        }
        let evicted: Vec<_> = peers.iter().map(|peer| peer.outbox.is_closed()).collect();
        assert_eq!(evicted, [true, false, false]);
    }

    #[test]
    fn a_finished_handshake_makes_room_for_another() {
        let half_open = HalfOpen::new(1);
        let (first, second) = (peer(1), peer(2));
        half_open.insert(address(1), Arc::clone(&first));
        half_open.remove(first.id);
        half_open.insert(address(1), second);
        assert!(!first.outbox.is_closed());
    }
}
