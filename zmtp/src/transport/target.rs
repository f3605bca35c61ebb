//! What can be connected to.

use std::io;

#[cfg(unix)]
use super::ipc::{self, IpcTarget};
use super::tcp;
use super::{Stream, TransportOptions, UnusableEndpoint};
use crate::endpoint::{Endpoint, PeerAddress, TcpEndpoint};

/// An endpoint that names somebody to connect to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Tcp(TcpEndpoint),
    #[cfg(unix)]
    Ipc(IpcTarget),
}

impl Target {
    /// Checks what can be checked without connecting.
    pub(crate) fn new(
        endpoint: &Endpoint,
        options: &TransportOptions,
    ) -> Result<Self, UnusableEndpoint> {
        match endpoint {
            Endpoint::Tcp(tcp) if tcp.is_wildcard() => Err(UnusableEndpoint::Wildcard),
            Endpoint::Tcp(tcp) => {
                let keep_alive = options.tcp.keep_alive.as_ref();
                if keep_alive.is_some_and(|it| !it.is_usable()) {
                    return Err(UnusableEndpoint::KeepAlive);
                }
                if options.tcp.proxy.is_some() {
                    tcp::check_target(tcp)?;
                }
                Ok(Self::Tcp(tcp.clone()))
            }
            #[cfg(unix)]
            Endpoint::Ipc(ipc) => ipc::target(ipc).map(Self::Ipc),
            #[cfg(not(unix))]
            Endpoint::Ipc(_) => Err(UnusableEndpoint::Unsupported),
            Endpoint::Inproc(_) => Err(UnusableEndpoint::Unsupported),
        }
    }

    /// Connects once.
    ///
    /// # Cancel safety
    ///
    /// Nothing remains of the attempt if the future is dropped.
    ///
    /// Of several addresses of a host another is tried first for each `attempt`.
    pub(crate) async fn connect(
        &self,
        options: &TransportOptions,
        attempt: usize,
    ) -> io::Result<(Stream, PeerAddress)> {
        match self {
            Self::Tcp(endpoint) => {
                let (stream, address) = tcp::connect(endpoint, options, attempt).await?;
                Ok((Stream::Tcp(stream), PeerAddress::Tcp(address)))
            }
            #[cfg(unix)]
            Self::Ipc(target) => {
                let (stream, peer) = ipc::connect(target, options).await?;
                Ok((Stream::Ipc(stream), PeerAddress::Ipc(peer)))
            }
        }
    }
}
