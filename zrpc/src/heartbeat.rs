//! How clients and servers show and check life.

use std::time::Duration;

use crate::OptionError;

/// Whether and how often a heartbeat is sent on each open call.
///
/// Both sides should use the same interval: a peer that hears nothing for two intervals of its own
/// (three at the start of a call) gives the call up. The default is 5 seconds, as in every other
/// implementation.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use zrpc::Heartbeat;
///
/// let frequent = Heartbeat::every(Duration::from_millis(200));
/// let silent = Heartbeat::off();
/// # let _ = (frequent, silent);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat(proto::Heartbeat);

impl Heartbeat {
    /// The shortest interval that clients and servers are built with: what is shorter is within
    /// the delays of a network and of the operating system, and would end calls for nothing.
    pub const MIN_INTERVAL: Duration = Duration::from_millis(10);

    /// Sends a heartbeat every `interval`, and gives a call up when nothing was heard for two.
    pub fn every(interval: Duration) -> Self {
        Self(proto::Heartbeat::Active(interval))
    }

    /// Sends no heartbeats and never gives a call up. A peer that has heartbeats on is answered, so
    /// that it does not give up either, unless what it sent before its heartbeats takes longer than
    /// it waits. A server of this crate says so then, with an error of the name `LostRemote`.
    pub fn off() -> Self {
        Self(proto::Heartbeat::Off)
    }

    /// Is silent until the other side's first heartbeat, and goes on as with
    /// [`every`](Self::every) from then. It suits servers that do not know heartbeats.
    pub fn passive(interval: Duration) -> Self {
        Self(proto::Heartbeat::Passive(interval))
    }

    /// The same interval, but passive; without one there is nothing to be passive with.
    pub(crate) fn into_passive(self) -> Result<Self, OptionError> {
        match self.0 {
            proto::Heartbeat::Active(interval) | proto::Heartbeat::Passive(interval) => {
                Ok(Self::passive(interval))
            }
            _ => Err(OptionError::PassiveWithoutHeartbeat),
        }
    }

    /// Refuses an interval that no network keeps.
    pub(crate) fn check(self) -> Result<(), OptionError> {
        let (proto::Heartbeat::Active(interval) | proto::Heartbeat::Passive(interval)) = self.0
        else {
            return Ok(());
        };
        if interval < Self::MIN_INTERVAL {
            return Err(OptionError::HeartbeatTooShort {
                interval,
                min: Self::MIN_INTERVAL,
            });
        }
        Ok(())
    }

    pub(crate) fn to_proto(self) -> proto::Heartbeat {
        self.0
    }

    /// How long the start of a call may go unanswered, unless nobody watches.
    pub(crate) fn patience(self) -> Option<Patience> {
        match self.0 {
            proto::Heartbeat::Active(_) => self.0.interval().map(|interval| Patience {
                silence: interval.saturating_mul(3),
                reported: interval.saturating_mul(2),
            }),
            _ => None,
        }
    }
}

/// How long the start of a call may go unanswered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long it is.
    pub(crate) silence: Duration,
    /// What the error says, after Python's.
    pub(crate) reported: Duration,
}

impl Default for Heartbeat {
    /// Every 5 seconds.
    fn default() -> Self {
        Self(proto::Heartbeat::default())
    }
}
