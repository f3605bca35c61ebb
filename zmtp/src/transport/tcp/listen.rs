//! Listening for tcp connections.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use super::connect::set_no_delay;
use super::options::{IpVersions, TcpOptions};
use super::resolve::{local, no_address};
use crate::endpoint::{Host, Port, TcpEndpoint};
use crate::transport::TransportOptions;

/// Listens on `endpoint` and tells which one that is, with wildcards resolved.
pub(crate) async fn bind(
    endpoint: &TcpEndpoint,
    options: &TransportOptions,
) -> io::Result<(TcpListener, TcpEndpoint)> {
    let mut last_error = None;
    for address in local(&endpoint.host, endpoint.port, options.tcp.ip_versions).await? {
        match listen(address, options) {
            Ok(listener) => {
                let bound = match &endpoint.host {
                    Host::Wildcard => {
                        let port = listener.local_addr()?.port();
                        TcpEndpoint::new(Host::Wildcard, Port::from(port))
                    }
                    host @ Host::ZonedIpv6(_) => {
                        let port = listener.local_addr()?.port();
                        TcpEndpoint::new(host.clone(), Port::from(port))
                    }
                    _ => listener.local_addr()?.into(),
                };
                return Ok((listener, bound));
            }
            Err(error) => last_error = Some(error),
        }
    }
    Err(last_error.unwrap_or_else(no_address))
}

/// Takes over a listener that somebody else has made.
pub(crate) fn adopt(listener: std::net::TcpListener) -> io::Result<(TcpListener, TcpEndpoint)> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let bound = listener.local_addr()?.into();
    Ok((listener, bound))
}

/// Waits for the next connection.
pub(crate) async fn accept(
    listener: &TcpListener,
    options: &TcpOptions,
) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, address) = listener.accept().await?;
    set_no_delay(&stream);
    if let Err(error) = options.apply_to_connection(&SockRef::from(&stream), &address) {
        // The listener took the same options, so most likely the connection is gone already.
        tracing::debug!(%error, "an accepted connection was not configured");
    }
    // A listener for both versions of IP sees IPv4 addresses in the clothes of IPv6 ones.
    let address = match address.ip().to_canonical() {
        ip if ip.is_ipv4() => SocketAddr::new(ip, address.port()),
        _ => address,
    };
    Ok((stream, address))
}

fn listen(address: SocketAddr, options: &TransportOptions) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    // A restarted server gets its port back while old connections linger in TIME_WAIT. On Windows
    // the option would let another program take the port away.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(options.tcp.ip_versions == IpVersions::PreferV4)?;
    }
    options.buffers.apply(&SockRef::from(&socket))?;
    options.tcp.apply(&SockRef::from(&socket), &address)?;
    socket.bind(&address.into())?;
    socket.listen(options.backlog())?;
    TcpListener::from_std(socket.into())
}
