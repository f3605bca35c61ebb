//! Handshakes in progress on accepted connections, and who has to go when they are too many (L3).
//!
//! Somebody who opens connections and never speaks must not keep others out: what one party can
//! open gets a share of the places, and the oldest handshake makes room for the newest. A connection
//! that was rejected stays for a moment, so that its peer learns why; it makes room before all others.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    places: Mutex<Places>,
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

/// Who is in a handshake. Ids are given in the order in which connections were accepted, so that the
/// lowest is the oldest, and nothing here is looked for: a flood must not cost more for each connection the
/// more there are.
#[derive(Debug, Default)]
struct Places {
    entries: BTreeMap<PeerId, Entry>,
    rejected: BTreeSet<PeerId>,
    /// Those with places.
    parties: HashMap<Share, Party>,
    /// All of them, the one that has most last.
    by_size: BTreeSet<Rank>,
}

/// How many places a party has, and who of it goes first: of several parties with as many places, that
/// of the one who came first is the largest.
type Rank = (usize, Reverse<PeerId>);

#[derive(Debug)]
struct Entry {
    share: Share,
    peer: Arc<Peer>,
}

/// The places of one party.
#[derive(Debug, Default)]
struct Party {
    /// They may still come in.
    in_progress: BTreeSet<PeerId>,
    /// They will not, and are told so.
    rejected: BTreeSet<PeerId>,
}

impl Party {
    fn len(&self) -> usize {
        self.in_progress.len() + self.rejected.len()
    }

    /// The oldest that was rejected, or else the oldest.
    fn first_to_go(&self) -> Option<PeerId> {
        let rejected = self.rejected.first();
        rejected.or_else(|| self.in_progress.first()).copied()
    }

    /// `None` where it has no places.
    fn rank(&self) -> Option<Rank> {
        let first = self.first_to_go()?;
        Some((self.len(), Reverse(first)))
    }
}

impl Places {
    fn insert(&mut self, share: Share, peer: Arc<Peer>) {
        self.change(share, |party| {
            party.in_progress.insert(peer.id);
        });
        self.entries.insert(peer.id, Entry { share, peer });
    }

    fn remove(&mut self, peer: PeerId) -> Option<Entry> {
        let entry = self.entries.remove(&peer)?;
        self.rejected.remove(&peer);
        self.change(entry.share, |party| {
            party.in_progress.remove(&peer);
            party.rejected.remove(&peer);
        });
        Some(entry)
    }

    fn reject(&mut self, peer: PeerId) {
        let Some(entry) = self.entries.get(&peer) else {
            return;
        };
        let share = entry.share;
        self.rejected.insert(peer);
        self.change(share, |party| {
            party.in_progress.remove(&peer);
            party.rejected.insert(peer);
        });
    }

    /// Changes the places of one party; it is listed while it has any.
    fn change(&mut self, share: Share, change: impl FnOnce(&mut Party)) {
        let party = self.parties.entry(share).or_default();
        if let Some(rank) = party.rank() {
            self.by_size.remove(&rank);
        }
        change(party);
        match party.rank() {
            Some(rank) => {
                self.by_size.insert(rank);
            }
            None => {
                self.parties.remove(&share);
            }
        }
    }

    /// The oldest that was rejected, or else the oldest.
    fn first_to_go(&self) -> Option<PeerId> {
        let rejected = self.rejected.first();
        rejected.or_else(|| self.entries.keys().next()).copied()
    }

    /// The oldest of the party that has most, and of several such of the one that came first.
    fn first_of_the_largest(&self) -> Option<PeerId> {
        let (_, Reverse(first)) = self.by_size.last()?;
        Some(*first)
    }
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
            places: Mutex::new(Places::default()),
            max: max.max(1),
        }
    }

    /// Adds the handshake of `peer`, and ends the oldest one if there are too many: of the same
    /// party if that has more than its share, else of all.
    pub(crate) fn insert(&self, share: Share, peer: Arc<Peer>) {
        let mut places = lock(&self.places);
        let max_share = (self.max / SHARE_DIVISOR).max(1);
        let party = places.parties.get(&share);
        let same = party.filter(|party| party.len() >= max_share);
        let evicted = match same {
            Some(party) => party.first_to_go(),
            None if places.entries.len() >= self.max => places.first_to_go(),
            None => None,
        };
        let evicted = evicted.and_then(|evicted| places.remove(evicted));
        places.insert(share, peer);
        // Before the lock is given back, so that nobody sees it listed nowhere and not closed.
        if let Some(evicted) = evicted {
            evicted.evict();
        }
    }

    /// Ends the oldest connection that was rejected, or else the oldest handshake of the party that
    /// has most of them, if there is any.
    pub(crate) fn evict_one(&self) -> Listed {
        let mut places = lock(&self.places);
        let rejected = places.rejected.first().copied();
        let first = rejected.or_else(|| places.first_of_the_largest());
        match first.and_then(|first| places.remove(first)) {
            Some(evicted) => {
                evicted.evict();
                Listed::Yes
            }
            None => Listed::No,
        }
    }

    /// Notes that the handshake of `peer` has failed: its place is the first to be given away.
    pub(crate) fn reject(&self, peer: PeerId) {
        lock(&self.places).reject(peer);
    }

    /// Whether the handshake of `peer` is listed.
    pub(crate) fn find(&self, peer: PeerId) -> Listed {
        if lock(&self.places).entries.contains_key(&peer) {
            Listed::Yes
        } else {
            Listed::No
        }
    }

    /// Removes the handshake of a peer that has come in or is gone.
    pub(crate) fn remove(&self, peer: PeerId) {
        lock(&self.places).remove(peer);
    }

    /// Ends all handshakes. Those that were rejected are told so.
    pub(crate) fn evict_all(&self) {
        let in_progress: Vec<_> = {
            let mut places = lock(&self.places);
            let all = places.entries.keys().copied();
            let going: Vec<_> = all.filter(|id| !places.rejected.contains(id)).collect();
            let going = going.into_iter();
            going.filter_map(|id| places.remove(id)).collect()
        };
        in_progress.into_iter().for_each(Entry::evict);
    }
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

    fn is_evicted(peer: &Arc<Peer>) -> bool {
        peer.dismissal() == Some(&DisconnectReason::Evicted)
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
        let evicted: Vec<_> = peers.iter().map(is_evicted).collect();
        assert_eq!(evicted, [false, true, false, false]);
    }

    #[test]
    fn the_oldest_handshake_of_all_makes_room() {
        let half_open = HalfOpen::new(2);
        let peers: Vec<_> = (0..3).map(peer).collect();
        for (last, peer) in (0..).zip(&peers) {
            half_open.insert(address(last), Arc::clone(peer));
        }
        let evicted: Vec<_> = peers.iter().map(is_evicted).collect();
        assert_eq!(evicted, [true, false, false]);
    }

    #[test]
    fn whoever_holds_most_makes_room_first() {
        let half_open = HalfOpen::new(8);
        let peers: Vec<_> = (0..4).map(peer).collect();
        for (last, peer) in [1, 2, 2, 3].into_iter().zip(&peers) {
            half_open.insert(address(last), Arc::clone(peer));
        }
        let evicted = || -> Vec<_> { peers.iter().map(is_evicted).collect() };
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
        let evicted = || -> Vec<_> { peers.iter().map(is_evicted).collect() };
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
    fn nothing_is_kept_of_those_that_have_gone() {
        let half_open = HalfOpen::new(4);
        for number in 0..100 {
            let last = u8::try_from(number % 10).unwrap();
            half_open.insert(address(last), peer(number));
            if number % 3 == 0 {
                half_open.reject(PeerId::new(number));
            }
            if number % 4 == 0 {
                half_open.remove(PeerId::new(number));
                assert_eq!(half_open.find(PeerId::new(number)), Listed::No);
            }
        }
        while half_open.evict_one() == Listed::Yes {}
        let places = lock(&half_open.places);
        assert!(places.entries.is_empty());
        assert!(places.rejected.is_empty());
        assert!(places.parties.is_empty());
        assert!(places.by_size.is_empty());
    }

    #[test]
    fn a_finished_handshake_makes_room_for_another() {
        let half_open = HalfOpen::new(1);
        let (first, second) = (peer(1), peer(2));
        half_open.insert(address(1), Arc::clone(&first));
        half_open.remove(first.id);
        half_open.insert(address(1), second);
        assert!(!is_evicted(&first));
    }
}
