//! What PING and PONG carry.

use std::time::Duration;

use thiserror::Error;

use crate::message::Part;
use crate::wire::command::CommandError;

/// How long the sender of a PING may be silent before its peer may take it for dead.
///
/// Tenths of a second on the wire; zero means that there is no such time `[ZMTP31-130]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PingTtl(u16);

/// Misuse: a time to live is too long for a PING.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("heartbeat time to live of {ttl:?} exceeds the limit of {limit:?}")]
#[non_exhaustive]
pub struct PingTtlError {
    /// The time that was asked for.
    pub ttl: Duration,
    /// The longest time that can be sent.
    pub limit: Duration,
}

impl PingTtl {
    /// No time to live.
    pub const NONE: Self = Self(0);
    /// The longest time to live, nearly two hours.
    pub const MAX: Self = Self(u16::MAX);

    /// Returns the time to live for a duration, rounded down to tenths of a second; but
    /// less than a tenth counts as one, as zero would say that there is none.
    ///
    /// # Errors
    ///
    /// Returns a [`PingTtlError`] if that is more than [`MAX`](Self::MAX).
    pub fn new(ttl: Duration) -> Result<Self, PingTtlError> {
        let units = ttl.as_millis() / MILLIS_PER_UNIT;
        u16::try_from(units.max(u128::from(!ttl.is_zero())))
            .map(Self)
            .map_err(|_| PingTtlError {
                ttl,
                limit: duration(u16::MAX),
            })
    }

    /// Returns the time to live as tenths of a second.
    pub const fn deciseconds(self) -> u16 {
        self.0
    }

    /// Returns the time to live, or `None` if there is none.
    pub fn duration(self) -> Option<Duration> {
        // [ZMTP31-131] Computed in more than 16 bits: 656 tenths are 65.6 seconds.
        (self.0 != 0).then(|| duration(self.0))
    }

    pub(super) const fn from_octets(octets: [u8; 2]) -> Self {
        Self(u16::from_be_bytes(octets))
    }
}

/// Up to 16 octets in a PING that come back in its PONG.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PingContext(Part);

impl PingContext {
    /// The longest context.
    pub const MAX_LEN: usize = 16;

    /// Returns a context.
    ///
    /// # Errors
    ///
    /// Returns [`CommandError::ContextTooLong`] for more than 16 octets `[ZMTP31-133]`.
    pub fn new(octets: &[u8]) -> Result<Self, CommandError> {
        if octets.len() > Self::MAX_LEN {
            return Err(CommandError::ContextTooLong {
                len: octets.len(),
                limit: Self::MAX_LEN,
            });
        }
        Ok(Self(octets.into()))
    }

    /// Returns the octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn duration(deciseconds: u16) -> Duration {
    Duration::from_millis(u64::from(deciseconds).saturating_mul(100))
}

const MILLIS_PER_UNIT: u128 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_is_rounded_down_but_not_to_nothing_and_bounded() {
        // [ZMTP31-130]
        for (millis, deciseconds) in [
            (0, Some(0)),
            (1, Some(1)),
            (99, Some(1)),
            (199, Some(1)),
            (250, Some(2)),
            (6_553_599, Some(u16::MAX)),
            (6_553_600, None),
        ] {
            let ttl = PingTtl::new(Duration::from_millis(millis));
            assert_eq!(ttl.ok().map(PingTtl::deciseconds), deciseconds);
        }
        assert!(PingTtl::new(Duration::MAX).is_err());
    }

    #[test]
    fn received_ttl_does_not_wrap() {
        // [ZMTP31-131]
        let ttl = PingTtl::from_octets([0x02, 0x90]);
        assert_eq!(ttl.duration(), Some(Duration::from_millis(65_600)));
        assert_eq!(
            PingTtl::MAX.duration(),
            Some(Duration::from_millis(6_553_500))
        );
        assert_eq!(PingTtl::NONE.duration(), None);
    }
}
