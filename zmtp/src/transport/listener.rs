//! A listener of any transport.

use std::io;

use tokio::net::TcpListener;

#[cfg(unix)]
use super::ipc::{self, IpcListener};
use super::tcp;
use super::{BindFailure, Stream, TransportOptions, UnusableEndpoint};
use crate::endpoint::{Endpoint, PeerAddress};

/// Accepts connections until it is dropped.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Ipc(IpcListener),
}

/// Listens on `endpoint` and tells which one that is, with wildcards resolved.
pub(crate) async fn bind(
    endpoint: &Endpoint,
    options: &TransportOptions,
) -> Result<(Listener, Endpoint), BindFailure> {
    match endpoint {
        Endpoint::Tcp(tcp) if tcp.source.is_some() => Err(UnusableEndpoint::Source.into()),
        Endpoint::Tcp(tcp_endpoint) => {
            let (listener, bound) = tcp::bind(tcp_endpoint, options).await?;
            Ok((Listener::Tcp(listener), Endpoint::Tcp(bound)))
        }
        #[cfg(unix)]
        Endpoint::Ipc(ipc_endpoint) => {
            let (listener, bound) = ipc::bind(ipc_endpoint, options).await?;
            Ok((Listener::Ipc(listener), Endpoint::Ipc(bound)))
        }
        #[cfg(not(unix))]
        Endpoint::Ipc(_) => Err(UnusableEndpoint::Unsupported.into()),
        Endpoint::Inproc(_) => Err(UnusableEndpoint::Unsupported.into()),
    }
}

/// A socket of the operating system that listens already, such as one that was handed over by the
/// program that started this one.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExistingListener {
    /// For tcp connections.
    Tcp(std::net::TcpListener),
    /// A Unix socket for ipc connections. Its file is not removed.
    #[cfg(unix)]
    Ipc(std::os::unix::net::UnixListener),
}

/// Takes over a listener that somebody else has made, and tells what it listens on.
pub(crate) fn adopt(listener: ExistingListener) -> io::Result<(Listener, Endpoint)> {
    match listener {
        ExistingListener::Tcp(listener) => {
            let (listener, bound) = tcp::adopt(listener)?;
            Ok((Listener::Tcp(listener), Endpoint::Tcp(bound)))
        }
        #[cfg(unix)]
        ExistingListener::Ipc(listener) => {
            let (listener, bound) = ipc::adopt(listener)?;
            Ok((Listener::Ipc(listener), Endpoint::Ipc(bound)))
        }
    }
}

impl From<std::net::TcpListener> for ExistingListener {
    fn from(listener: std::net::TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

#[cfg(unix)]
impl From<std::os::unix::net::UnixListener> for ExistingListener {
    fn from(listener: std::os::unix::net::UnixListener) -> Self {
        Self::Ipc(listener)
    }
}

impl Listener {
    /// Waits for the next connection.
    ///
    /// # Cancel safety
    ///
    /// No connection is lost if the future is dropped.
    pub(crate) async fn accept(
        &self,
        options: &TransportOptions,
    ) -> io::Result<(Stream, PeerAddress)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = tcp::accept(listener, &options.tcp).await?;
                Ok((Stream::Tcp(stream), PeerAddress::Tcp(address)))
            }
            #[cfg(unix)]
            Self::Ipc(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::Ipc(stream), PeerAddress::Ipc(peer)))
            }
        }
    }
}
