//! One peer of a socket (L3).

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::counters::Queued;
use super::hub::Linger;
use super::inbox::Inbox;
use super::monitor::DisconnectReason;
use super::outbox::{Outbox, Room};
use super::pipe::Pipe;
use super::queue_limits::PeerLimits;
use super::sync::{Mutex, lock};
use super::tally::Tally;
use super::wakes::Wakes;
use crate::endpoint::PeerAddress;
use crate::session::PeerInfo;

/// Names one peer of one socket for as long as the socket lives.
///
/// A peer that was accepted is gone with its connection, and its id is never used again. A peer
/// that was connected to keeps its id, and what is queued for it, over reconnects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(u64);

impl PeerId {
    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({})", self.0)
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What becomes of a peer, and of what is queued for it, when its connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retention {
    /// It goes with the connection: it was accepted.
    Connection,
    /// It comes back with the next connection, and nothing is queued for it until then.
    Endpoint,
    /// It stays, and what is queued for it waits for the next connection.
    Queue,
}

/// A peer: its two queues and what its latest handshake told.
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) retention: Retention,
    pub(crate) outbox: Outbox,
    pub(crate) inbox: Inbox,
    pub(crate) tally: Arc<Tally>,
    info: Mutex<Option<Arc<PeerInfo>>>,
    address: Mutex<Option<PeerAddress>>,
    /// Until when what is queued may still go out, once the socket parts from this peer alone.
    parting: OnceLock<Option<Instant>>,
    /// Why the socket wants the connection to end, if it does.
    dismissal: OnceLock<DisconnectReason>,
}

impl Peer {
    pub(crate) fn new(
        id: PeerId,
        retention: Retention,
        limits: PeerLimits,
        tally: Arc<Tally>,
    ) -> Self {
        let outbox = Outbox::new(limits.send, Arc::clone(&tally));
        Self {
            id,
            retention,
            outbox,
            inbox: Inbox::new(limits.receive),
            tally,
            info: Mutex::new(None),
            address: Mutex::new(None),
            parting: OnceLock::new(),
            dismissal: OnceLock::new(),
        }
    }

    /// A peer in this process, which reads from `pipe`.
    pub(crate) fn in_process(
        id: PeerId,
        retention: Retention,
        limits: PeerLimits,
        pipe: Arc<Pipe>,
        tally: Arc<Tally>,
    ) -> Self {
        Self {
            outbox: Outbox::in_process(limits.send, pipe, Arc::clone(&tally)),
            ..Self::new(id, retention, limits, tally)
        }
    }

    /// Queues messages up to `limits` from now on, in both directions. What is queued stays.
    ///
    /// Tells whether there is room for the senders of the socket, and adds others to `wakes`.
    pub(crate) fn set_limits(&self, limits: PeerLimits, wakes: &mut Wakes) -> Room {
        self.inbox.set_limits(limits.receive, wakes);
        self.outbox.set_limits(limits.send)
    }

    /// What the peer said of itself, while it is connected.
    pub(crate) fn info(&self) -> Option<Arc<PeerInfo>> {
        lock(&self.info).clone()
    }

    pub(crate) fn set_info(&self, info: Option<Arc<PeerInfo>>) {
        *lock(&self.info) = info;
    }

    /// What waits now.
    pub(crate) fn queued(&self) -> Queued {
        Queued {
            outgoing: self.outbox.queued(),
            incoming: self.inbox.queued(),
        }
    }

    /// Where the peer is, while there is a connection to it.
    pub(crate) fn address(&self) -> Option<PeerAddress> {
        lock(&self.address).clone()
    }

    pub(crate) fn set_address(&self, address: Option<PeerAddress>) {
        *lock(&self.address) = address;
    }

    /// Begins to part from this peer: what is queued goes out until `deadline`, and nothing more is
    /// accepted.
    pub(crate) fn part(&self, deadline: Option<Instant>) {
        // The first deadline stands.
        let _ = self.parting.set(deadline);
        self.outbox.drain();
    }

    /// Whether [`Self::part`] was called, and until when the queue may drain.
    pub(crate) fn linger(&self) -> Linger {
        Linger::from(self.parting.get())
    }

    /// Ends the connection, and drops what is queued for it.
    pub(crate) fn dismiss(&self, reason: DisconnectReason) {
        // The first reason stands.
        let _ = self.dismissal.set(reason);
        self.outbox.close();
    }

    /// Why the socket wants the connection to end, if it does.
    pub(crate) fn dismissal(&self) -> Option<&DisconnectReason> {
        self.dismissal.get()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("id", &self.id)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}
