//! Whether the peer is still there.

use std::time::{Duration, Instant};

use crate::session::{Heartbeat, Timeout};

/// The clockwork of an open session.
///
/// Octets that come in only leave a time behind; every deadline is computed from it when somebody
/// asks. So messages arm no timers.
#[derive(Debug)]
pub(super) struct Liveness {
    last_received: Instant,
    /// How long the peer allows itself to be silent, as its last PING said.
    peer_ttl: Option<Duration>,
    pinging: Option<Pinging>,
}

#[derive(Debug)]
struct Pinging {
    heartbeat: Heartbeat,
    /// `None` is beyond what a clock can show, and so never comes.
    next_at: Option<Instant>,
    unanswered: Option<Unanswered>,
}

/// PINGs since the last sign of life.
#[derive(Debug, Clone, Copy)]
struct Unanswered {
    since: Instant,
    count: u8,
    /// What has become of the first of them.
    first: LastPing,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping(Heartbeat),
}

/// What has become of the last PING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastPing {
    /// It waits behind a writer that is blocked.
    Waiting,
    /// It went out.
    Sent,
}

impl Liveness {
    pub(super) fn new(heartbeat: Option<Heartbeat>, now: Instant) -> Self {
        let pinging = heartbeat.map(|mut heartbeat| {
            heartbeat.interval = heartbeat.interval.max(MIN_INTERVAL);
            heartbeat.timeout = heartbeat.timeout.max(MIN_INTERVAL);
            Pinging {
                heartbeat,
                next_at: now.checked_add(heartbeat.interval),
                unanswered: None,
            }
        });
        Self {
            last_received: now,
            peer_ttl: None,
            pinging,
        }
    }

    /// Octets came `[ZMTP31-138]`.
    #[inline]
    pub(super) const fn recv(&mut self, now: Instant) {
        self.last_received = now;
    }

    /// Octets came, and no PING can be later than they: this is the one thing that times cannot
    /// tell, if a PING and its answer share one.
    pub(super) const fn recv_answer(&mut self, now: Instant) {
        self.last_received = now;
        if let Some(pinging) = &mut self.pinging {
            pinging.unanswered = None;
        }
    }

    /// A PING came, and sets its own time to live `[ZMTP31-140]`.
    pub(super) const fn recv_ping(&mut self, ttl: Option<Duration>) {
        self.peer_ttl = ttl;
    }

    /// Finds out what is due at `now`.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        last_ping: LastPing,
    ) -> Result<Due, Timeout> {
        if self.peer_deadline().is_some_and(|deadline| deadline <= now) {
            return Err(Timeout::TimeToLive);
        }
        let last_received = self.last_received;
        let Some(pinging) = &mut self.pinging else {
            return Ok(Due::Nothing);
        };
        pinging.settle(last_received, last_ping);
        if pinging.deadline().is_some_and(|deadline| deadline <= now) {
            // A peer that never got a PING has not failed to answer it.
            if pinging.has_sent() {
                return Err(Timeout::Heartbeat);
            }
            pinging.postpone(now);
        }
        Ok(pinging.poll_ping(now))
    }

    /// When something is due; octets may move it away without anybody being told.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let pinging = self.pinging.as_ref();
        let deadline = pinging
            .filter(|pinging| pinging.is_unanswered(self.last_received))
            .and_then(Pinging::deadline);
        let next_ping = pinging.and_then(|pinging| pinging.next_at);
        [deadline, next_ping, self.peer_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn peer_deadline(&self) -> Option<Instant> {
        self.last_received.checked_add(self.peer_ttl?)
    }
}

impl Pinging {
    fn settle(&mut self, last_received: Instant, last_ping: LastPing) {
        if !self.is_unanswered(last_received) {
            self.unanswered = None;
        }
        // A later PING may wait again, and changes nothing about the first one.
        if let Some(unanswered) = &mut self.unanswered
            && last_ping == LastPing::Sent
        {
            unanswered.first = LastPing::Sent;
        }
    }

    fn has_sent(&self) -> bool {
        self.unanswered
            .is_some_and(|unanswered| unanswered.first == LastPing::Sent)
    }

    fn is_unanswered(&self, last_received: Instant) -> bool {
        self.unanswered
            .is_some_and(|unanswered| last_received <= unanswered.since)
    }

    fn deadline(&self) -> Option<Instant> {
        self.unanswered?.since.checked_add(self.heartbeat.timeout)
    }

    fn postpone(&mut self, now: Instant) {
        if let Some(unanswered) = &mut self.unanswered {
            unanswered.since = now;
        }
    }

    fn poll_ping(&mut self, now: Instant) -> Due {
        if self.next_at.is_none_or(|next_at| now < next_at) {
            return Due::Nothing;
        }
        self.next_at = now.checked_add(self.heartbeat.interval);
        let unanswered = self.unanswered.unwrap_or(Unanswered {
            since: now,
            count: 0,
            first: LastPing::Waiting,
        });
        if unanswered.count >= MAX_UNANSWERED {
            return Due::Nothing;
        }
        self.unanswered = Some(Unanswered {
            count: unanswered.count + 1,
            ..unanswered
        });
        Due::Ping(self.heartbeat)
    }
}

/// No configuration may keep a task busy with its timers alone.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// Enough to bridge a lost wake-up of the peer; more would only pile up `[ZMTP31-142]`.
const MAX_UNANSWERED: u8 = 3;
