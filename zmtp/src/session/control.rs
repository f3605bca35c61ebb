//! What the session itself has to send.

use bytes::{BufMut, BytesMut};

use crate::session::liveness::LastPing;
use crate::session::{Heartbeat, Violation};
use crate::wire::command::{Command, PingContext};

/// Whole frames, and the greeting, that wait to be sent between messages.
#[derive(Debug)]
pub(super) struct ControlQueue {
    octets: Vec<u8>,
    pong_count: usize,
    last_ping: LastPing,
}

impl ControlQueue {
    pub(super) const fn new() -> Self {
        Self {
            octets: Vec::new(),
            pong_count: 0,
            last_ping: LastPing::Sent,
        }
    }

    /// Where to append anything that nobody needs to count.
    pub(super) const fn writer(&mut self) -> &mut impl BufMut {
        &mut self.octets
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
        self.octets.clear();
        if self.octets.capacity() > IDLE_CAPACITY {
            self.octets = Vec::new();
        }
        self.pong_count = 0;
        self.last_ping = LastPing::Sent;
        len
    }
}

/// What an idle connection may keep for the next PING.
const IDLE_CAPACITY: usize = 256;
