//! The client's side: calls out, replies in.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use bytes::Bytes;

use super::peers::{CancelSupport, Entry};
use super::receive::Received;
use super::transmit::queue_grant;
use super::{
    ChannelEvent, ChannelId, CloseReason, CommandError, Multiplexer, OpenError, OverrunUnit,
    Request,
};
use crate::channel::{
    Channel, ChannelOptions, ClientSide, Control, Dialect, Expiry, Progress, Pulse, ReplyKind, Side,
};
use crate::event::{Event, Header, Notice, Outgoing, RemoteError, is_small_part};
use crate::msgpack::Elements;

impl<P: Clone + Eq + Hash + Debug> Multiplexer<P> {
    /// Client: calls a method of `peer`.
    ///
    /// # Errors
    ///
    /// [`OpenError::TooManyChannels`] if the peer has as many as
    /// [`Limits::channels_per_peer`](crate::Limits::channels_per_peer),
    /// [`OpenError::TooManyChannelsInTotal`] if all have as many as
    /// [`Limits::channels_total`](crate::Limits::channels_total), [`OpenError::IdInUse`] if the id
    /// that was chosen for the request is that of an open channel.
    pub fn open(
        &mut self,
        now: Instant,
        peer: &P,
        request: Request,
        options: &ChannelOptions,
    ) -> Result<ChannelId, OpenError> {
        let peer = self.peers.find_or_insert(peer);
        let limit = self.config.limits.channels_per_peer;
        if self
            .peers
            .get(peer)
            .is_some_and(|peer| peer.occupancy() >= limit)
        {
            return Err(OpenError::TooManyChannels { limit });
        }
        let limit = self.config.limits.channels_total;
        if self.total_occupancy() >= limit {
            self.peers.settle(peer);
            return Err(OpenError::TooManyChannelsInTotal { limit });
        }
        let id = match request.message_id {
            None => self.ids.next_id(),
            Some(chosen) => {
                if self
                    .peers
                    .get(peer)
                    .is_some_and(|peer| peer.channels.contains_key(&*chosen))
                {
                    return Err(OpenError::IdInUse { id: *chosen });
                }
                *chosen
            }
        };
        let head = Outgoing {
            message_id: id.as_encoded(),
            response_to: None,
            name: request.name.as_bytes(),
            notice: Notice::timeout(options.timeout),
        };
        let payload = head.encode(request.args, &mut self.scratch);
        let len = payload.len();
        let channel = self.channels.insert(Channel {
            peer,
            id: id.clone(),
            pulse: Pulse::waiting(options.heartbeat, now),
            expiry: options.timeout.map(|after| Expiry::new(now, after)),
            scheduled: None,
            control: Control::new(),
            dialect: Dialect::Unknown,
            side: Side::Client(ClientSide::new(options.slots, payload)),
        });
        self.peers.push(peer, Entry::Request(channel));
        self.peers.charge_queued(peer, len);
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.channels.insert(id, channel);
        }
        self.schedule(channel);
        self.stats.channels_opened = self.stats.channels_opened.wrapping_add(1);
        Ok(channel)
    }

    /// Client: returns whether `peer` has fewer channels than it may have.
    pub fn has_room(&self, peer: &P) -> bool {
        let peer = self.peers.find(peer).and_then(|peer| self.peers.get(peer));
        peer.is_none_or(|peer| peer.occupancy() < self.config.limits.channels_per_peer)
    }

    /// Client: the application took `items` stream items and is ready for more. May grant credit.
    ///
    /// # Errors
    ///
    /// [`CommandError::Closed`] if the channel has ended, which is routine, for items outlive it;
    /// [`CommandError::Misuse`] on a server's channel.
    pub fn consume(&mut self, channel: ChannelId, items: usize) -> Result<(), CommandError> {
        let id = channel;
        let channel = self.channels.get_mut(id).ok_or(CommandError::Closed)?;
        let Side::Client(client) = &mut channel.side else {
            return Err(CommandError::Misuse);
        };
        let reserved = client.reserved_bytes();
        let released = client.release(items);
        self.peers.release_received(channel.peer, released);
        let Some(peer) = self.peers.get_mut(channel.peer) else {
            return Err(CommandError::Closed);
        };
        // What other streams hold, and may still receive on the credit that they have.
        let held = peer.received_bytes().saturating_sub(client.held_bytes());
        let others = peer.reserved_bytes.saturating_sub(reserved);
        let room = self.config.limits.received_bytes_per_peer;
        let room = room.saturating_sub(held).saturating_sub(others);
        let grant = client.grant(items, room, peer.most_slots());
        peer.reserved_bytes = others.saturating_add(client.reserved_bytes());
        if let Some(grant) = grant {
            queue_grant(&mut self.peers, id, channel, grant);
        }
        Ok(())
    }

    /// Learns from the first event of a channel what its server is.
    pub(super) fn learn(&mut self, id: ChannelId, header: &Header) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        if channel.dialect != Dialect::Unknown {
            return;
        }
        channel.dialect = Dialect::from(header.version);
        if let Some(peer) = self.peers.get_mut(channel.peer) {
            let understood = header.notice == Notice::UnderstandsCancel;
            peer.cancel = match peer.cancel {
                CancelSupport::Unsafe => CancelSupport::Unsafe,
                _ if understood => CancelSupport::Understood,
                _ => CancelSupport::Unsafe,
            };
        }
    }

    /// Handles an event that is not for the protocol itself on a client's channel.
    pub(super) fn recv_reply(&mut self, id: ChannelId, received: Received) {
        let Received { event, held } = received;
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        let Side::Client(client) = &mut channel.side else {
            return;
        };
        let Some(kind) = ReplyKind::of(event.name.as_bytes()) else {
            self.abort(id, CloseReason::UnexpectedEvent { name: event.name });
            return;
        };
        channel.expiry = None;
        let reserved = client.reserved_bytes();
        let progress = client.recv_reply(kind, held);
        if let Some(peer) = self.peers.get_mut(channel.peer) {
            let others = peer.reserved_bytes.saturating_sub(reserved);
            peer.reserved_bytes = others.saturating_add(client.reserved_bytes());
        }
        match progress {
            Progress::Ended => self.finish_call(id, kind, event),
            Progress::Unexpected => {
                self.abort(id, CloseReason::UnexpectedEvent { name: event.name });
            }
            Progress::Overrun => {
                let limit = usize::try_from(client.slots()).unwrap_or(usize::MAX);
                self.overrun(id, limit, OverrunUnit::Items);
            }
            Progress::Open | Progress::Ahead => {
                let peer = channel.peer;
                self.peers.charge_received(peer, held);
                if let Some(limit) = self.exceeded_by_item(peer, progress) {
                    self.overrun(id, limit, OverrunUnit::Bytes);
                    return;
                }
                self.events.push_back(ChannelEvent::StreamItem {
                    channel: id,
                    item: event.args,
                });
            }
        }
    }

    /// Returns the limit that an item exceeds. Memory for what comes on credit was set aside as far
    /// as it could be known, so only the socket as a whole may be short of it.
    fn exceeded_by_item(&self, peer: u32, progress: Progress) -> Option<usize> {
        let limits = &self.config.limits;
        let received = self.peers.get(peer)?.received_bytes();
        if progress == Progress::Ahead && received > limits.received_bytes_per_peer {
            Some(limits.received_bytes_per_peer)
        } else if self.peers.totals().received_bytes > limits.received_bytes_total {
            Some(limits.received_bytes_total)
        } else {
            None
        }
    }

    fn finish_call(&mut self, channel: ChannelId, kind: ReplyKind, event: Event) {
        self.remove(channel);
        let Event { header, args, .. } = event;
        let extra = header.extra;
        self.events.push_back(match kind {
            ReplyKind::Err => {
                let error = RemoteError::from_args(&args);
                ChannelEvent::Error {
                    channel,
                    error,
                    extra,
                }
            }
            ReplyKind::Ok => {
                // `OK` carries `[result]`. What is no array is a bare result, and nothing is nil.
                let value = match Elements::of(&args) {
                    Some(mut elements) => elements.next().map(|value| part_of(&args, value)),
                    None => Some(args.clone()),
                };
                let value = value.unwrap_or_else(|| Bytes::from_static(b"\xc0"));
                ChannelEvent::Reply {
                    channel,
                    value,
                    extra,
                }
            }
            ReplyKind::Stream | ReplyKind::StreamDone => {
                ChannelEvent::StreamDone { channel, extra }
            }
        });
    }

    fn overrun(&mut self, id: ChannelId, limit: usize, unit: OverrunUnit) {
        self.stats.overrun = self.stats.overrun.wrapping_add(1);
        self.abort(id, CloseReason::Overrun { limit, unit });
    }

    /// Ends a channel whose server does not know yet that it ended.
    pub(super) fn abort(&mut self, id: ChannelId, reason: CloseReason) {
        self.tell_cancel(id);
        self.end(id, reason);
    }
}

/// Returns a part of `whole` that does not keep all of it in memory without need.
fn part_of(whole: &Bytes, part: &[u8]) -> Bytes {
    if is_small_part(part.len(), whole.len()) {
        Bytes::copy_from_slice(part)
    } else {
        whole.slice_ref(part)
    }
}
