//! What a caller chooses for one channel.

use std::time::Duration;

/// How a channel shows and checks life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Heartbeat {
    /// Sends no heartbeats of its own and never declares the peer lost.
    ///
    /// Heartbeats of the peer are still answered one for one, so that a peer that keeps heartbeats
    /// on does not declare this side lost. Such answers are marked and are not answered in turn.
    Off,
    /// Sends a heartbeat every interval, and declares the peer lost when nothing was heard from it
    /// for two intervals (three at the start of a channel).
    Active(Duration),
    /// Is silent until the first heartbeat of the peer, answers that one at once, and is
    /// [`Active`](Self::Active) from then on.
    Passive(Duration),
}

impl Heartbeat {
    /// The interval that every zerorpc implementation uses unless told otherwise.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

    /// The shortest interval; a shorter one is raised to it, so that a zero cannot spin.
    pub const MIN_INTERVAL: Duration = Duration::from_millis(1);

    /// Returns the interval, unless heartbeats are off.
    #[must_use]
    pub fn interval(self) -> Option<Duration> {
        match self {
            Self::Off => None,
            Self::Active(interval) | Self::Passive(interval) => {
                Some(interval.max(Self::MIN_INTERVAL))
            }
        }
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::Active(Self::DEFAULT_INTERVAL)
    }
}

/// What a client chooses for one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelOptions {
    pub(crate) heartbeat: Heartbeat,
    pub(crate) timeout: Option<Duration>,
    pub(crate) slots: u32,
}

impl ChannelOptions {
    /// How long the first reply may take unless told otherwise, as in Python.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

    /// How many stream items a receiver makes room for unless told otherwise, as in Python.
    pub const DEFAULT_SLOTS: u32 = 100;

    /// Sets how the channel shows and checks life.
    #[must_use]
    pub fn with_heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Sets how long the first reply may take; `None` waits for as long as the server lives.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many stream items the server may send ahead of their consumption, at least one.
    ///
    /// More than [`DEFAULT_SLOTS`](Self::DEFAULT_SLOTS) open one grant after the other, only as far
    /// as the items in them stay below 4 MiB, and only for servers that understand `_zpc_cancel`:
    /// the sockets of others drop what is sent too far ahead.
    #[must_use]
    pub fn with_slots(mut self, slots: u32) -> Self {
        self.slots = slots.max(1);
        self
    }

    /// Returns how the channel shows and checks life.
    #[must_use]
    pub fn heartbeat(&self) -> Heartbeat {
        self.heartbeat
    }

    /// Returns how long the first reply may take.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Returns how many stream items the server may send ahead.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.slots
    }
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self {
            heartbeat: Heartbeat::default(),
            timeout: Some(Self::DEFAULT_TIMEOUT),
            slots: Self::DEFAULT_SLOTS,
        }
    }
}
