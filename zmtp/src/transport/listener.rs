//! A listener of any transport.

use std::io;

use tokio::net::TcpListener;

#[cfg(unix)]
use super::ipc::{self, IpcListener};
use super::tcp;
use super::{BindFailure, Stream, UnusableEndpoint};
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
    backlog: u32,
) -> Result<(Listener, Endpoint), BindFailure> {
    match endpoint {
        Endpoint::Tcp(tcp_endpoint) => {
            let (listener, bound) = tcp::bind(tcp_endpoint, backlog).await?;
            Ok((Listener::Tcp(listener), Endpoint::Tcp(bound)))
        }
        #[cfg(unix)]
        Endpoint::Ipc(ipc_endpoint) => {
            let (listener, bound) = ipc::bind(ipc_endpoint, backlog).await?;
            Ok((Listener::Ipc(listener), Endpoint::Ipc(bound)))
        }
        #[cfg(not(unix))]
        Endpoint::Ipc(_) => Err(UnusableEndpoint::Unsupported.into()),
        Endpoint::Inproc(_) => Err(UnusableEndpoint::Unsupported.into()),
    }
}

impl Listener {
    /// Waits for the next connection.
    ///
    /// # Cancel safety
    ///
    /// No connection is lost if the future is dropped.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, PeerAddress)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                tcp::set_no_delay(&stream);
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
