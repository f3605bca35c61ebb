//! What goes out.

use std::fmt::Debug;
use std::hash::Hash;

use bytes::Bytes;

use super::peers::{Entry, Peers};
use super::{ChannelEvent, ChannelId, CloseReason, Multiplexer, Transmit};
use crate::channel::{Channel, Credit, Dialect, Queued, Side, Stall};
use crate::event::{Notice, Outgoing, names};

impl<P: Clone + Eq + Hash + Debug> Multiplexer<P> {
    /// Takes back a payload that the socket could not take, first in line again, and hands out none
    /// for its peer until [`handle_unblocked`](Self::handle_unblocked). Other peers go on.
    pub fn handle_blocked(&mut self, transmit: Transmit<P>) {
        let peer = self.peers.find_or_insert(&transmit.peer);
        self.stats.payloads_sent = self.stats.payloads_sent.wrapping_sub(1);
        self.peers.block(peer, transmit.payload);
    }

    /// The socket can take payloads for `peer` again.
    pub fn handle_unblocked(&mut self, peer: &P) {
        if let Some(peer) = self.peers.find(peer) {
            self.peers.unblock(peer);
        }
    }

    /// Forgets `peer`: its channels close with [`CloseReason::PeerLost`], and what waits for it is
    /// dropped.
    pub fn handle_peer_lost(&mut self, peer: &P) {
        if let Some(peer) = self.peers.find(peer) {
            self.forget_peer(peer);
        }
    }

    /// Forgets every peer for which `lost` says so, such as all behind one connection.
    pub fn handle_peers_lost(&mut self, mut lost: impl FnMut(&P) -> bool) {
        let keys = self.peers.iter().map(|peer| &peer.key);
        let keys: Vec<P> = keys.filter(|key| lost(key)).cloned().collect();
        for key in &keys {
            self.handle_peer_lost(key);
        }
    }

    /// Returns the next payload to send, in turn among the peers that are not blocked.
    pub fn poll_transmit(&mut self) -> Option<Transmit<P>> {
        loop {
            let (index, entry) = self.peers.pop()?;
            let payload = match entry {
                Entry::Payload(payload) => Some(payload),
                Entry::Request(id) => self.take_request(index, id),
                Entry::Heartbeat(id) => self.encode_heartbeat(id),
                Entry::Grant(id) => self.encode_grant(id),
            };
            self.wake_waiting(index);
            let peer = self.peers.get(index).map(|peer| peer.key.clone());
            self.peers.settle(index);
            if let (Some(payload), Some(peer)) = (payload, peer) {
                self.stats.payloads_sent = self.stats.payloads_sent.wrapping_add(1);
                return Some(Transmit { peer, payload });
            }
        }
    }

    fn take_request(&mut self, peer: u32, id: ChannelId) -> Option<Bytes> {
        let Channel {
            side: Side::Client(client),
            ..
        } = self.channels.get_mut(id)?
        else {
            return None;
        };
        let request = client.request.take()?;
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.queued_bytes = peer.queued_bytes.saturating_sub(request.len());
        }
        Some(request)
    }

    fn encode_heartbeat(&mut self, id: ChannelId) -> Option<Bytes> {
        let channel = self.channels.get_mut(id)?;
        channel.control.heartbeat = Queued::No;
        self.stats.heartbeats_sent = self.stats.heartbeats_sent.wrapping_add(1);
        // The first event of a channel says what this server understands, and a heartbeat may be it.
        let notice = match &channel.side {
            Side::Client(_) => Notice::Nothing,
            Side::Server(server) => server.heartbeat_notice(),
        };
        let head = Outgoing {
            message_id: self.ids.next_encoded(),
            response_to: Some(&channel.id),
            name: names::HEARTBEAT.as_bytes(),
            notice,
        };
        Some(head.encode_number(0))
    }

    fn encode_grant(&mut self, id: ChannelId) -> Option<Bytes> {
        let channel = self.channels.get_mut(id)?;
        let grant = std::mem::replace(&mut channel.control.grant, Credit::NONE);
        let name = match channel.dialect {
            Dialect::CreditInHeartbeat => names::HEARTBEAT,
            Dialect::CreditInMore | Dialect::Unknown => names::MORE,
        };
        let head = Outgoing {
            message_id: self.ids.next_encoded(),
            response_to: Some(&channel.id),
            name: name.as_bytes(),
            notice: Notice::Nothing,
        };
        Some(head.encode_number(grant.count()))
    }

    /// Lets streams go on once half of what they waited for is gone.
    fn wake_waiting(&mut self, index: u32) {
        let limit = self.config.limits.queued_bytes_per_peer;
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        if peer.waiting.is_empty() || peer.queued_bytes > limit / 2 {
            return;
        }
        for id in std::mem::take(&mut peer.waiting) {
            let Some(Channel {
                side: Side::Server(server),
                ..
            }) = self.channels.get_mut(id)
            else {
                continue;
            };
            if server.stall != Stall::Socket {
                continue;
            }
            if server.credit.available() == Credit::NONE {
                server.stall = Stall::Credit;
            } else {
                server.stall = Stall::None;
                self.events
                    .push_back(ChannelEvent::Writable { channel: id });
            }
        }
    }

    fn forget_peer(&mut self, index: u32) {
        let Some(peer) = self.peers.remove(index) else {
            return;
        };
        let mut channels: Vec<ChannelId> = peer.channels.into_values().collect();
        // The order of a hash map is nobody's business: events come in the order of the channels.
        channels.sort_unstable();
        for id in channels {
            if let Some(channel) = self.channels.remove(id) {
                self.announce_end(id, &channel, CloseReason::PeerLost);
            }
        }
    }
}

/// Queues a grant on top of one that waits for the socket already.
pub(super) fn queue_grant<P: Clone + Eq + Hash>(
    peers: &mut Peers<P>,
    id: ChannelId,
    channel: &mut Channel,
    grant: Credit,
) {
    let waits = channel.control.grant != Credit::NONE;
    channel.control.grant = channel.control.grant.plus(grant);
    if !waits {
        peers.push(channel.peer, Entry::Grant(id));
    }
}
