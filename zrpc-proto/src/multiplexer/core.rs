//! The state of the multiplexer.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use bytes::Bytes;

use super::deadlines::Deadlines;
use super::peers::{CancelSupport, Entry, Peers, take_front};
use super::slab::Slab;
use super::{ChannelEvent, ChannelId, CloseReason, CommandError, Config, Stats};
use crate::channel::{Channel, ServerState, Side};
use crate::event::{IdSource, MessageId, Notice, Outgoing, names};
use crate::value::Body;

/// All channels of one socket, as a state machine.
///
/// `P` names a peer: what the driver needs to send to it, such as the peer's id with the routing
/// [`Envelope`](crate::Envelope). Channels are keyed by peer and message id, so peers that use the
/// same ids do not meet.
///
/// The driver owns the multiplexer and calls, in any order,
///
/// - `handle_*` with what happened outside: received payloads, time, a socket that is full,
/// - commands for the application: [`open`](Self::open), [`reply`](Self::reply) and so on,
///
/// and after any of them drains the outputs: [`poll_transmit`](Self::poll_transmit) until `None`,
/// [`poll_event`](Self::poll_event) until `None`, both again if there was an event, then sleeps
/// until [`poll_timeout`](Self::poll_timeout), new input, or a command. What leaves may be what an
/// event waited for, so the payloads come first.
///
/// The outputs are separate: a driver whose socket is full stops polling payloads, or gives one back
/// with [`handle_blocked`](Self::handle_blocked), and goes on with events.
#[derive(Debug)]
pub struct Multiplexer<P> {
    pub(super) config: Config,
    pub(super) ids: IdSource,
    /// Where heads of events are put together.
    pub(super) scratch: Vec<u8>,
    pub(super) channels: Slab<Channel>,
    pub(super) peers: Peers<P>,
    pub(super) deadlines: Deadlines,
    pub(super) events: VecDeque<ChannelEvent<P>>,
    /// Whose payload was polled last. What waits for its place goes on once it did not come back.
    pub(super) polled: Option<u32>,
    pub(super) stats: Stats,
}

impl<P: Clone + Eq + Hash + Debug> Multiplexer<P> {
    /// Returns a multiplexer without channels. `ids` must not share its random bytes with another.
    #[must_use]
    pub fn new(config: Config, ids: IdSource) -> Self {
        let peers = Peers::new(config.role, config.limits.idle_peers);
        Self {
            config,
            ids,
            scratch: Vec::new(),
            channels: Slab::new(),
            peers,
            deadlines: Deadlines::new(),
            events: VecDeque::new(),
            polled: None,
            stats: Stats::default(),
        }
    }

    /// Ends a channel without a reply, on either side. No event about it is made from then on; what
    /// was not yet polled still comes.
    ///
    /// A server that understands it is told; others notice that heartbeats stop.
    ///
    /// # Errors
    ///
    /// [`CommandError::Closed`] if it has ended already.
    pub fn close(&mut self, channel: ChannelId) -> Result<(), CommandError> {
        self.tell_cancel(channel);
        self.remove(channel).map(drop).ok_or(CommandError::Closed)
    }

    /// Returns the next event for the application.
    pub fn poll_event(&mut self) -> Option<ChannelEvent<P>> {
        take_front(&mut self.events)
    }

    /// Returns how many channels are open, including those whose last event waits for credit.
    #[must_use]
    pub fn channel_count(&self) -> usize {
        self.channels.count()
    }

    /// Returns how many payloads wait to be polled or for a blocked peer.
    #[must_use]
    pub fn queued_count(&self) -> usize {
        self.peers
            .iter()
            .fold(0, |sum, peer| sum.saturating_add(peer.queued_count()))
    }

    /// Returns what was counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Frees a channel and everything that it holds.
    pub(super) fn remove(&mut self, id: ChannelId) -> Option<Awaited> {
        let channel = self.channels.get(id)?;
        let (index, awaited) = (channel.peer, Awaited::of(channel));
        let entries = channel.queued_count();
        let (received, queued, reserved) = match &channel.side {
            Side::Client(client) => (
                client.held_bytes(),
                client.request.as_ref().map_or(0, Bytes::len),
                client.reserved_bytes(),
            ),
            Side::Server(server) => (server.charged, 0, 0),
        };
        if let Some(peer) = self.peers.get_mut(index) {
            // A later channel may have the same id, which is rare: looking first would hash it twice.
            if let Some(current) = peer.channels.remove(&channel.id)
                && current != id
            {
                peer.channels.insert(channel.id.clone(), current);
            }
            peer.give_back();
            peer.reserved_bytes = peer.reserved_bytes.saturating_sub(reserved);
        }
        self.channels.remove(id);
        if entries > 0 {
            let channels = &self.channels;
            let is_open = |id| channels.get(id).is_some();
            self.peers.outlive(index, entries, is_open);
        }
        self.peers.release_received(index, received);
        self.peers.release_queued(index, queued);
        self.peers.settle(index);
        Some(awaited)
    }

    /// Ends a channel for a reason, and says so if the application still waits for its end.
    pub(super) fn end(&mut self, id: ChannelId, reason: CloseReason) {
        if let Some(awaited) = self.remove(id) {
            self.announce_end(id, awaited, reason);
        }
    }

    pub(super) fn announce_end(&mut self, id: ChannelId, awaited: Awaited, reason: CloseReason) {
        if awaited == Awaited::Yes {
            self.events.push_back(ChannelEvent::Closed {
                channel: id,
                reason,
            });
        }
    }

    /// Tells the server of a client's channel that nobody waits any more, if it understands that.
    pub(super) fn tell_cancel(&mut self, id: ChannelId) {
        let Some(Channel {
            peer,
            id,
            side: Side::Client(client),
            ..
        }) = self.channels.get(id)
        else {
            return;
        };
        // What the driver has not taken will never be sent: there is nothing to cancel.
        if client.request.is_some() {
            return;
        }
        let (peer, id) = (*peer, id.clone());
        if self
            .peers
            .get(peer)
            .is_some_and(|peer| peer.cancel == CancelSupport::Understood)
        {
            let payload = self.encode(
                Some(&id),
                names::CANCEL.as_bytes(),
                Body::nil(),
                Notice::Nothing,
            );
            self.peers.push(peer, Entry::Control(payload));
        }
    }

    /// Sees to it that the channel is looked at when it is due.
    pub(super) fn schedule(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        let Some(deadline) = channel.deadline() else {
            return;
        };
        if channel
            .scheduled
            .is_none_or(|scheduled| deadline < scheduled)
        {
            channel.scheduled = Some(deadline);
            self.deadlines.push(deadline, id);
            let channels = &self.channels;
            self.deadlines.sweep(channels.count(), |at, id| {
                channels
                    .get(id)
                    .is_some_and(|channel| channel.scheduled == Some(at))
            });
        }
    }

    pub(super) fn encode(
        &mut self,
        response_to: Option<&MessageId>,
        name: &[u8],
        body: Body,
        notice: Notice,
    ) -> Bytes {
        let head = Outgoing {
            message_id: self.ids.next_encoded(),
            response_to,
            name,
            notice,
        };
        head.encode(body, &mut self.scratch)
    }

    /// Returns the time of the earliest deadline, which may belong to a channel that has ended.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }
}

/// Whether the application waits for the end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Yes,
    No,
}

impl Awaited {
    pub(super) fn of(channel: &Channel) -> Self {
        match &channel.side {
            Side::Server(server) if server.state != ServerState::Serving => Self::No,
            Side::Client(_) | Side::Server(_) => Self::Yes,
        }
    }
}
