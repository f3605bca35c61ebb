//! What both sides of a channel have in common.

use std::time::{Duration, Instant};

use super::pulse::later;
use super::{ClientSide, Credit, Pulse, ServerSide};
use crate::event::{MessageId, Version};

/// One open channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) peer: u32,
    pub(crate) id: MessageId,
    pub(crate) pulse: Pulse,
    /// Until when the client's first reply, or the server's request, has to come.
    pub(crate) expiry: Option<Expiry>,
    /// The heap entry that stands for this channel; any other is stale.
    pub(crate) scheduled: Option<Instant>,
    pub(crate) control: Control,
    pub(crate) dialect: Dialect,
    pub(crate) side: Side,
}

/// Which end of the channel this is.
#[derive(Debug)]
pub(crate) enum Side {
    Client(ClientSide),
    Server(ServerSide),
}

/// A point in time after which waiting is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) at: Instant,
    pub(crate) after: Duration,
}

/// Control events that wait for the socket: at most one of each kind for a channel, so a blocked
/// peer cannot pile them up. They are encoded when they are polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) heartbeat: Queued,
    pub(crate) grant: Credit,
}

/// Whether something waits in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queued {
    No,
    Yes,
}

/// How the peer of a channel wants credit, decided by the first event that it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// It has sent nothing yet.
    Unknown,
    /// Versions 1 and 2: a heartbeat carries it.
    CreditInHeartbeat,
    /// Version 3: it has an event of its own.
    CreditInMore,
}

impl Channel {
    /// Returns when time has to be handled next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let expiry = self.expiry.map(|expiry| expiry.at);
        match (self.pulse.deadline(), expiry) {
            (Some(pulse), Some(expiry)) => Some(pulse.min(expiry)),
            (pulse, expiry) => pulse.or(expiry),
        }
    }

    /// Returns how many things of the channel itself wait for the socket: its request, its heartbeat,
    /// its grant.
    pub(crate) fn queued_count(&self) -> usize {
        let request = matches!(&self.side, Side::Client(client) if client.request.is_some());
        let heartbeat = self.control.heartbeat == Queued::Yes;
        let grant = self.control.grant != Credit::NONE;
        [request, heartbeat, grant]
            .into_iter()
            .map(usize::from)
            .sum()
    }
}

impl Expiry {
    pub(crate) fn new(now: Instant, after: Duration) -> Self {
        Self {
            at: later(now, after),
            after,
        }
    }
}

impl Control {
    pub(crate) const fn new() -> Self {
        Self {
            heartbeat: Queued::No,
            grant: Credit::NONE,
        }
    }
}

impl From<Version> for Dialect {
    fn from(version: Version) -> Self {
        match version {
            Version::V1 | Version::V2 => Self::CreditInHeartbeat,
            Version::V3 => Self::CreditInMore,
        }
    }
}
