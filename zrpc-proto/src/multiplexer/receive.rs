//! Received events.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use bytes::Bytes;

use super::{ChannelId, CloseReason, Multiplexer, Role};
use crate::channel::{
    Answer, Cause, Channel, Control, Dialect, Expiry, Heartbeat, Pulse, ServerSide, ServerState,
    Side, granted,
};
use crate::event::{DecodeFailure, Event, MessageId, RemoteError, names};
use crate::msgpack::{DecodeError, Elements};

/// An event, and how many bytes it holds, or will when it is decoded.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) event: Event,
    pub(super) held: usize,
}

impl<P: Clone + Eq + Hash + Debug> Multiplexer<P> {
    /// Handles one payload from `peer`.
    ///
    /// What is not for anybody is dropped and counted: events of channels that have ended are
    /// routine. A request beyond the limits is answered with an error.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is no event; the driver may log it and go on. If its header could be
    /// read, the caller of a request gets an error, and a client's channel ends with
    /// [`CloseReason::Malformed`].
    pub fn handle_event(
        &mut self,
        now: Instant,
        peer: &P,
        payload: Bytes,
    ) -> Result<(), DecodeError> {
        self.stats.events_received = self.stats.events_received.wrapping_add(1);
        let result = Event::decode_or_header(&payload, &self.config.limits.decode);
        let len = payload.len();
        // The slices of the event hold the payload.
        drop(payload);
        let result = match result {
            Ok(mut event) => {
                let held = event.detach(len);
                let held = match self.config.role {
                    Role::Server => held.saturating_add(event.expansion()),
                    // Applications take items one at a time, and results at once.
                    Role::Client => held,
                };
                let channel = event.header.response_to.take();
                let received = Received { event, held };
                match channel {
                    Some(channel) => {
                        self.route(now, peer, &channel, received);
                        Ok(())
                    }
                    None => self.accept(now, peer, received),
                }
            }
            Err(failure) => {
                self.blame(peer, &failure);
                Err(failure.error)
            }
        };
        if result.is_err() {
            self.stats.malformed = self.stats.malformed.wrapping_add(1);
        }
        result
    }

    /// Lets whom a malformed event concerns know, so that nobody waits for a timeout: the caller of
    /// a request gets an error, a call whose reply it is ends. A server goes on with a call that it
    /// has the request of.
    fn blame(&mut self, peer: &P, failure: &DecodeFailure) {
        let Some(header) = &failure.header else {
            return;
        };
        if let Some(id) = &header.response_to {
            if self.config.role == Role::Client
                && let Some(channel) = self.find_channel(peer, id)
            {
                self.abort(
                    channel,
                    CloseReason::Malformed {
                        error: failure.error.clone(),
                    },
                );
            }
        } else if let Some(id) = &header.message_id
            && self.config.role == Role::Server
            && !self.exceeds_peers(peer)
        {
            let error = RemoteError::new(MALFORMED, failure.error.to_string());
            let peer = self.peers.find_or_insert(peer);
            self.refuse(peer, id, header.version, &error);
        }
    }

    /// Handles an event that opens a channel.
    fn accept(&mut self, now: Instant, peer: &P, received: Received) -> Result<(), DecodeError> {
        let event = &received.event;
        if self.config.role == Role::Client || event.name == names::CANCEL {
            self.stats.unroutable = self.stats.unroutable.wrapping_add(1);
            return Ok(());
        }
        let id = event
            .header
            .message_id
            .clone()
            .ok_or(DecodeError::MissingMessageId)?;
        if self.exceeds_peers(peer) {
            self.stats.refused = self.stats.refused.wrapping_add(1);
            return Ok(());
        }
        let peer = self.peers.find_or_insert(peer);
        let refusal = self.exceeds_channels(peer);
        if let Some(error) = refusal.or_else(|| self.exceeds_bytes(peer, received.held)) {
            self.refuse(peer, &id, event.header.version, &error);
            return Ok(());
        }
        let version = event.header.version;
        let expectation = self
            .config
            .heartbeat
            .interval()
            .unwrap_or(Heartbeat::DEFAULT_INTERVAL);
        let channel = self.channels.insert(Channel {
            peer,
            id: id.clone(),
            pulse: Pulse::new(Heartbeat::Off, now),
            expiry: Some(Expiry::new(
                now,
                expectation.saturating_mul(EXPECT_REQUEST_INTERVALS),
            )),
            scheduled: None,
            control: Control::new(),
            dialect: Dialect::from(version),
            side: Side::Server(ServerSide::new(version)),
        });
        self.enter(peer, id, channel);
        self.dispatch(now, channel, received);
        self.schedule(channel);
        Ok(())
    }

    /// Lets events find a channel that a peer opened.
    fn enter(&mut self, peer: u32, id: MessageId, channel: ChannelId) {
        let peer = self.peers.get_mut(peer);
        // A client that always uses the same id has given up its last call with it.
        if let Some(former) = peer.and_then(|peer| peer.channels.insert(id, channel)) {
            self.end(former, CloseReason::Superseded);
        }
    }

    /// Handles an event on an open channel.
    fn route(&mut self, now: Instant, peer: &P, id: &MessageId, received: Received) {
        let Some(channel) = self.find_channel(peer, id) else {
            self.stats.unroutable = self.stats.unroutable.wrapping_add(1);
            if let Some(peer) = self.peers.find(peer) {
                self.hear(now, peer);
            }
            return;
        };
        self.learn(channel, &received.event.header);
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.pulse.recv_any(now);
            let peer = channel.peer;
            self.hear(now, peer);
        }
        self.dispatch(now, channel, received);
    }

    /// Notes for a client's requests that wait that their server lives.
    fn hear(&mut self, now: Instant, peer: u32) {
        if self.config.role == Role::Client
            && let Some(peer) = self.peers.get_mut(peer)
        {
            peer.heard = Some(now);
        }
    }

    /// Returns the channel that an event is for, if its sender can know of it.
    fn find_channel(&self, peer: &P, id: &MessageId) -> Option<ChannelId> {
        let channel = self.find_open(peer, id)?;
        match &self.channels.get(channel)?.side {
            Side::Client(client) if client.request.is_some() => None,
            _ => Some(channel),
        }
    }

    fn find_open(&self, peer: &P, id: &MessageId) -> Option<ChannelId> {
        let peer = self.peers.get(self.peers.find(peer)?)?;
        if let Some(channel) = peer.channels.get(id) {
            return Some(*channel);
        }
        // Some servers answer a binary id with a string of the same content. It is ours for sure.
        match self.config.role {
            Role::Client => peer.channels.get(&id.to_binary()?).copied(),
            Role::Server => None,
        }
    }

    fn dispatch(&mut self, now: Instant, id: ChannelId, received: Received) {
        let event = &received.event;
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        match (&channel.side, event.name.as_bytes()) {
            (_, name) if name == names::HEARTBEAT.as_bytes() => {
                self.recv_heartbeat(now, id, event);
            }
            (Side::Server(_), name) if name == names::MORE.as_bytes() => {
                self.recv_grant(id, granted(&event.args));
            }
            (Side::Server(_), name) if name == names::CANCEL.as_bytes() => {
                self.end(id, CloseReason::Cancelled);
            }
            (Side::Server(server), _) if server.state == ServerState::ExpectRequest => {
                self.recv_request_within_limits(now, id, received);
            }
            (Side::Client(_), name) if !is_control(name) => self.recv_reply(id, received),
            (_, _) => self.stats.ignored = self.stats.ignored.wrapping_add(1),
        }
    }

    fn recv_heartbeat(&mut self, now: Instant, id: ChannelId, event: &Event) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        let answer = channel.pulse.recv_heartbeat(now, cause(&event.args));
        let carries_credit = channel.dialect == Dialect::CreditInHeartbeat;
        if answer == Answer::Now {
            self.queue_heartbeat(id);
            self.schedule(id);
        }
        if carries_credit {
            self.recv_grant(id, granted(&event.args));
        }
    }

    /// Handles the request of a channel, which something else may have opened, at no charge.
    fn recv_request_within_limits(&mut self, now: Instant, id: ChannelId, received: Received) {
        let peer = self.channels.get(id).map(|channel| channel.peer);
        match peer.and_then(|peer| self.exceeds_bytes(peer, received.held)) {
            None => self.recv_request(now, id, received),
            Some(error) => {
                if let Some(channel) = self.channels.get(id) {
                    let (peer, message_id) = (channel.peer, channel.id.clone());
                    // First, because a peer without channels and payloads may be forgotten.
                    self.refuse(peer, &message_id, received.event.header.version, &error);
                    self.remove(id);
                }
            }
        }
    }
}

/// The name of the error that a request gets which cannot be decoded.
const MALFORMED: &str = "ProtocolError";

/// For how many intervals a channel may wait for its request when something else opened it.
const EXPECT_REQUEST_INTERVALS: u32 = 3;

fn is_control(name: &[u8]) -> bool {
    name == names::MORE.as_bytes() || name == names::CANCEL.as_bytes()
}

/// Returns what a heartbeat was sent for: an answer has a second argument.
fn cause(args: &[u8]) -> Cause {
    match Elements::of(args).and_then(|mut elements| elements.nth(1)) {
        Some(_) => Cause::Answer,
        None => Cause::Interval,
    }
}
