//! What a peer may have: refusals, and requests and streams that wait until it has read.

use std::fmt::Debug;
use std::hash::Hash;

use super::peers::{Entry, take_front};
use super::server::error_body;
use super::{ChannelEvent, ChannelId, Multiplexer};
use crate::channel::{Channel, Credit, Queued, ServerSide, ServerState, Side, Stall};
use crate::event::{Event, MessageId, RemoteError, Version, names};

impl<P: Clone + Eq + Hash + Debug> Multiplexer<P> {
    /// Returns whether `peer` is not known, and so many are that it would not even be told that it is
    /// refused: as many as may have channels, twice as many with last events that they do not read,
    /// and those that are idle.
    pub(super) fn exceeds_peers(&self, peer: &P) -> bool {
        let limits = &self.config.limits;
        let busy = limits.channels_total.saturating_mul(3);
        let is_full = self.peers.count() >= busy.saturating_add(limits.idle_peers);
        is_full && !self.knows(peer)
    }

    /// Returns what a peer is told that has too many channels.
    pub(super) fn exceeds_channels(&self, peer: u32) -> Option<RemoteError> {
        let peer = self.peers.get(peer)?;
        let limits = &self.config.limits;
        let message = if peer.occupancy() >= limits.channels_per_peer {
            format!("more than {} calls are open", limits.channels_per_peer)
        } else if self.total_occupancy() >= limits.channels_total {
            format!(
                "more than {} calls are open in total",
                limits.channels_total
            )
        } else {
            return None;
        };
        Some(RemoteError::new(LIMIT_EXCEEDED, message))
    }

    /// Returns what a peer is told whose request of `len` bytes is too much.
    pub(super) fn exceeds_bytes(&self, peer: u32, len: usize) -> Option<RemoteError> {
        let peer = self.peers.get(peer)?;
        let limits = &self.config.limits;
        let totals = self.peers.totals();
        let message = if peer.received_bytes().saturating_add(len) > limits.received_bytes_per_peer
        {
            let limit = limits.received_bytes_per_peer;
            format!("open calls hold more than {limit} bytes")
        } else if peer.queued_bytes() > limits.unread_bytes_per_peer {
            let limit = limits.unread_bytes_per_peer;
            format!("more than {limit} bytes of replies are not read")
        } else if totals.received_bytes.saturating_add(len) > limits.received_bytes_total {
            let limit = limits.received_bytes_total;
            format!("all open calls hold more than {limit} bytes")
        } else if totals.queued_bytes > limits.queued_bytes_total {
            let limit = limits.queued_bytes_total;
            format!("more than {limit} bytes of all replies are not read")
        } else {
            return None;
        };
        Some(RemoteError::new(LIMIT_EXCEEDED, message))
    }

    /// Answers a request without opening a channel, unless too many answers wait already.
    pub(super) fn refuse(
        &mut self,
        peer: u32,
        id: &MessageId,
        version: Version,
        error: &RemoteError,
    ) {
        self.stats.refused = self.stats.refused.wrapping_add(1);
        self.tell_end(peer, id, version, error);
    }

    /// Tells a peer that a call has ended with an error, unless too many such events wait for it.
    pub(super) fn tell_end(
        &mut self,
        peer: u32,
        id: &MessageId,
        version: Version,
        error: &RemoteError,
    ) {
        let limits = &self.config.limits;
        let ends = self.peers.get(peer).map_or(usize::MAX, |peer| peer.ends());
        if ends >= limits.channels_per_peer.saturating_mul(2)
            || self.peers.totals().ends >= limits.channels_total.saturating_mul(2)
        {
            self.peers.settle(peer);
            return;
        }
        let body = error_body(error, version);
        // It may be the first event that the client has of this server.
        let notice = ServerSide::first_notice(version);
        let payload = self.encode(Some(id), names::ERR.as_bytes(), body, notice);
        self.peers.push(peer, Entry::Last(payload));
    }

    /// Returns what counts against the limit of the channels of all peers.
    pub(super) fn total_occupancy(&self) -> usize {
        let ends = self.peers.totals().ends;
        self.channels.count().saturating_add(ends)
    }

    /// Returns whether streams to the peer have to stop. Whatever the limits, one event passes.
    pub(super) fn is_full(&self, peer: u32) -> bool {
        let limits = &self.config.limits;
        let queued = self.peers.get(peer).map_or(0, |peer| peer.queued_bytes());
        queued > 0
            && (queued >= limits.queued_bytes_per_peer
                || self.peers.totals().queued_bytes >= limits.queued_bytes_total)
    }

    /// Returns whether requests of the peer are held back.
    pub(super) fn is_behind(&self, peer: u32) -> bool {
        let held = self
            .peers
            .get(peer)
            .is_some_and(|peer| !peer.held.is_empty());
        held || self.is_full(peer)
    }

    /// Keeps a request from the application until the peer has read what waits for it.
    pub(super) fn hold(&mut self, id: ChannelId, request: Event) {
        let Some(Channel {
            peer,
            side: Side::Server(server),
            ..
        }) = self.channels.get_mut(id)
        else {
            return;
        };
        server.state = ServerState::Held {
            request: Box::new(request),
        };
        self.stats.held_back = self.stats.held_back.wrapping_add(1);
        let Some(peer) = self.peers.get_mut(*peer) else {
            return;
        };
        let channels = &self.channels;
        peer.held.push_back(id);
        // Calls that have ended meanwhile leave their ids behind.
        if peer.held.len() > peer.channels.len().saturating_mul(2) {
            peer.held.retain(|id| channels.get(*id).is_some());
        }
    }

    /// Lets requests and streams go on that waited for the peer: one of each for every payload that
    /// leaves, once few are left, and all when none is. None of them may be needed to make another
    /// payload, so nobody is stuck.
    pub(super) fn wake_waiting(&mut self, index: u32) {
        let Some(peer) = self.peers.get(index) else {
            return;
        };
        if peer.held.is_empty() && peer.waiting.is_empty() {
            return;
        }
        if peer.queued_bytes() == 0 {
            while self.release_held(index).is_some() {}
            while self.wake_stream(index).is_some() {}
        } else if !self.is_full(index) {
            self.release_held(index);
            self.wake_stream(index);
        }
    }

    /// Hands out the oldest request that is held back.
    fn release_held(&mut self, index: u32) -> Option<()> {
        loop {
            let id = take_front(&mut self.peers.get_mut(index)?.held)?;
            let Some(Channel {
                side: Side::Server(server),
                ..
            }) = self.channels.get_mut(id)
            else {
                continue;
            };
            if !matches!(server.state, ServerState::Held { .. }) {
                continue;
            }
            let state = std::mem::replace(&mut server.state, ServerState::Serving);
            if let ServerState::Held { request } = state {
                self.hand_out(id, *request);
                return Some(());
            }
        }
    }

    /// Tells the stream that has waited longest that it may go on.
    fn wake_stream(&mut self, index: u32) -> Option<()> {
        loop {
            let id = take_front(&mut self.peers.get_mut(index)?.waiting)?;
            let Some(Channel {
                side: Side::Server(server),
                ..
            }) = self.channels.get_mut(id)
            else {
                continue;
            };
            server.listed = Queued::No;
            if server.stall != Stall::Socket {
                continue;
            }
            if server.credit.available() == Credit::NONE {
                server.stall = Stall::Credit;
                continue;
            }
            server.stall = Stall::None;
            self.events
                .push_back(ChannelEvent::Writable { channel: id });
            return Some(());
        }
    }
}

/// The name of the error that a refused request gets.
const LIMIT_EXCEEDED: &str = "LimitExceeded";
