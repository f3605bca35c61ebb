//! The multiplexer.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use bytes::Bytes;

use super::*;
use crate::channel::ChannelOptions;
use crate::event::{Extra, IdSource, RemoteError};
use crate::msgpack::DecodeError;
use crate::value::Body;

/// All channels of one socket, as a state machine.
///
/// `P` names a peer: what the driver needs to send to it, such as the peer's id with the routing
/// [`Envelope`](crate::Envelope). Channels are keyed by peer and message id.
///
/// The driver owns the multiplexer and calls, in any order,
///
/// - `handle_*` with what happened outside: received payloads, time, a socket that is full,
/// - commands for the application: [`open`](Self::open), [`reply`](Self::reply) and so on,
///
/// and after any of them drains the outputs: [`poll_event`](Self::poll_event) until `None`,
/// [`poll_transmit`](Self::poll_transmit) until `None`, then sleeps until
/// [`poll_timeout`](Self::poll_timeout), new input, or a command.
#[derive(Debug)]
pub struct Multiplexer<P> {
    config: Config,
    ids: IdSource,
    _p: std::marker::PhantomData<P>,
}

impl<P: Clone + Eq + Hash + Debug> Multiplexer<P> {
    /// Returns a multiplexer without channels. `ids` must not share its random bytes with another.
    #[must_use]
    pub fn new(config: Config, ids: IdSource) -> Self {
        Self {
            config,
            ids,
            _p: std::marker::PhantomData,
        }
    }

    /// Handles one payload from `peer`.
    ///
    /// # Errors
    /// [`DecodeError`] if it is no event. It changed nothing; the driver may log it and go on.
    pub fn handle_event(
        &mut self,
        now: Instant,
        peer: &P,
        payload: Bytes,
    ) -> Result<(), DecodeError> {
        Ok(())
    }
    /// Handles the passing of time. To be called at [`poll_timeout`](Self::poll_timeout); calling it early is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {}
    /// Takes back a payload that the socket could not take, first in line again, and stops handing
    /// out payloads for its peer until [`handle_unblocked`](Self::handle_unblocked). Other peers go on.
    pub fn handle_blocked(&mut self, transmit: Transmit<P>) {}
    /// The socket can take payloads for `peer` again.
    pub fn handle_unblocked(&mut self, peer: &P) {}
    /// Forgets `peer`: its channels close with [`CloseReason::PeerLost`], and what waits for it is dropped.
    pub fn handle_peer_lost(&mut self, peer: &P) {}
    /// Forgets every peer for which `lost` says so, such as all behind one connection.
    pub fn handle_peers_lost(&mut self, lost: impl FnMut(&P) -> bool) {}

    /// Client: calls a method of `peer`.
    ///
    /// # Errors
    /// [`OpenError::TooManyChannels`].
    pub fn open(
        &mut self,
        now: Instant,
        peer: &P,
        request: Request,
        options: &ChannelOptions,
    ) -> Result<ChannelId, OpenError> {
        Err(OpenError::TooManyChannels { limit: 0 })
    }
    /// Client: the application took `items` stream items and is ready for more. May grant credit.
    ///
    /// # Errors
    /// [`CommandError::Closed`] if the channel has ended (routine: items outlive the channel); [`CommandError::Misuse`] on a server's channel.
    pub fn consume(&mut self, channel: ChannelId, items: usize) -> Result<(), CommandError> {
        Err(CommandError::Closed)
    }
    /// Ends a channel without a reply, on either side. No event follows for it. A server that
    /// understands it is told; others notice that heartbeats stop.
    ///
    /// # Errors
    /// [`CommandError::Closed`] if it has ended already.
    pub fn close(&mut self, channel: ChannelId) -> Result<(), CommandError> {
        Err(CommandError::Closed)
    }
    /// Server: returns `value` from a call. The channel ends once it is sent.
    ///
    /// # Errors
    /// [`CommandError`] if the channel has ended, is a client's, or has its last event already.
    pub fn reply(&mut self, channel: ChannelId, value: Body) -> Result<(), CommandError> {
        Err(CommandError::Closed)
    }
    /// Server: fails a call or a stream. The channel ends once it is sent. `extra` goes into the header.
    ///
    /// # Errors
    /// As [`reply`](Self::reply).
    pub fn fail(
        &mut self,
        channel: ChannelId,
        error: &RemoteError,
        extra: Extra,
    ) -> Result<(), CommandError> {
        Err(CommandError::Closed)
    }
    /// Server: sends one item of a stream.
    ///
    /// # Errors
    /// [`SendError`], with the item. After [`SendError::NoCredit`] and [`SendError::Full`], [`ChannelEvent::Writable`] tells when to try again.
    pub fn stream_item(&mut self, channel: ChannelId, item: Body) -> Result<(), SendError> {
        Err(SendError::Closed(item))
    }
    /// Server: ends a stream. The channel ends once it is sent. `extra` goes into the header.
    ///
    /// # Errors
    /// As [`reply`](Self::reply).
    pub fn stream_done(&mut self, channel: ChannelId, extra: Extra) -> Result<(), CommandError> {
        Err(CommandError::Closed)
    }

    /// Returns the next payload to send, fairly among peers that are not blocked.
    pub fn poll_transmit(&mut self) -> Option<Transmit<P>> {
        None
    }
    /// Returns the next event for the application.
    pub fn poll_event(&mut self) -> Option<ChannelEvent<P>> {
        None
    }
    /// Returns when to call [`handle_timeout`](Self::handle_timeout) next. It may be earlier than
    /// anything happens, so that it seldom changes: a driver re-arms its timer only if this is
    /// earlier than what the timer is armed for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    /// Server: returns whether [`stream_item`](Self::stream_item) would be accepted now.
    #[must_use]
    pub fn is_writable(&self, channel: ChannelId) -> bool {
        false
    }
    /// Returns how many channels are open, including those whose last event still waits.
    #[must_use]
    pub fn channel_count(&self) -> usize {
        0
    }
    /// Returns how many payloads wait to be polled or for a blocked peer.
    #[must_use]
    pub fn queued_count(&self) -> usize {
        0
    }
    /// Returns what was counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}
