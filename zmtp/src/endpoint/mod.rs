//! Layer 0: where sockets bind and connect to, as text and as values, and where peers are.
//!
//! ```text
//! tcp://host:port     host: a name, an interface, 192.0.2.1, [2001:db8::1], [fe80::1%eth0],
//!                     or * for all
//!                     port: 1 to 65535, or * (also 0) for any that is free
//! tcp://host:port;host:port
//!                     connects from the first (an interface, an address or *; * or 0 for any
//!                     port) to the second
//! ipc://path          a Unix socket in the file system; * for any
//! ipc://@name         a Unix socket in the abstract name space of Linux
//! inproc://name       a name within this process
//! ```
//!
//! An [`Endpoint`] that was parsed prints as what parses to the same again.

mod address;
mod error;
mod ip_network;
mod name;
mod peer_address;
mod tcp;
mod zone;

pub use address::{Endpoint, IpcEndpoint};
pub use error::EndpointError;
pub use ip_network::{IpNetwork, IpNetworkError};
pub use name::EndpointName;
pub use peer_address::{IpcName, IpcPeer, PeerAddress, PeerCredentials};
pub use tcp::{Host, HostName, Port, TcpEndpoint, TcpSource};
pub use zone::{Zone, ZonedIpv6};

#[cfg(test)]
mod tests;
