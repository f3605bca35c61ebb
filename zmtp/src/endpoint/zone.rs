//! IPv6 addresses that mean something on one link alone (RFC 4007).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::endpoint::{EndpointError, HostName};

/// An IPv6 address and the link on which it is good, such as `fe80::1%eth0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ZonedIpv6 {
    /// The address.
    pub address: Ipv6Addr,
    /// The link.
    pub zone: Zone,
}

/// A link, by the interface that this machine has to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an interface has a number and a name"
)]
pub enum Zone {
    /// The number of the interface.
    Index(u32),
    /// The name of the interface.
    Name(HostName),
}

impl ZonedIpv6 {
    /// Returns the address on a link.
    #[must_use]
    pub fn new(address: Ipv6Addr, zone: Zone) -> Self {
        Self { address, zone }
    }
}

impl FromStr for ZonedIpv6 {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let invalid = || EndpointError::InvalidIpv6 {
            host: text.to_owned(),
        };
        let (address, zone) = text.split_once('%').ok_or_else(invalid)?;
        if zone.is_empty() {
            return Err(invalid());
        }
        Ok(Self {
            address: address.parse().map_err(|_| invalid())?,
            zone: zone.parse()?,
        })
    }
}

impl FromStr for Zone {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        // The parser of integers would take a sign, too.
        let is_number = text.chars().all(|c| c.is_ascii_digit());
        match text.parse() {
            Ok(index) if is_number => Ok(Self::Index(index)),
            _ => HostName::new(text).map(Self::Name),
        }
    }
}

impl fmt::Display for ZonedIpv6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%{}", self.address, self.zone)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => index.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}
