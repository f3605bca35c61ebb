//! Where a peer is, as the operating system tells it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::endpoint::EndpointName;

/// The far end of a connection.
///
/// All of it is what the operating system says, not what the peer says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerAddress {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A Unix socket of this machine, and whose it is.
    Ipc(IpcPeer),
    /// A name within this process.
    Inproc(EndpointName),
}

/// The far end of a connection within this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct IpcPeer {
    /// The name of the peer's end. Whoever connects has none as a rule.
    pub name: IpcName,
    /// The process at the peer's end, where the operating system tells it.
    pub credentials: Option<PeerCredentials>,
}

/// The name of a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IpcName {
    /// It has none.
    Unnamed,
    /// A file.
    Path(PathBuf),
    /// A name in the abstract name space of Linux, without the zero octet in front.
    Abstract(Box<[u8]>),
}

/// Who the process at the other end of a Unix socket ran as when it connected or listened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PeerCredentials {
    /// The effective user id.
    pub user_id: u32,
    /// The effective group id.
    pub group_id: u32,
    /// The process id, on systems that tell it.
    pub process_id: Option<i32>,
}

impl PeerAddress {
    /// Returns the IP address of a tcp peer.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Ipc(_) | Self::Inproc(_) => None,
        }
    }

    /// Returns the process at the other end of an ipc connection, if it is known.
    #[must_use]
    pub fn credentials(&self) -> Option<PeerCredentials> {
        match self {
            Self::Ipc(peer) => peer.credentials,
            Self::Tcp(_) | Self::Inproc(_) => None,
        }
    }
}

impl IpcPeer {
    /// Returns a peer at the end called `name`.
    #[must_use]
    pub fn new(name: IpcName, credentials: Option<PeerCredentials>) -> Self {
        Self { name, credentials }
    }
}

impl PeerCredentials {
    /// Returns the credentials of a process.
    #[must_use]
    pub fn new(user_id: u32, group_id: u32, process_id: Option<i32>) -> Self {
        Self {
            user_id,
            group_id,
            process_id,
        }
    }
}

impl From<SocketAddr> for PeerAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl From<IpcPeer> for PeerAddress {
    fn from(peer: IpcPeer) -> Self {
        Self::Ipc(peer)
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Ipc(peer) => write!(f, "ipc://{peer}"),
            Self::Inproc(name) => write!(f, "inproc://{name}"),
        }
    }
}

impl fmt::Display for IpcPeer {
    /// Prints the name, if there is one, and then the credentials in brackets, if they are known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            IpcName::Unnamed => {}
            // Anybody may have chosen the name, and it may end up on a terminal.
            IpcName::Path(path) => write!(f, "{}", path.to_string_lossy().escape_debug())?,
            IpcName::Abstract(name) => write!(f, "@{}", name.escape_ascii())?,
        }
        match &self.credentials {
            Some(credentials) => write!(f, "[{credentials}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PeerCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid {}, gid {}", self.user_id, self.group_id)?;
        match self.process_id {
            Some(process_id) => write!(f, ", pid {process_id}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_prints_with_its_transport_and_what_is_known() {
        let credentials = PeerCredentials::new(1000, 100, Some(7));
        let name = EndpointName::new("a").unwrap();
        let hostile = IpcName::Abstract(b"a\x1b[2J".to_vec().into());
        for (address, text) in [
            (
                PeerAddress::Tcp(SocketAddr::from(([192, 0, 2, 1], 5))),
                "tcp://192.0.2.1:5",
            ),
            (
                IpcPeer::new(IpcName::Unnamed, Some(credentials)).into(),
                "ipc://[uid 1000, gid 100, pid 7]",
            ),
            (
                IpcPeer::new(IpcName::Path("/run/a".into()), None).into(),
                "ipc:///run/a",
            ),
            (IpcPeer::new(hostile, None).into(), "ipc://@a\\x1b[2J"),
            (PeerAddress::Inproc(name), "inproc://a"),
        ] {
            assert_eq!(address.to_string(), text);
        }
    }
}
