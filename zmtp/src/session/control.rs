//! What the session itself has to send.

use bytes::BytesMut;

use crate::mechanism::{Channel, SealError, wipe};
use crate::session::liveness::LastPing;
use crate::session::{Heartbeat, Violation};
use crate::wire::command::{Command, PingContext};
use crate::wire::frame::FrameHeader;

/// Whole frames, and the greeting, that wait to be sent between messages.
#[derive(Debug)]
pub(super) struct ControlQueue {
    octets: Vec<u8>,
    /// How many of them at the front are of the handshake, and so never sealed; more than there can
    /// be while it goes on.
    handshake_len: usize,
    pong_count: usize,
    last_ping: LastPing,
}

impl ControlQueue {
    pub(super) const fn new() -> Self {
        Self {
            octets: Vec::new(),
            handshake_len: usize::MAX,
            pong_count: 0,
            last_ping: LastPing::Sent,
        }
    }

    /// Where to append anything that nobody needs to count.
    pub(super) const fn writer(&mut self) -> &mut Vec<u8> {
        &mut self.octets
    }

    /// The handshake is done: what comes from now on is traffic.
    pub(super) const fn begin_traffic(&mut self) {
        self.handshake_len = self.octets.len();
    }

    /// Answers a PING.
    ///
    /// A peer that never reads must not make us keep an answer to each of a million PINGs
    /// `[ZMTP31-143]`.
    pub(super) fn push_pong(
        &mut self,
        context: PingContext,
        limit: usize,
    ) -> Result<(), Violation> {
        if self.pong_count >= limit {
            return Err(Violation::TooManyPings { limit });
        }
        self.pong_count += 1;
        Command::Pong(context).encode(&mut self.octets);
        Ok(())
    }

    /// Sends a PING, unless one still waits: they must not pile up behind a writer that is blocked
    /// `[ZMTP31-142]`.
    pub(super) fn push_ping(&mut self, heartbeat: &Heartbeat) {
        if self.last_ping == LastPing::Waiting {
            return;
        }
        self.last_ping = LastPing::Waiting;
        let ping = Command::Ping {
            ttl: heartbeat.ttl,
            context: PingContext::default(),
        };
        ping.encode(&mut self.octets);
    }

    /// Whether the last PING has been taken away to be sent.
    pub(super) const fn last_ping(&self) -> LastPing {
        self.last_ping
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Moves everything to `out`.
    pub(super) fn drain_to(&mut self, out: &mut BytesMut) -> usize {
        let len = self.octets.len();
        out.extend_from_slice(&self.octets);
        self.clear();
        len
    }

    /// Moves everything to `out`, each frame of traffic through the channel.
    ///
    /// Not before: nonces have to grow in the order in which frames are sent, and messages may
    /// overtake what waits here `[CURVE-050]`.
    pub(super) fn seal_to(
        &mut self,
        channel: &mut Channel,
        out: &mut BytesMut,
    ) -> Result<usize, SealError> {
        let before = out.len();
        let (handshake, mut traffic) = self.octets.split_at(self.handshake_len);
        let mut sealed = Vec::new();
        // The frames are our own: heads are whole and legal, and bodies are there.
        while let Ok(Some((header, header_len))) = FrameHeader::decode(traffic) {
            let Ok(body_len) = usize::try_from(header.body_len) else {
                break;
            };
            let (_, rest) = traffic.split_at(header_len);
            let (body, rest) = rest.split_at(body_len);
            channel.seal(header.kind, body, &mut sealed)?;
            traffic = rest;
        }
        out.extend_from_slice(handshake);
        out.extend_from_slice(&sealed);
        self.clear();
        Ok(out.len() - before)
    }

    /// Drops the frames of traffic: they were to be sealed, and there is no channel any more.
    pub(super) fn drop_traffic(&mut self) {
        self.octets.truncate(self.handshake_len);
    }

    fn wipe_handshake(&mut self) {
        let len = self.handshake_len.min(self.octets.len());
        // It may have been a password.
        wipe(self.octets.get_mut(..len).unwrap_or_default());
    }

    fn clear(&mut self) {
        self.wipe_handshake();
        self.octets.clear();
        if self.octets.capacity() > IDLE_CAPACITY {
            self.octets = Vec::new();
        }
        if self.handshake_len != usize::MAX {
            self.handshake_len = 0;
        }
        self.pong_count = 0;
        self.last_ping = LastPing::Sent;
    }
}

impl Drop for ControlQueue {
    fn drop(&mut self) {
        self.wipe_handshake();
    }
}

/// What an idle connection may keep for the next PING.
const IDLE_CAPACITY: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_handshake_said_is_wiped_and_traffic_is_not() {
        let mut control = ControlQueue::new();
        control.writer().extend_from_slice(b"password");
        control.wipe_handshake();
        assert_eq!(control.octets, [0; 8]);
        control.drain_to(&mut BytesMut::new());
        control.writer().extend_from_slice(b"late");
        control.begin_traffic();
        control.writer().extend_from_slice(b"traffic");
        control.wipe_handshake();
        assert_eq!(control.octets, b"\0\0\0\0traffic");
        control.drop_traffic();
        assert_eq!(control.octets, [0; 4]);
        control.drain_to(&mut BytesMut::new());
        control.writer().extend_from_slice(b"more");
        control.wipe_handshake();
        assert_eq!(control.octets, b"more");
    }

    #[test]
    fn little_room_is_kept_for_the_next_ping_and_more_is_given_back() {
        for (capacity, is_kept) in [(IDLE_CAPACITY, true), (10 * IDLE_CAPACITY, false)] {
            let mut control = ControlQueue::new();
            control.octets = Vec::with_capacity(capacity);
            control.drain_to(&mut BytesMut::new());
            assert_eq!(control.octets.capacity() >= capacity, is_kept);
        }
    }
}
