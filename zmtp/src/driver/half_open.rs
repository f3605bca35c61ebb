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
        drop(entries);
        if let Some(evicted) = evicted {
            evicted.peer.outbox.close();
        }
    }

    /// Removes the handshake of a peer that has finished it or is gone.
    pub(crate) fn remove(&self, peer: PeerId) {
        let mut entries = lock(&self.entries);
        if let Some(index) = entries.iter().position(|entry| entry.peer.id == peer) {
            entries.remove(index);
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
