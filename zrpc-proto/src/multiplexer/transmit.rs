//! What goes out.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use bytes::Bytes;

use super::core::Awaited;
use super::output::Origin;
use super::peers::{Entry, Peers};
use super::{ChannelId, CloseReason, Multiplexer, Transmit};
use crate::channel::{Cause, Channel, Credit, Dialect, Queued, Side};
use crate::event::{Notice, Outgoing, names};

impl<P: Clone + Eq + Hash + Debug> Multiplexer<P> {
    /// Takes back a payload that the socket could not take, first in line again, and hands out none
    /// for its peer until [`handle_unblocked`](Self::handle_unblocked). Other peers go on.
    ///
    /// To be called before the next payload is polled. A request that comes back has not been sent:
    /// it is dropped if its call has ended meanwhile.
    pub fn handle_blocked(&mut self, transmit: Transmit<P>) {
        let Transmit {
            peer,
            payload,
            origin,
        } = transmit;
        let peer = self.peers.find_or_insert(&peer);
        self.stats.payloads_sent = self.stats.payloads_sent.wrapping_sub(1);
        if self.polled == Some(peer) {
            self.polled = None;
        }
        match origin {
            Origin::Control => self.peers.put_back(peer, Entry::Control(payload)),
            Origin::Data => self.peers.put_back(peer, Entry::Data(payload)),
            Origin::Last => self.peers.put_back(peer, Entry::Last(payload)),
            Origin::Request { channel, since } => {
                self.put_back_request(peer, channel, since, payload);
            }
        }
        self.peers.block(peer);
        self.peers.settle(peer);
    }

    /// Returns whether something is kept about `peer`. What has no channel and nothing to be told is
    /// forgotten at some point.
    pub fn knows(&self, peer: &P) -> bool {
        self.peers.find(peer).is_some()
    }

    /// Returns about how many peers something is kept.
    pub fn peer_count(&self) -> usize {
        self.peers.count()
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

    /// Returns the next payload to send, in turn among the peers that are not blocked. Heartbeats
    /// and credit for a peer go before its other payloads.
    ///
    /// `now` is when it is handed to the socket: the heartbeat of a call begins with its request.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit<P>> {
        loop {
            if let Some(index) = self.polled.take() {
                self.wake_waiting(index);
                self.peers.settle(index);
            }
            let (index, entry) = self.peers.pop()?;
            self.polled = Some(index);
            let control = |payload| (payload, Origin::Control);
            let taken = match entry {
                Entry::Data(payload) => Some((payload, Origin::Data)),
                Entry::Last(payload) => Some((payload, Origin::Last)),
                Entry::Request(id) => self.take_request(now, id),
                Entry::Control(payload) => Some(control(payload)),
                Entry::Heartbeat(id) => self.encode_heartbeat(id).map(control),
                Entry::Grant(id) => self.encode_grant(id).map(control),
            };
            let Some((payload, origin)) = taken else {
                self.peers.skip(index);
                continue;
            };
            if let Some(peer) = self.peers.get(index).map(|peer| peer.key.clone()) {
                self.stats.payloads_sent = self.stats.payloads_sent.wrapping_add(1);
                return Some(Transmit {
                    peer,
                    payload,
                    origin,
                });
            }
        }
    }

    fn take_request(&mut self, now: Instant, id: ChannelId) -> Option<(Bytes, Origin)> {
        let channel = self.channels.get_mut(id)?;
        let Side::Client(client) = &mut channel.side else {
            return None;
        };
        let request = client.request.take()?;
        let since = channel.pulse.start(now);
        self.peers.release_queued(channel.peer, request.len());
        self.schedule(id);
        let channel = id;
        Some((request, Origin::Request { channel, since }))
    }

    fn put_back_request(&mut self, peer: u32, id: ChannelId, since: Instant, request: Bytes) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        if let Side::Client(client) = &mut channel.side {
            channel.pulse.stop(since);
            self.peers.charge_queued(peer, request.len());
            client.request = Some(request);
            self.peers.put_back(peer, Entry::Request(id));
        }
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
        let args: &[u32] = match channel.pulse.cause() {
            Cause::Interval => &[0],
            Cause::Answer => &[0, 0],
        };
        Some(head.encode_numbers(args, &mut self.scratch))
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
        Some(head.encode_numbers(&[grant.count()], &mut self.scratch))
    }

    fn forget_peer(&mut self, index: u32) {
        let Some(peer) = self.peers.remove(index) else {
            return;
        };
        let mut channels: Vec<ChannelId> = peer.channels.into_values().collect();
        // The order of a hash map is nobody's business: events come in the order of the channels.
        channels.sort_unstable();
        for id in channels {
            if let Some(channel) = self.channels.get(id) {
                let awaited = Awaited::of(channel);
                self.channels.remove(id);
                self.announce_end(id, awaited, CloseReason::PeerLost);
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
