//! The tcp transport.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

use crate::endpoint::{Host, Port, TcpEndpoint};

/// Listens on `endpoint` and tells which one that is, with wildcards resolved.
pub(crate) async fn bind(
    endpoint: &TcpEndpoint,
    backlog: u32,
) -> io::Result<(TcpListener, TcpEndpoint)> {
    let mut last_error = None;
    for address in resolve(endpoint).await? {
        match listen(address, backlog) {
            Ok(listener) => {
                let address = listener.local_addr()?;
                let host = match &endpoint.host {
                    Host::Wildcard => Host::Wildcard,
                    _ => Host::from(address.ip()),
                };
                let bound = TcpEndpoint {
                    host,
                    port: Port::Fixed(address.port()),
                };
                return Ok((listener, bound));
            }
            Err(error) => last_error = Some(error),
        }
    }
    Err(last_error.unwrap_or_else(no_address))
}

/// Connects to the first address of `endpoint` that answers.
///
/// The name is resolved anew each time, so that a peer that moved is found again.
pub(crate) async fn connect(endpoint: &TcpEndpoint) -> io::Result<(TcpStream, SocketAddr)> {
    let mut last_error = None;
    for address in resolve(endpoint).await? {
        match TcpStream::connect(address).await {
            // A port of this machine that nobody listens on may be given to the connecting end
            // itself, which then finds its own other end.
            Ok(stream) if stream.local_addr().ok() == Some(address) => {
                last_error = Some(io::ErrorKind::ConnectionRefused.into());
            }
            Ok(stream) => {
                set_no_delay(&stream);
                return Ok((stream, address));
            }
            Err(error) => last_error = Some(error),
        }
    }
    Err(last_error.unwrap_or_else(no_address))
}

/// Sends each write at once; this crate batches better than Nagle's algorithm.
pub(crate) fn set_no_delay(stream: &TcpStream) {
    // Fails only for a connection that is gone already, which the next read will tell.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restarted server gets its port back while old connections linger in TIME_WAIT. On Windows
    // the option would let another program take the port away.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

async fn resolve(endpoint: &TcpEndpoint) -> io::Result<Vec<SocketAddr>> {
    let port = match endpoint.port {
        Port::Fixed(port) => port,
        Port::Wildcard => 0,
    };
    Ok(match &endpoint.host {
        Host::Wildcard => vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)],
        Host::Ipv4(address) => vec![SocketAddr::new(IpAddr::V4(*address), port)],
        Host::Ipv6(address) => vec![SocketAddr::new(IpAddr::V6(*address), port)],
        Host::Name(name) => lookup_host((name.as_str(), port)).await?.collect(),
    })
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the name has no address")
}
