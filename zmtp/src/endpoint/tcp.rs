//! Hosts and ports.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::endpoint::{EndpointError, Zone, ZonedIpv6};

/// A host and a port, and where to connect from if that matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TcpEndpoint {
    /// Where to listen, or whom to reach.
    pub host: Host,
    /// The port on that host.
    pub port: Port,
    /// Where to connect from; only for connecting.
    pub source: Option<TcpSource>,
}

/// The end of a connection on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TcpSource {
    /// An address, an interface or a name of this machine.
    pub host: Host,
    /// The port to connect from; a wildcard is the usual choice.
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
    /// An IPv6 address that means something on one link alone.
    ZonedIpv6(ZonedIpv6),
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
    /// Returns the endpoint of a host and a port.
    #[must_use]
    pub fn new(host: Host, port: Port) -> Self {
        Self {
            host,
            port,
            source: None,
        }
    }

    /// Connects from this host and port.
    #[must_use]
    pub fn with_source(mut self, host: Host, port: Port) -> Self {
        self.source = Some(TcpSource { host, port });
        self
    }

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
        // disagree about what it means. But eth0.100 is an interface, that of a virtual network.
        let last_label = name.strip_suffix('.').unwrap_or(name).rsplit('.').next();
        let ends_in_number =
            last_label.is_some_and(|label| label.chars().all(|c| c.is_ascii_digit()));
        if ends_in_number && !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
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
        let Some((source, destination)) = address.split_once(';') else {
            let (host, port) = host_and_port(address)?;
            return Ok(Self::new(host, port));
        };
        let (host, port) = host_and_port(destination)?;
        let (source_host, source_port) = host_and_port(source)?;
        Ok(Self::new(host, port).with_source(source_host, source_port))
    }
}

fn host_and_port(address: &str) -> Result<(Host, Port), EndpointError> {
    // The colons of an address in brackets come before the last bracket.
    let after_brackets = address.rfind(']').unwrap_or(0);
    let (host, port) = address
        .rfind(':')
        .filter(|&colon| colon >= after_brackets)
        .and_then(|colon| Some((address.get(..colon)?, address.get(colon + 1..)?)))
        .ok_or_else(|| EndpointError::MissingPort {
            address: address.to_owned(),
        })?;
    Ok((host.parse()?, port.parse()?))
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
                .and_then(ipv6)
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
        if let Some(source) = &self.source {
            write!(f, "{}:{};", source.host, source.port)?;
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Ipv4(address) => address.fmt(f),
            Self::Ipv6(address) => write!(f, "[{address}]"),
            Self::ZonedIpv6(zoned) => write!(f, "[{zoned}]"),
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
        let host = match address {
            SocketAddr::V6(address) if address.scope_id() != 0 => Host::ZonedIpv6(ZonedIpv6 {
                address: *address.ip(),
                zone: Zone::Index(address.scope_id()),
            }),
            _ => address.ip().into(),
        };
        Self::new(host, address.port().into())
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

/// What stands in brackets.
fn ipv6(address: &str) -> Option<Host> {
    match address.contains('%') {
        true => address.parse().ok().map(Host::ZonedIpv6),
        false => address.parse().ok().map(Host::Ipv6),
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}
