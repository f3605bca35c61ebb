//! Endpoints of any transport.

use std::fmt;
use std::str::FromStr;

use crate::endpoint::{EndpointError, EndpointName, TcpEndpoint};

/// Where a socket binds or connects to.
///
/// # Example
///
/// ```
/// use zmtp::Endpoint;
///
/// let endpoint: Endpoint = "tcp://[::1]:5555".parse()?;
/// assert_eq!(endpoint.to_string(), "tcp://[::1]:5555");
///
/// let error = "tcp://localhost".parse::<Endpoint>().unwrap_err();
/// assert_eq!(error.to_string(), "endpoint address 'localhost' has no port");
/// # Ok::<(), zmtp::EndpointError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A host and a port.
    Tcp(TcpEndpoint),
    /// A socket within this machine.
    Ipc(IpcEndpoint),
    /// A name within this process.
    Inproc(EndpointName),
}

/// A Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IpcEndpoint {
    /// A path in the file system. To use a file whose name begins with `@`, or is `*`, put the
    /// directory in front.
    Path(EndpointName),
    /// A name in the abstract name space of Linux.
    Abstract(EndpointName),
    /// Whatever path is free; only for binding.
    Wildcard,
}

impl Endpoint {
    /// Returns whether it names anything that is free, or any interface, rather than one place.
    ///
    /// One can bind to such an endpoint and not connect to it.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.is_wildcard(),
            Self::Ipc(ipc) => *ipc == IpcEndpoint::Wildcard,
            Self::Inproc(_) => false,
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let Some((transport, address)) = text.split_once("://") else {
            return Err(EndpointError::MissingTransport {
                endpoint: text.to_owned(),
            });
        };
        match transport {
            "tcp" => address.parse().map(Self::Tcp),
            "ipc" => address.parse().map(Self::Ipc),
            "inproc" => EndpointName::new(address).map(Self::Inproc),
            "" => Err(EndpointError::MissingTransport {
                endpoint: text.to_owned(),
            }),
            _ => Err(EndpointError::UnknownTransport {
                transport: transport.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(tcp) => write!(f, "tcp://{tcp}"),
            Self::Ipc(ipc) => write!(f, "ipc://{ipc}"),
            Self::Inproc(name) => write!(f, "inproc://{name}"),
        }
    }
}

/// As its text.
#[cfg(feature = "serde")]
impl serde::Serialize for Endpoint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Endpoint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl From<TcpEndpoint> for Endpoint {
    fn from(tcp: TcpEndpoint) -> Self {
        Self::Tcp(tcp)
    }
}

impl FromStr for IpcEndpoint {
    type Err = EndpointError;

    fn from_str(address: &str) -> Result<Self, EndpointError> {
        match address.strip_prefix('@') {
            _ if address == "*" => Ok(Self::Wildcard),
            Some(name) => EndpointName::new(name).map(Self::Abstract),
            None => EndpointName::new(address).map(Self::Path),
        }
    }
}

impl fmt::Display for IpcEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Abstract(name) => write!(f, "@{name}"),
            Self::Wildcard => f.write_str("*"),
        }
    }
}
