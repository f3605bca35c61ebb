//! Handshakes in progress on accepted connections, and who has to go when they are too many (L3).
//!
//! Somebody who opens connections and never speaks must not keep others out: what one party can
//! open gets a share of the places, and the oldest handshake makes room for the newest. A connection
//! that was rejected stays for a moment, so that its peer learns why; it makes room before all others.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::monitor::DisconnectReason;
use super::peer::{Peer, PeerId};
use super::sync::{Mutex, lock};
use crate::endpoint::PeerAddress;

/// One party may hold half of all places.
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

/// What counts as one party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Share {
    /// A host with an IPv4 address.
    Ipv4(Ipv4Addr),
    /// A network of IPv6, whose hosts choose the other half of their addresses as they like.
    Ipv6Network(u64),
    /// A user of this machine.
    User(u32),
    /// Somebody on this machine.
    Local,
}

impl Share {
    pub(crate) fn of(address: &PeerAddress) -> Self {
        if let Some(credentials) = address.credentials() {
            return Self::User(credentials.user_id);
        }
        match address.ip().map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(address)) => Self::Ipv4(address),
            Some(IpAddr::V6(address)) => Self::Ipv6Network((address.to_bits() >> 64) as u64),
            None => Self::Local,
        }
    }
}

#[derive(Debug)]
struct Entry {
    share: Share,
    peer: Arc<Peer>,
    state: EntryState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EntryState {
    /// It may still come in.
    InProgress,
    /// It will not, and is told so.
    Rejected,
}

impl Entry {
    /// Ends the connection at once.
    fn evict(self) {
        self.peer.dismiss(DisconnectReason::Evicted);
    }
}

impl HalfOpen {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            entries: Mutex::new(VecDeque::new()),
            max: max.max(1),
        }
    }

    /// Adds the handshake of `peer`, and ends the oldest one if there are too many: of the same
    /// party if that has more than its share, else of all.
    pub(crate) fn insert(&self, share: Share, peer: Arc<Peer>) {
        let mut entries = lock(&self.entries);
        let max_share = (self.max / SHARE_DIVISOR).max(1);
        let same = entries.iter().filter(|e| e.share == share).count();
        let evicted = if same >= max_share {
            first_to_go(&entries, |entry| entry.share == share)
        } else if entries.len() >= self.max {
            first_to_go(&entries, |_| true)
        } else {
            None
        };
        let evicted = evicted.and_then(|index| entries.remove(index));
        entries.push_back(Entry {
            share,
            peer,
            state: EntryState::InProgress,
        });
        // Before the lock is given back, so that nobody sees it listed nowhere and not closed.
        if let Some(evicted) = evicted {
            evicted.evict();
        }
    }

    /// Ends the oldest connection that was rejected, or else the oldest handshake of the party that
    /// has most of them, if there is any.
    pub(crate) fn evict_one(&self) -> Listed {
        let mut entries = lock(&self.entries);
        let mut counts = HashMap::new();
        for entry in &*entries {
            *counts.entry(entry.share).or_insert(0_usize) += 1;
        }
        let most = counts.values().max();
        let index = entries
            .iter()
            .position(|entry| entry.state == EntryState::Rejected)
            .or_else(|| first_to_go(&entries, |entry| counts.get(&entry.share) == most));
        match index.and_then(|index| entries.remove(index)) {
            Some(evicted) => {
                evicted.evict();
                Listed::Yes
            }
            None => Listed::No,
        }
    }

    /// Notes that the handshake of `peer` has failed: its place is the first to be given away.
    pub(crate) fn reject(&self, peer: PeerId) {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.iter_mut().find(|entry| entry.peer.id == peer) {
            entry.state = EntryState::Rejected;
        }
    }

    /// Whether the handshake of `peer` is listed.
    pub(crate) fn find(&self, peer: PeerId) -> Listed {
        let entries = lock(&self.entries);
        if entries.iter().any(|entry| entry.peer.id == peer) {
            Listed::Yes
        } else {
            Listed::No
        }
    }

    /// Removes the handshake of a peer that has come in or is gone.
    pub(crate) fn remove(&self, peer: PeerId) {
        lock(&self.entries).retain(|entry| entry.peer.id != peer);
    }

    /// Ends all handshakes. Those that were rejected are told so.
    pub(crate) fn evict_all(&self) {
        let in_progress: Vec<_> = {
            let mut entries = lock(&self.entries);
            let all = std::mem::take(&mut *entries);
            let (rejected, in_progress) = all
                .into_iter()
                .partition::<VecDeque<_>, _>(|entry| entry.state == EntryState::Rejected);
            *entries = rejected;
            in_progress.into()
        };
        in_progress.into_iter().for_each(Entry::evict);
    }
}

/// Of those that `may_go` the oldest that was rejected, or else the oldest.
fn first_to_go(entries: &VecDeque<Entry>, may_go: impl Fn(&Entry) -> bool) -> Option<usize> {
    entries
        .iter()
        .position(|entry| entry.state == EntryState::Rejected && may_go(entry))
        .or_else(|| entries.iter().position(may_go))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::peer::Retention;
    use crate::driver::queue_limits::{PeerLimits, QueueLimits};
    use crate::endpoint::{IpcName, IpcPeer, PeerCredentials};

    fn peer(number: u64) -> Arc<Peer> {
        let limits = QueueLimits {
            messages: 1,
            bytes: 1,
        };
        let limits = PeerLimits {
            send: limits,
            receive: limits,
        };
        let id = PeerId::new(number);
        Arc::new(Peer::new(id, Retention::Connection, limits, Arc::default()))
    }

    fn tcp(ip: impl Into<IpAddr>) -> Share {
        Share::of(&PeerAddress::Tcp((ip.into(), 5555).into()))
    }

    fn address(last: u8) -> Share {
        tcp([192, 0, 2, last])
    }

    #[test]
    fn what_one_party_can_open_is_one_share() {
        let user = |user_id, process_id| {
            let credentials = PeerCredentials::new(user_id, 1, Some(process_id));
            let peer = IpcPeer::new(IpcName::Unnamed, Some(credentials));
            Share::of(&peer.into())
        };
        assert_eq!(user(1, 1), user(1, 2));
        assert_ne!(user(1, 1), user(2, 1));
        let ipv6 = |third, last| tcp([0x2001, 0xdb8, third, 0, 0, 0, 0, last]);
        assert_eq!(ipv6(1, 1), ipv6(1, 2));
        assert_ne!(ipv6(1, 1), ipv6(2, 1));
        let mapped = Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped();
        assert_eq!(tcp(mapped), address(1));
        assert_ne!(address(1), address(2));
    }

    #[test]
    fn a_party_beyond_its_share_loses_its_own_oldest_handshake() {
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
    fn whoever_holds_most_makes_room_first() {
        let half_open = HalfOpen::new(8);
        let peers: Vec<_> = (0..4).map(peer).collect();
        for (last, peer) in [1, 2, 2, 3].into_iter().zip(&peers) {
            half_open.insert(address(last), Arc::clone(peer));
        }
        let evicted = || -> Vec<_> { peers.iter().map(|peer| peer.outbox.is_closed()).collect() };
        assert_eq!(half_open.evict_one(), Listed::Yes);
        assert_eq!(evicted(), [false, true, false, false]);
        assert_eq!(half_open.evict_one(), Listed::Yes);
        assert_eq!(evicted(), [true, true, false, false]);
        half_open.evict_all();
        assert_eq!(half_open.evict_one(), Listed::No);
    }

    #[test]
    fn what_was_rejected_makes_room_before_a_handshake() {
        let half_open = HalfOpen::new(4);
        let peers: Vec<_> = (0..4).map(peer).collect();
        for (last, peer) in [1, 1, 2].into_iter().zip(&peers) {
            half_open.insert(address(last), Arc::clone(peer));
        }
        let evicted = || -> Vec<_> { peers.iter().map(|peer| peer.outbox.is_closed()).collect() };
        half_open.reject(peers[1].id);
        half_open.insert(address(1), Arc::clone(&peers[3]));
        assert_eq!(evicted(), [false, true, false, false]);
        half_open.reject(peers[2].id);
        assert_eq!(half_open.evict_one(), Listed::Yes);
        assert_eq!(evicted(), [false, true, true, false]);
        half_open.reject(peers[3].id);
        // What it has to say still goes out when the socket closes.
        half_open.evict_all();
        assert_eq!(evicted(), [true, true, true, false]);
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
