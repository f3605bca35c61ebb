//! Protocol versions as greetings announce them.

use std::fmt;

/// A version of ZMTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the protocol has two octets for it"
)]
pub struct Version {
    /// The major version; peers of the same major version understand each other.
    pub major: u8,
    /// The minor version.
    pub minor: u8,
}

impl Version {
    /// ZMTP 1.0, spoken by ZeroMQ 2.x.
    pub const V1_0: Self = Self { major: 1, minor: 0 };
    /// ZMTP 2.0, spoken by ZeroMQ 3.x.
    pub const V2_0: Self = Self { major: 2, minor: 0 };
    /// ZMTP 3.0, which has no commands for subscriptions and heartbeats.
    pub const V3_0: Self = Self { major: 3, minor: 0 };
    /// ZMTP 3.1, the version that this crate announces.
    pub const V3_1: Self = Self { major: 3, minor: 1 };
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
