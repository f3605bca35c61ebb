//! One peer of a socket (L3).

use std::fmt;
use std::sync::{Arc, Mutex};

use super::inbox::Inbox;
use super::options::SocketOptions;
use super::outbox::Outbox;
use super::sync::lock;
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

/// A peer: its two queues and what its latest handshake told.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) outbox: Outbox,
    pub(crate) inbox: Inbox,
    info: Mutex<Option<Arc<PeerInfo>>>,
}

impl Peer {
    pub(crate) fn new(id: PeerId, options: &SocketOptions) -> Self {
        Self {
            id,
            outbox: Outbox::new(options.send_limits()),
            inbox: Inbox::new(options.receive_limits()),
            info: Mutex::new(None),
        }
    }

    /// What the peer said of itself, while it is connected.
    pub(crate) fn info(&self) -> Option<Arc<PeerInfo>> {
        lock(&self.info).clone()
    }

    pub(crate) fn set_info(&self, info: Option<Arc<PeerInfo>>) {
        *lock(&self.info) = info;
    }
}
