//! The server's side: requests in, replies out.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use bytes::Bytes;

use super::peers::Entry;
use super::receive::Received;
use super::{ChannelEvent, ChannelId, CommandError, Multiplexer, SendError};
use crate::channel::{Channel, Credit, Heartbeat, Pulse, Queued, ServerState, Side, Stall};
use crate::event::{Event, Extra, Notice, RemoteError, Version, names};
use crate::value::{Args, Body};

impl<P: Clone + Eq + Hash + Debug> Multiplexer<P> {
    /// Server: returns `value` from a call. The channel ends once there is credit for it.
    ///
    /// # Errors
    ///
    /// [`CommandError::Closed`] if the channel has ended, [`CommandError::Misuse`] if it is a
    /// client's or has its last event already.
    pub fn reply(&mut self, channel: ChannelId, mut value: Body) -> Result<(), CommandError> {
        const ARRAY_OF_ONE: u8 = 0x91;
        value.prepend(&[ARRAY_OF_ONE]);
        self.send_last(channel, names::OK, value)
    }

    /// Server: fails a call or a stream. The channel ends once there is credit for it. `extra` goes
    /// into the header.
    ///
    /// # Errors
    ///
    /// As [`reply`](Self::reply).
    pub fn fail(
        &mut self,
        channel: ChannelId,
        error: &RemoteError,
        extra: Extra,
    ) -> Result<(), CommandError> {
        let version = match self.channels.get(channel) {
            Some(Channel {
                side: Side::Server(server),
                ..
            }) => server.version,
            Some(_) => return Err(CommandError::Misuse),
            None => return Err(CommandError::Closed),
        };
        self.send_last(
            channel,
            names::ERR,
            error_body(error, version).with_extra(extra),
        )
    }

    /// Server: sends one item of a stream.
    ///
    /// # Errors
    ///
    /// [`SendError`], with the item. After [`SendError::NoCredit`] and [`SendError::Full`],
    /// [`ChannelEvent::Writable`] tells when to try again.
    pub fn stream_item(&mut self, channel: ChannelId, item: Body) -> Result<(), SendError> {
        let id = channel;
        let is_full = self.is_full(
            self.channels
                .get(id)
                .map_or(u32::MAX, |channel| channel.peer),
        );
        let Some(channel) = self.channels.get_mut(id) else {
            return Err(SendError::Closed(item));
        };
        let Side::Server(server) = &mut channel.side else {
            return Err(SendError::Misuse(item));
        };
        match server.state {
            ServerState::Serving => {}
            ServerState::Draining { .. } => return Err(SendError::Closed(item)),
            ServerState::ExpectRequest | ServerState::Held { .. } => {
                return Err(SendError::Misuse(item));
            }
        }
        if is_full {
            if server.stall != Stall::Socket {
                server.stall = Stall::Socket;
                if server.listed == Queued::No
                    && let Some(peer) = self.peers.get_mut(channel.peer)
                {
                    server.listed = Queued::Yes;
                    peer.waiting.push_back(id);
                }
                self.stats.send_stalls = self.stats.send_stalls.wrapping_add(1);
            }
            return Err(SendError::Full(item));
        }
        if server.credit.take().is_none() {
            if server.stall != Stall::Credit {
                server.stall = Stall::Credit;
                self.stats.send_stalls = self.stats.send_stalls.wrapping_add(1);
                self.stats.credit_stalls = self.stats.credit_stalls.wrapping_add(1);
            }
            return Err(SendError::NoCredit(item));
        }
        server.stall = Stall::None;
        if let Some((peer, payload)) = self.encode_reply(id, names::STREAM, item) {
            self.peers.push(peer, Entry::Data(payload));
        }
        Ok(())
    }

    /// Server: ends a stream. The channel ends once there is credit for it. `extra` goes into the
    /// header.
    ///
    /// # Errors
    ///
    /// As [`reply`](Self::reply).
    pub fn stream_done(&mut self, channel: ChannelId, extra: Extra) -> Result<(), CommandError> {
        self.send_last(channel, names::STREAM_DONE, Body::nil().with_extra(extra))
    }

    /// Server: returns whether [`stream_item`](Self::stream_item) would be accepted now.
    #[must_use]
    pub fn is_writable(&self, channel: ChannelId) -> bool {
        let Some(channel) = self.channels.get(channel) else {
            return false;
        };
        let Side::Server(server) = &channel.side else {
            return false;
        };
        server.state == ServerState::Serving
            && server.credit.available() > Credit::NONE
            && !self.is_full(channel.peer)
    }

    /// Sends the last event of a channel, or keeps it until there is credit.
    fn send_last(&mut self, id: ChannelId, name: &str, body: Body) -> Result<(), CommandError> {
        match self.channels.get(id) {
            Some(Channel {
                side: Side::Server(server),
                ..
            }) if server.state == ServerState::Serving => {}
            Some(_) => return Err(CommandError::Misuse),
            None => return Err(CommandError::Closed),
        }
        let (_, last) = self
            .encode_reply(id, name, body)
            .ok_or(CommandError::Closed)?;
        if let Some(Channel {
            side: Side::Server(server),
            ..
        }) = self.channels.get_mut(id)
        {
            server.state = ServerState::Draining { last };
            server.stall = Stall::None;
        }
        self.flush_last(id);
        Ok(())
    }

    fn encode_reply(&mut self, id: ChannelId, name: &str, body: Body) -> Option<(u32, Bytes)> {
        let Channel {
            peer,
            id,
            side: Side::Server(server),
            ..
        } = self.channels.get_mut(id)?
        else {
            return None;
        };
        let notice = std::mem::replace(&mut server.notice, Notice::Nothing);
        let head = crate::event::Outgoing {
            message_id: self.ids.next_encoded(),
            response_to: Some(id),
            name: name.as_bytes(),
            notice,
        };
        Some((*peer, head.encode(body, &mut self.scratch)))
    }

    /// Sends the last event if it waits and there is credit, and frees the channel.
    fn flush_last(&mut self, id: ChannelId) {
        let Some(Channel {
            peer,
            side: Side::Server(server),
            ..
        }) = self.channels.get_mut(id)
        else {
            return;
        };
        if let Some(last) = server.take_last() {
            self.peers.push(*peer, Entry::Last(last));
            self.remove(id);
        }
    }

    /// The client granted credit.
    pub(super) fn recv_grant(&mut self, id: ChannelId, granted: Option<i64>) {
        let Some(Channel {
            side: Side::Server(server),
            ..
        }) = self.channels.get_mut(id)
        else {
            return;
        };
        let Some(granted) = granted.filter(|granted| *granted > 0) else {
            return;
        };
        server.credit.grant(granted);
        if server.stall == Stall::Credit {
            server.stall = Stall::None;
            self.events
                .push_back(ChannelEvent::Writable { channel: id });
        }
        self.flush_last(id);
    }

    /// The request of a channel came: hands it out, or holds it back.
    pub(super) fn recv_request(&mut self, now: Instant, id: ChannelId, received: Received) {
        let Received { event, held } = received;
        let heartbeat = self.config.heartbeat;
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        let Side::Server(server) = &mut channel.side else {
            return;
        };
        let version = event.header.version;
        server.recv_request(version, held);
        channel.expiry = None;
        // A peer of version 1 may be a REQ socket, for which a heartbeat would be its reply.
        let heartbeat = match (version, heartbeat) {
            (Version::V1, Heartbeat::Active(interval)) => Heartbeat::Passive(interval),
            (_, heartbeat) => heartbeat,
        };
        channel.pulse = Pulse::new(heartbeat, now);
        let peer = channel.peer;
        self.peers.charge_received(peer, held);
        self.schedule(id);
        self.stats.channels_accepted = self.stats.channels_accepted.wrapping_add(1);
        if self.is_behind(peer) {
            self.hold(id, event);
        } else {
            self.hand_out(id, event);
        }
    }

    /// Gives a request to the application.
    pub(super) fn hand_out(&mut self, id: ChannelId, request: Event) {
        let Some(channel) = self.channels.get(id) else {
            return;
        };
        let Some(peer) = self.peers.get(channel.peer) else {
            return;
        };
        let Event {
            header, name, args, ..
        } = request;
        self.events.push_back(ChannelEvent::Request {
            channel: id,
            peer: peer.key.clone(),
            name,
            args: Args::from_encoded(args),
            header,
        });
    }
}

/// Encodes the arguments of an `ERR` as the client's version expects them.
pub(super) fn error_body(error: &RemoteError, version: Version) -> Body {
    let encoded = match version {
        Version::V1 => Body::args(&(error.repr(),)),
        Version::V2 | Version::V3 => Body::args(&(&error.name, &error.message, &error.traceback)),
    };
    // Strings have no way to refuse; nil is the error without words.
    encoded.unwrap_or_else(|_| Body::nil())
}
