//! The connections that the I/O task believes to be there.

use std::collections::HashMap;
use std::sync::Arc;

use zmtp::PeerId;
use zmtp::session::PeerInfo;

use super::driver::Load;

/// The connections of a socket, as its monitor told of them.
///
/// A connection that ended is *departed* for a while: messages that it brought may still be unread,
/// and the answers among them are worth having.
#[derive(Debug, Default)]
pub(super) struct Connections {
    connected: HashMap<PeerId, Arc<PeerInfo>>,
    departed: Vec<Departed>,
}

#[derive(Debug)]
struct Departed {
    peer: PeerId,
    /// Who it was, for the calls that it has brought.
    info: Option<Arc<PeerInfo>>,
    /// For how many more turns it is waited for.
    turns: u32,
}

/// What a new connection means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It was known already.
    Known,
    New,
    /// The peer was here before, and what was open then is lost.
    Again,
}

/// What a departure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    Known,
    New,
}

/// How many turns the last messages of a connection may take to be read. A turn reads a few hundred
/// messages, so only a socket that never comes to rest gets this far.
const TURNS: u32 = 32;

impl Connections {
    /// A connection is there.
    pub(super) fn arrive(&mut self, peer: PeerId, info: Arc<PeerInfo>) -> Arrival {
        let departed = self.departed.iter().position(|gone| gone.peer == peer);
        let former = self.connected.insert(peer, Arc::clone(&info));
        if let Some(position) = departed {
            self.departed.swap_remove(position);
            return Arrival::Again;
        }
        match former {
            None => Arrival::New,
            Some(former) if Arc::ptr_eq(&former, &info) => Arrival::Known,
            Some(_) => Arrival::Again,
        }
    }

    /// A connection is gone, but for what it brought.
    pub(super) fn depart(&mut self, peer: PeerId) -> Departure {
        let info = self.connected.remove(&peer);
        if self.departed.iter().any(|gone| gone.peer == peer) {
            return Departure::Known;
        }
        self.departed.push(Departed {
            peer,
            info,
            turns: TURNS,
        });
        Departure::New
    }

    /// Forgets the departed connections whose messages have been read, after a turn that left
    /// `unread` messages, and those that took too long.
    pub(super) fn forget(&mut self, unread: Load) -> Vec<PeerId> {
        let mut forgotten = Vec::new();
        self.departed.retain_mut(|gone| {
            gone.turns = gone.turns.saturating_sub(1);
            let stays = unread == Load::Busy && gone.turns > 0;
            if !stays {
                forgotten.push(gone.peer);
            }
            stays
        });
        forgotten
    }

    /// Returns who a peer is, or was, that is here or has just left.
    pub(super) fn info(&self, peer: PeerId) -> Option<&Arc<PeerInfo>> {
        self.connected.get(&peer).or_else(|| {
            let departed = self.departed.iter().find(|gone| gone.peer == peer);
            departed.and_then(|gone| gone.info.as_ref())
        })
    }

    /// Returns whether the peer is here, or has just left.
    pub(super) fn knows(&self, peer: PeerId) -> bool {
        self.connected.contains_key(&peer) || self.departed.iter().any(|gone| gone.peer == peer)
    }

    /// Returns the connections that are gone, or were replaced, judged by those that there are.
    pub(super) fn stale(&self, present: &HashMap<PeerId, Arc<PeerInfo>>) -> Vec<PeerId> {
        let stale = self.connected.iter().filter(|(peer, info)| {
            let now = present.get(peer);
            now.is_none_or(|now| !Arc::ptr_eq(now, info))
        });
        stale.map(|(peer, _)| *peer).collect()
    }
}

#[cfg(test)]
mod tests {
    use zmtp::{DealerSocket, RouterSocket, Socket};

    use super::*;

    /// Connects a socket to two others, for ids and infos that are real.
    async fn connected() -> (Vec<(PeerId, Arc<PeerInfo>)>, impl Sized) {
        let dealer = DealerSocket::new();
        let mut monitor = dealer.monitor();
        let routers = [RouterSocket::new(), RouterSocket::new()];
        for router in &routers {
            let endpoint = router.bind("tcp://127.0.0.1:*").await.unwrap();
            dealer.connect(endpoint).await.unwrap();
        }
        let mut peers = Vec::new();
        while peers.len() < routers.len() {
            if let Some(zmtp::SocketEvent::HandshakeSucceeded { peer, info }) = monitor.recv().await
            {
                peers.push((peer, info));
            }
        }
        (peers, (dealer, routers))
    }

    fn another(info: &Arc<PeerInfo>) -> Arc<PeerInfo> {
        Arc::new(PeerInfo::clone(info))
    }

    #[tokio::test]
    async fn a_departed_peer_is_forgotten_when_all_was_read_or_after_some_turns() {
        let (peers, _sockets) = connected().await;
        let mut connections = Connections::default();
        let (peer, info) = &peers[0];
        assert_eq!(connections.arrive(*peer, Arc::clone(info)), Arrival::New);
        assert_eq!(connections.depart(*peer), Departure::New);
        let remembered = connections.info(*peer).unwrap();
        assert!(Arc::ptr_eq(remembered, info));
        assert_eq!(connections.depart(*peer), Departure::Known);
        assert_eq!(connections.forget(Load::Busy), []);
        assert!(connections.knows(*peer));
        assert_eq!(connections.forget(Load::Idle), [*peer]);
        assert!(!connections.knows(*peer));
        connections.depart(*peer);
        let turns = (1..).find(|_| connections.forget(Load::Busy) == [*peer]);
        assert_eq!(turns, Some(TURNS));
    }

    #[tokio::test]
    async fn a_peer_that_comes_back_is_not_the_one_that_was_there() {
        let (peers, _sockets) = connected().await;
        let mut connections = Connections::default();
        let (peer, info) = &peers[0];
        connections.arrive(*peer, Arc::clone(info));
        assert_eq!(connections.arrive(*peer, Arc::clone(info)), Arrival::Known);
        assert_eq!(connections.arrive(*peer, another(info)), Arrival::Again);
        connections.depart(*peer);
        assert_eq!(connections.arrive(*peer, another(info)), Arrival::Again);
        assert_eq!(connections.forget(Load::Idle), []);
    }

    #[tokio::test]
    async fn what_was_missed_is_found_by_looking() {
        let (peers, _sockets) = connected().await;
        let mut connections = Connections::default();
        for (peer, info) in &peers {
            connections.arrive(*peer, Arc::clone(info));
        }
        let mut present: HashMap<_, _> = peers.iter().cloned().collect();
        assert_eq!(connections.stale(&present), []);
        let (peer, info) = &peers[0];
        present.insert(*peer, another(info));
        assert_eq!(connections.stale(&present), [*peer]);
        present.remove(peer);
        assert_eq!(connections.stale(&present), [*peer]);
    }
}
