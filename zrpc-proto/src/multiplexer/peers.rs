//! The peers of one socket, and what waits to be sent to each.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Instant;

use bytes::Bytes;

use super::capacity::is_oversized;
use super::id_hashing::IdHashing;
use super::vacancies::Vacancies;
use super::{ChannelId, Role};
use crate::channel::ChannelOptions;
use crate::event::MessageId;

/// One peer.
#[derive(Debug)]
pub(super) struct Peer<P> {
    pub(super) key: P,
    pub(super) channels: HashMap<MessageId, ChannelId, IdHashing>,
    /// Events of the protocol itself, which pass by the data: few, small, and urgent.
    control: VecDeque<Entry>,
    outbox: VecDeque<Entry>,
    /// The entries in the outbox whose channels are gone.
    ends: usize,
    /// The entries that name channels that are gone.
    stale: usize,
    /// The encoded bytes that wait.
    queued_bytes: usize,
    /// The bytes that the peer's channels hold.
    received_bytes: usize,
    /// The bytes that may come on the credit that the peer's streams have.
    pub(super) reserved_bytes: usize,
    /// Streams that wait until less waits for the peer.
    pub(super) waiting: VecDeque<ChannelId>,
    /// Channels whose requests are held back until less waits for the peer.
    pub(super) held: VecDeque<ChannelId>,
    pub(super) cancel: CancelSupport,
    /// When a client heard it last, on any channel.
    pub(super) heard: Option<Instant>,
    flow: Flow,
}

/// How many slots the streams of one foreign server have together, as far as each has one.
///
/// libzmq queues 1000 messages for a peer, but hears only of every 500 that they are gone: what is
/// sure to find room is a little more than this.
const FOREIGN_SLOTS: u32 = 400;

/// One thing to send. What names a channel that is gone by then is skipped.
#[derive(Debug)]
pub(super) enum Entry {
    /// An event of a channel that goes on.
    Data(Bytes),
    /// The last event of a channel that is gone, or of one that was refused.
    Last(Bytes),
    /// The request that its channel holds.
    Request(ChannelId),
    /// An event of the protocol itself, as all that follow.
    Control(Bytes),
    Heartbeat(ChannelId),
    Grant(ChannelId),
}

/// Where an entry is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Front,
    Back,
}

/// What all peers use together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) ends: usize,
    pub(super) queued_bytes: usize,
    pub(super) received_bytes: usize,
}

/// Whether a peer understands being told that a call was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CancelSupport {
    /// No server behind this peer was heard yet.
    Unknown,
    /// All that were heard do: they are servers of this implementation.
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
    free: Vacancies,
    by_key: HashMap<P, u32>,
    /// The one that was found last, which is mostly the next one too.
    recent: u32,
    role: Role,
    /// The peers to send to next, in turn.
    line: VecDeque<u32>,
    totals: Totals,
    idle_limit: usize,
}

impl<P: Clone + Eq + Hash> Peers<P> {
    pub(super) fn new(role: Role, idle_limit: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vacancies::new(),
            by_key: HashMap::new(),
            recent: 0,
            role,
            line: VecDeque::new(),
            totals: Totals::default(),
            idle_limit,
        }
    }

    pub(super) fn find(&self, key: &P) -> Option<u32> {
        match self.get(self.recent) {
            Some(recent) if recent.key == *key => Some(self.recent),
            _ => self.by_key.get(key).copied(),
        }
    }

    pub(super) fn find_or_insert(&mut self, key: &P) -> u32 {
        if let Some(index) = self.find(key) {
            self.recent = index;
            return index;
        }
        let index = self.free.pop(self.slots.len()).unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len().saturating_sub(1)).unwrap_or(u32::MAX)
        });
        if let Some(slot) = slot_mut(&mut self.slots, index) {
            *slot = Some(Peer::new(key.clone(), self.role));
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

    /// Returns how many peers are known.
    pub(super) fn count(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Counts bytes that a channel of the peer holds from now on.
    pub(super) fn charge_received(&mut self, index: u32, len: usize) {
        if let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) {
            peer.received_bytes = peer.received_bytes.saturating_add(len);
            self.totals.received_bytes = self.totals.received_bytes.saturating_add(len);
        }
    }

    /// Counts bytes that a channel of the peer holds no longer.
    pub(super) fn release_received(&mut self, index: u32, len: usize) {
        if let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) {
            peer.received_bytes = peer.received_bytes.saturating_sub(len);
            self.totals.received_bytes = self.totals.received_bytes.saturating_sub(len);
        }
    }

    /// Counts encoded bytes that wait for the peer.
    pub(super) fn charge_queued(&mut self, index: u32, len: usize) {
        if let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) {
            peer.queued_bytes = peer.queued_bytes.saturating_add(len);
            self.totals.queued_bytes = self.totals.queued_bytes.saturating_add(len);
        }
    }

    /// Counts encoded bytes that wait for the peer no longer.
    pub(super) fn release_queued(&mut self, index: u32, len: usize) {
        if let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) {
            peer.queued_bytes = peer.queued_bytes.saturating_sub(len);
            self.totals.queued_bytes = self.totals.queued_bytes.saturating_sub(len);
        }
    }

    /// Queues `entry` behind what waits for the peer already.
    pub(super) fn push(&mut self, index: u32, entry: Entry) {
        let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) else {
            return;
        };
        peer.queue(&mut self.totals, entry, Place::Back);
        if peer.flow == Flow::Idle {
            peer.flow = Flow::Listed;
            self.line.push_back(index);
        }
    }

    /// Counts `entries` that name a channel which has ended now. They are skipped when their turn
    /// comes. A peer that does not read would pile them up, so they go as soon as they are the most.
    pub(super) fn outlive(
        &mut self,
        index: u32,
        entries: usize,
        is_open: impl Fn(ChannelId) -> bool,
    ) {
        let Some(peer) = self.get_mut(index) else {
            return;
        };
        peer.stale = peer.stale.saturating_add(entries);
        if peer.stale > peer.queued_count().saturating_sub(peer.stale) {
            for lane in [&mut peer.control, &mut peer.outbox] {
                lane.retain(|entry| entry.channel().is_none_or(&is_open));
                if is_oversized(lane.capacity(), lane.len()) {
                    lane.shrink_to(lane.len().saturating_mul(2));
                }
            }
            peer.stale = 0;
        }
    }

    /// Counts an entry as gone that named a channel which had ended.
    pub(super) fn skip(&mut self, index: u32) {
        if let Some(peer) = self.get_mut(index) {
            peer.stale = peer.stale.saturating_sub(1);
        }
    }

    /// Queues `entry` in front of its like, to be sent when the peer has its next turn.
    pub(super) fn put_back(&mut self, index: u32, entry: Entry) {
        if let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) {
            peer.queue(&mut self.totals, entry, Place::Front);
        }
    }

    /// Sends the peer nothing until unblocked.
    pub(super) fn block(&mut self, index: u32) {
        let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut) else {
            return;
        };
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
            let Some(entry) = peer.pop(&mut self.totals) else {
                peer.flow = Flow::Idle;
                self.settle(index);
                continue;
            };
            if peer.queued_count() == 0 {
                peer.flow = Flow::Idle;
            } else {
                self.line.push_back(index);
            }
            return Some((index, entry));
        }
    }

    /// Forgets an idle peer if there are more than need to be remembered.
    ///
    /// A client that has no call and no answer to come is idle even if its socket is full: all that
    /// waits for it are heartbeats and credit of calls that have ended, which are dropped.
    pub(super) fn settle(&mut self, index: u32) {
        if self.role == Role::Server
            && let Some(peer) = slot_mut(&mut self.slots, index).and_then(Option::as_mut)
            && peer.channels.is_empty()
            && peer.outbox.is_empty()
        {
            while peer.pop(&mut self.totals).is_some() {}
            peer.stale = 0;
        }
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
        self.give_back();
        let Totals {
            ends,
            queued_bytes,
            received_bytes,
        } = self.totals;
        self.totals = Totals {
            ends: ends.saturating_sub(peer.ends),
            queued_bytes: queued_bytes.saturating_sub(peer.queued_bytes),
            received_bytes: received_bytes.saturating_sub(peer.received_bytes),
        };
        Some(peer)
    }

    /// Gives back the room that peers had which are gone: the places behind all that are used, as a
    /// [`Slab`](super::slab::Slab) does.
    fn give_back(&mut self) {
        while self.slots.pop_if(|slot| slot.is_none()).is_some() {}
        let len = self.slots.len();
        if is_oversized(self.slots.capacity(), len) {
            self.slots.shrink_to(len.saturating_mul(2));
        }
        self.free.give_back(len);
        let count = self.by_key.len();
        if is_oversized(self.by_key.capacity(), count) {
            self.by_key.shrink_to(count.saturating_mul(2));
        }
        let listed = self.line.len();
        if is_oversized(self.line.capacity(), listed) {
            self.line.shrink_to(listed.saturating_mul(2));
        }
    }

    /// Returns how many peers there is room for, in whatever has most of it.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        let places = self.slots.capacity().max(self.free.capacity());
        let lookups = self.by_key.capacity().max(self.line.capacity());
        places.max(lookups)
    }
}

impl<P> Peer<P> {
    fn new(key: P, role: Role) -> Self {
        Self {
            key,
            channels: HashMap::with_hasher(IdHashing::new(role)),
            control: VecDeque::new(),
            outbox: VecDeque::new(),
            ends: 0,
            stale: 0,
            queued_bytes: 0,
            received_bytes: 0,
            reserved_bytes: 0,
            waiting: VecDeque::new(),
            held: VecDeque::new(),
            cancel: CancelSupport::Unknown,
            heard: None,
            flow: Flow::Idle,
        }
    }

    fn queue(&mut self, totals: &mut Totals, entry: Entry, place: Place) {
        let (len, ends) = (entry.encoded_len(), entry.ends());
        self.ends = self.ends.saturating_add(ends);
        totals.ends = totals.ends.saturating_add(ends);
        self.queued_bytes = self.queued_bytes.saturating_add(len);
        totals.queued_bytes = totals.queued_bytes.saturating_add(len);
        let lane = match entry {
            Entry::Data(_) | Entry::Last(_) | Entry::Request(_) => &mut self.outbox,
            Entry::Control(_) | Entry::Heartbeat(_) | Entry::Grant(_) => &mut self.control,
        };
        match place {
            Place::Front => lane.push_front(entry),
            Place::Back => lane.push_back(entry),
        }
    }

    fn pop(&mut self, totals: &mut Totals) -> Option<Entry> {
        let entry = match take_front(&mut self.control) {
            Some(control) => control,
            None => take_front(&mut self.outbox)?,
        };
        let (len, ends) = (entry.encoded_len(), entry.ends());
        self.ends = self.ends.saturating_sub(ends);
        totals.ends = totals.ends.saturating_sub(ends);
        self.queued_bytes = self.queued_bytes.saturating_sub(len);
        totals.queued_bytes = totals.queued_bytes.saturating_sub(len);
        Some(entry)
    }

    /// Gives back the room that channels had which are gone.
    pub(super) fn give_back(&mut self) {
        let count = self.channels.len();
        if is_oversized(self.channels.capacity(), count) {
            self.channels.shrink_to(count.saturating_mul(2));
        }
    }

    /// Returns how many entries there is room for, in whatever has most of it.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        let queues = self.outbox.capacity().max(self.control.capacity());
        let delayed = self.held.capacity().max(self.waiting.capacity());
        queues.max(delayed).max(self.channels.capacity())
    }

    /// Returns how many channels are gone whose last events still wait for the socket.
    pub(super) fn ends(&self) -> usize {
        self.ends
    }

    /// Returns the encoded bytes that wait for the socket.
    pub(super) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Returns the bytes that the peer's channels hold.
    pub(super) fn received_bytes(&self) -> usize {
        self.received_bytes
    }

    /// Returns how many slots a stream of this peer may have open.
    ///
    /// Python and Node send through a ROUTER of libzmq, which drops what exceeds its mark: with a
    /// larger window than theirs items of a single stream get lost, and with theirs items of many.
    pub(super) fn most_slots(&self) -> u32 {
        match self.cancel {
            CancelSupport::Understood => u32::MAX,
            CancelSupport::Unknown | CancelSupport::Unsafe => {
                let channels = u32::try_from(self.channels.len()).unwrap_or(u32::MAX);
                let share = FOREIGN_SLOTS.checked_div(channels).unwrap_or(FOREIGN_SLOTS);
                share.clamp(1, ChannelOptions::DEFAULT_SLOTS)
            }
        }
    }

    /// Returns how many of the entries name channels that are gone.
    #[cfg(test)]
    pub(super) fn stale(&self) -> usize {
        self.stale
    }

    /// Returns how many entries wait for the socket.
    pub(super) fn queued_count(&self) -> usize {
        self.outbox.len().saturating_add(self.control.len())
    }

    /// Returns what counts against the limit of channels: those that are open, and those that are
    /// gone but whose last events still wait for the socket.
    pub(super) fn occupancy(&self) -> usize {
        self.channels.len().saturating_add(self.ends)
    }

    fn is_idle(&self) -> bool {
        self.channels.is_empty() && self.queued_count() == 0 && self.flow != Flow::Listed
    }
}

impl Entry {
    /// Returns the bytes that this entry itself keeps.
    fn encoded_len(&self) -> usize {
        match self {
            Self::Data(payload) | Self::Last(payload) | Self::Control(payload) => payload.len(),
            Self::Request(_) | Self::Heartbeat(_) | Self::Grant(_) => 0,
        }
    }

    /// Returns the channel without which this entry means nothing.
    fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Data(_) | Self::Last(_) | Self::Control(_) => None,
            Self::Request(channel) | Self::Heartbeat(channel) | Self::Grant(channel) => {
                Some(*channel)
            }
        }
    }

    /// Returns how many channels this entry is the last event of.
    fn ends(&self) -> usize {
        usize::from(matches!(self, Self::Last(_)))
    }
}

/// Takes the first entry, and gives back the room that a burst has left behind.
pub(super) fn take_front<T>(queue: &mut VecDeque<T>) -> Option<T> {
    let first = queue.pop_front()?;
    if is_oversized(queue.capacity(), queue.len()) {
        queue.shrink_to(queue.len().saturating_mul(2));
    }
    Some(first)
}

fn slot_mut<P>(slots: &mut [Option<Peer<P>>], index: u32) -> Option<&mut Option<Peer<P>>> {
    slots.get_mut(usize::try_from(index).ok()?)
}
