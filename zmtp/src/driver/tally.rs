//! Where a socket and its peers count what they do (L3).
//!
//! Each peer counts for itself and for its socket, so that nothing is lost with a peer. What flows is
//! counted once for a batch, and only what is dropped, message by message.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::counters::{DropReason, Drops, PeerCounters, Queued, SocketCounters, Traffic};
use super::monitor::SocketEvent;

/// The numbers of one peer, or of one socket.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    sent: Direction,
    received: Direction,
    dropped: [AtomicU64; DropReason::ALL.len()],
    /// Handshakes that were finished.
    handshakes: AtomicU64,
    reconnects: AtomicU64,
    /// The socket of a peer.
    socket: Option<Arc<Self>>,
}

#[derive(Debug, Default)]
struct Direction {
    messages: AtomicU64,
    octets: AtomicU64,
}

impl Tally {
    /// The tally of one peer of a socket.
    pub(crate) fn of_peer(socket: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self {
            socket: Some(Arc::clone(socket)),
            ..Self::default()
        })
    }

    /// Counts messages that were sent.
    pub(crate) fn count_sent_messages(&self, messages: usize) {
        self.add(messages, |tally| &tally.sent.messages);
    }

    /// Counts octets that were sent.
    pub(crate) fn count_sent_octets(&self, octets: usize) {
        self.add(octets, |tally| &tally.sent.octets);
    }

    /// Counts messages that were received.
    pub(crate) fn count_received_messages(&self, messages: usize) {
        self.add(messages, |tally| &tally.received.messages);
    }

    /// Counts octets that were received.
    pub(crate) fn count_received_octets(&self, octets: usize) {
        self.add(octets, |tally| &tally.received.octets);
    }

    /// Counts messages that came to nothing.
    pub(crate) fn count_dropped(&self, reason: DropReason, messages: usize) {
        self.add(messages, |tally| &tally.dropped[reason.index()]);
    }

    /// How many messages came to nothing for this reason.
    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason.index()].load(Ordering::Relaxed)
    }

    /// Counts a handshake with the peer.
    pub(crate) fn count_handshake(&self) {
        let before = self.handshakes.fetch_add(1, Ordering::Relaxed);
        if before > 0 {
            self.add(1, |tally| &tally.reconnects);
        }
    }

    /// What a peer has done, which has `queued` so many messages.
    pub(crate) fn peer(&self, queued: Queued) -> PeerCounters {
        PeerCounters {
            sent: self.sent.read(),
            received: self.received.read(),
            queued,
            dropped: self.drops(),
            subscriptions: 0,
            reconnects: self.reconnects.load(Ordering::Relaxed),
        }
    }

    /// What a socket has done, of which `queued` messages wait with `peers` peers.
    pub(crate) fn socket(
        &self,
        occurrences: &Occurrences,
        queued: Queued,
        peers: usize,
    ) -> SocketCounters {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        SocketCounters {
            sent: self.sent.read(),
            received: self.received.read(),
            queued,
            dropped: self.drops(),
            subscriptions: 0,
            peers,
            accepted: read(&occurrences.accepted),
            refused: read(&occurrences.refused),
            connected: read(&occurrences.connected),
            connects_failed: read(&occurrences.connects_failed),
            handshakes_failed: read(&occurrences.handshakes_failed),
            reconnects: read(&self.reconnects),
        }
    }

    fn drops(&self) -> Drops {
        Drops {
            counts: self
                .dropped
                .each_ref()
                .map(|count| count.load(Ordering::Relaxed)),
        }
    }

    fn add(&self, count: usize, counter: impl Fn(&Self) -> &AtomicU64) {
        if count == 0 {
            return;
        }
        counter(self).fetch_add(count as u64, Ordering::Relaxed);
        if let Some(socket) = &self.socket {
            counter(socket).fetch_add(count as u64, Ordering::Relaxed);
        }
    }
}

impl Direction {
    fn read(&self) -> Traffic {
        Traffic {
            messages: self.messages.load(Ordering::Relaxed),
            octets: self.octets.load(Ordering::Relaxed),
        }
    }
}

/// How often what monitors are told of has happened, whether or not there is a monitor.
#[derive(Debug, Default)]
pub(crate) struct Occurrences {
    accepted: AtomicU64,
    refused: AtomicU64,
    connected: AtomicU64,
    connects_failed: AtomicU64,
    handshakes_failed: AtomicU64,
}

impl Occurrences {
    pub(crate) fn count(&self, event: &SocketEvent) {
        let counter = match event {
            SocketEvent::Accepted { .. } => &self.accepted,
            SocketEvent::Refused { .. } => &self.refused,
            SocketEvent::Connected { .. } => &self.connected,
            SocketEvent::ConnectFailed { .. } => &self.connects_failed,
            SocketEvent::HandshakeFailed { .. } => &self.handshakes_failed,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_counts_outlives_it_in_its_socket() {
        let socket = Arc::new(Tally::default());
        let peer = Tally::of_peer(&socket);
        peer.count_sent_messages(2);
        peer.count_dropped(DropReason::ConnectionLost, 1);
        socket.count_dropped(DropReason::Unroutable, 1);
        let counters = peer.peer(Queued::default());
        assert_eq!(counters.sent.messages, 2);
        assert_eq!(counters.dropped.total(), 1);
        drop(peer);
        let counters = socket.socket(&Occurrences::default(), Queued::default(), 0);
        assert_eq!(counters.sent.messages, 2);
        assert_eq!(counters.dropped.total(), 2);
    }

    #[test]
    fn only_a_second_handshake_is_a_reconnect() {
        let socket = Arc::new(Tally::default());
        for expected in [0, 1, 2] {
            let peer = Tally::of_peer(&socket);
            for _ in 0..=expected {
                peer.count_handshake();
            }
            assert_eq!(peer.peer(Queued::default()).reconnects, expected);
        }
        let counters = socket.socket(&Occurrences::default(), Queued::default(), 0);
        assert_eq!(counters.reconnects, 3);
    }
}
