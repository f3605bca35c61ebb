//! Hosts and ports.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::endpoint::EndpointError;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "an address of this transport has these two parts"
)]
pub struct TcpEndpoint {
    /// Where to listen, or whom to reach.
    pub host: Host,
    /// The port on that host.
    pub port: Port,
}

/// A host, or an interface of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// The name of a host, or of an interface to bind to.
    Name(HostName),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// All interfaces; only for binding.
    Wildcard,
}

/// The name of a host or an interface.
///
/// It has letters, digits, `-`, `_` and `.`, at most 253 of them, and does not look like an
/// address. Names outside of ASCII have to be given in their ASCII form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostName(Box<str>);

/// A tcp port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a port is known or it is not")]
pub enum Port {
    /// This port, which is not 0.
    Fixed(u16),
    /// Whatever port is free; only for binding.
    Wildcard,
}

impl TcpEndpoint {
    /// Returns whether the host or the port is a wildcard.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.host == Host::Wildcard || self.port == Port::Wildcard
    }
}

impl HostName {
    /// The longest name.
    pub const MAX_LEN: usize = 253;

    /// Returns a name.
    ///
    /// # Errors
    ///
    /// Returns an [`EndpointError`] if the text is empty, too long, has another character, or
    /// looks like an IPv4 address.
    pub fn new(name: &str) -> Result<Self, EndpointError> {
        if name.is_empty() {
            return Err(EndpointError::EmptyHost);
        }
        if name.len() > Self::MAX_LEN || !name.chars().all(is_name_char) {
            return Err(EndpointError::InvalidHost {
                host: name.to_owned(),
            });
        }
        // No top-level domain is a number, so this is an address with an error in it. Resolvers
        // disagree about what it means.
        let last_label = name.strip_suffix('.').unwrap_or(name).rsplit('.').next();
        if last_label.is_some_and(|label| label.chars().all(|c| c.is_ascii_digit())) {
            return Err(EndpointError::InvalidIpv4 {
                host: name.to_owned(),
            });
        }
        Ok(Self(name.into()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TcpEndpoint {
    type Err = EndpointError;

    fn from_str(address: &str) -> Result<Self, EndpointError> {
        // The colons of an address in brackets come before the last bracket.
        let after_brackets = address.rfind(']').unwrap_or(0);
        let (host, port) = address
            .rfind(':')
            .filter(|&colon| colon >= after_brackets)
            .and_then(|colon| Some((address.get(..colon)?, address.get(colon + 1..)?)))
            .ok_or_else(|| EndpointError::MissingPort {
                address: address.to_owned(),
            })?;
        Ok(Self {
            host: host.parse()?,
            port: port.parse()?,
        })
    }
}

impl FromStr for Host {
    type Err = EndpointError;

    fn from_str(host: &str) -> Result<Self, EndpointError> {
        if host == "*" {
            return Ok(Self::Wildcard);
        }
        if host.starts_with('[') || host.ends_with(']') {
            return host
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .and_then(|address| address.parse().ok())
                .map(Self::Ipv6)
                .ok_or_else(|| EndpointError::InvalidIpv6 {
                    host: host.to_owned(),
                });
        }
        if host.contains(':') {
            return Err(EndpointError::MissingBrackets {
                host: host.to_owned(),
            });
        }
        match host.parse() {
            Ok(address) => Ok(Self::Ipv4(address)),
            Err(_) => HostName::new(host).map(Self::Name),
        }
    }
}

impl FromStr for Port {
    type Err = EndpointError;

    fn from_str(port: &str) -> Result<Self, EndpointError> {
        if port == "*" {
            return Ok(Self::Wildcard);
        }
        // The parser of integers would take a sign, too.
        let is_number = port.chars().all(|c| c.is_ascii_digit());
        match port.parse::<u16>() {
            Ok(number) if is_number => Ok(Self::from(number)),
            _ => Err(EndpointError::InvalidPort {
                port: port.to_owned(),
            }),
        }
    }
}

impl fmt::Display for TcpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Ipv4(address) => address.fmt(f),
            Self::Ipv6(address) => write!(f, "[{address}]"),
            Self::Wildcard => f.write_str("*"),
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(number) => number.fmt(f),
            Self::Wildcard => f.write_str("*"),
        }
    }
}

impl From<SocketAddr> for TcpEndpoint {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: address.ip().into(),
            port: address.port().into(),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::Ipv4(address),
            IpAddr::V6(address) => Self::Ipv6(address),
        }
    }
}

impl From<u16> for Port {
    /// Returns the port of this number; 0 stands for any port, as it does for the system.
    fn from(number: u16) -> Self {
        match number {
            0 => Self::Wildcard,
            _ => Self::Fixed(number),
        }
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}
