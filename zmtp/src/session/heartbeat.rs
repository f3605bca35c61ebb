//! How a silent peer is asked for signs of life.

use std::time::Duration;

use crate::wire::command::{PingTtl, PingTtlError};

/// The heartbeat of a session: PING at an interval, and patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heartbeat {
    /// The time between two PINGs; less than a millisecond counts as one.
    pub interval: Duration,
    /// How long nothing may come after a PING before the peer counts as lost; less than a
    /// millisecond counts as one.
    ///
    /// It counts from the first PING that nothing has come after. While that one cannot be sent,
    /// because the peer does not read, it starts over; PINGs behind it change nothing.
    pub timeout: Duration,
    /// How long we may be silent before the peer may count us as lost.
    pub ttl: PingTtl,
}

impl Heartbeat {
    /// Returns a heartbeat that waits for one more interval and sets the peer no time.
    pub const fn new(interval: Duration) -> Self {
        Self {
            interval,
            timeout: interval,
            ttl: PingTtl::NONE,
        }
    }

    /// Sets how long nothing may come after a PING.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long we may be silent, in tenths of a second, rounded down; but less than a tenth counts
    /// as one. In libzmq it counts as none.
    ///
    /// Keep it at or below 65.5 seconds where the peer may be libzmq: it takes the next larger
    /// value for a few milliseconds `[INT-014]`.
    ///
    /// # Errors
    ///
    /// Returns a [`PingTtlError`] beyond the 6553.5 seconds that a PING can say.
    pub fn with_ttl(mut self, ttl: Duration) -> Result<Self, PingTtlError> {
        self.ttl = PingTtl::new(ttl)?;
        Ok(self)
    }
}
