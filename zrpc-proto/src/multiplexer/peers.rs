//! The peers of one socket, and what waits to be sent to each.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use bytes::Bytes;

use super::ChannelId;
use crate::event::MessageId;

/// One peer.
#[derive(Debug)]
pub(super) struct Peer<P> {
    pub(super) key: P,
    pub(super) channels: HashMap<MessageId, ChannelId>,
    pub(super) outbox: VecDeque<Entry>,
    /// The bytes in the outbox that are encoded.
    pub(super) queued_bytes: usize,
    /// The bytes that the peer's channels hold.
    pub(super) received_bytes: usize,
    /// Streams that wait until the outbox is shorter.
    pub(super) waiting: Vec<ChannelId>,
    pub(super) cancel: CancelSupport,
    flow: Flow,
}

/// One thing to send. What names a channel that is gone by then is skipped.
#[derive(Debug)]
pub(super) enum Entry {
    Payload(Bytes),
    /// The request that its channel holds.
    Request(ChannelId),
    Heartbeat(ChannelId),
    Grant(ChannelId),
}

/// Whether a peer understands being told that a call was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CancelSupport {
    /// No server behind this peer was heard yet.
    Unknown,
    /// All that were heard do.
    Understood,
    /// One did not: there may be several servers behind a broker, so nobody is told any more.
    Unsafe,
}

/// Whether a peer is in line for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// It has nothing to send.
    Idle,
    /// It is in line.
    Listed,
    /// Its socket is full.
    Blocked,
}

/// All peers.
#[derive(Debug)]
pub(super) struct Peers<P> {
    slots: Vec<Option<Peer<P>>>,
    free: Vec<u32>,
    by_key: HashMap<P, u32>,
    /// The peers to send to next, in turn.
    line: VecDeque<u32>,
    idle_limit: usize,
}

impl<P: Clone + Eq + Hash> Peers<P> {
    pub(super) fn new(idle_limit: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_key: HashMap::new(),
            line: VecDeque::new(),
            idle_limit,
        }
    }

    pub(super) fn find(&self, key: &P) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    pub(super) fn find_or_insert(&mut self, key: &P) -> u32 {
        if let Some(index) = self.find(key) {
            return index;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len().saturating_sub(1)).unwrap_or(u32::MAX)
        });
        if let Some(slot) = slot_mut(&mut self.slots, index) {
            *slot = Some(Peer::new(key.clone()));
        }
        self.by_key.insert(key.clone(), index);
        index
    }

    pub(super) fn get(&self, index: u32) -> Option<&Peer<P>> {
        self.slots.get(usize::try_from(index).ok()?)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut Peer<P>> {
        slot_mut(&mut self.slots, index)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Peer<P>> {
        self.slots.iter().flatten()
    }

    /// Queues `entry` behind what waits for the peer already.
    pub(super) fn push(&mut self, index: u32, entry: Entry) {
        let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) else {
            return;
        };
        peer.charge(&entry);
        peer.outbox.push_back(entry);
        if peer.flow == Flow::Idle {
            peer.flow = Flow::Listed;
            self.line.push_back(index);
        }
    }

    /// Puts a payload in front of what waits for the peer, and sends it nothing until unblocked.
    pub(super) fn block(&mut self, index: u32, payload: Bytes) {
        let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) else {
            return;
        };
        let entry = Entry::Payload(payload);
        peer.charge(&entry);
        peer.outbox.push_front(entry);
        if peer.flow == Flow::Listed {
            self.line.retain(|listed| *listed != index);
        }
        peer.flow = Flow::Blocked;
    }

    pub(super) fn unblock(&mut self, index: u32) {
        let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) else {
            return;
        };
        if peer.flow == Flow::Blocked {
            peer.flow = Flow::Listed;
            self.line.push_back(index);
        }
    }

    /// Returns the peer whose turn it is, and the next entry for it.
    pub(super) fn pop(&mut self) -> Option<(u32, Entry)> {
        loop {
            let index = self.line.pop_front()?;
            let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) else {
                continue;
            };
            let Some(entry) = peer.outbox.pop_front() else {
                peer.flow = Flow::Idle;
                self.settle(index);
                continue;
            };
            if let Entry::Payload(payload) = &entry {
                peer.queued_bytes = peer.queued_bytes.saturating_sub(payload.len());
            }
            if peer.outbox.is_empty() {
                peer.flow = Flow::Idle;
            } else {
                self.line.push_back(index);
            }
            return Some((index, entry));
        }
    }

    /// Forgets an idle peer if there are more than need to be remembered.
    pub(super) fn settle(&mut self, index: u32) {
        let idle = self.get(index).is_some_and(Peer::is_idle);
        if idle && self.by_key.len() > self.idle_limit {
            self.remove(index);
        }
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<Peer<P>> {
        let peer = slot_mut(&mut self.slots, index)?.take()?;
        self.by_key.remove(&peer.key);
        self.free.push(index);
        if peer.flow == Flow::Listed {
            self.line.retain(|listed| *listed != index);
        }
        Some(peer)
    }
}

impl<P> Peer<P> {
    fn new(key: P) -> Self {
        Self {
            key,
            channels: HashMap::new(),
            outbox: VecDeque::new(),
            queued_bytes: 0,
            received_bytes: 0,
            waiting: Vec::new(),
            cancel: CancelSupport::Unknown,
            flow: Flow::Idle,
        }
    }

    fn charge(&mut self, entry: &Entry) {
        if let Entry::Payload(payload) = entry {
            self.queued_bytes = self.queued_bytes.saturating_add(payload.len());
        }
    }

    /// Returns what counts against the limit of channels: those that are open, and replies of those
    /// that are not but still wait for the socket.
    pub(super) fn occupancy(&self) -> usize {
        self.channels.len().saturating_add(self.outbox.len())
    }

    fn is_idle(&self) -> bool {
        self.channels.is_empty() && self.outbox.is_empty() && self.flow == Flow::Idle
    }
}

fn slot_mut<P>(slots: &mut [Option<Peer<P>>], index: u32) -> Option<&mut Option<Peer<P>>> {
    slots.get_mut(usize::try_from(index).ok()?)
}
