//! Making tcp connections.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::options::IpVersions;
use super::resolve::{local, no_address, remote};
use super::socks::{NEGOTIATION_TIMEOUT, negotiate};
use crate::endpoint::{TcpEndpoint, TcpSource};
use crate::transport::TransportOptions;

/// How long an address has to answer before the next one is tried beside it: the "Connection
/// Attempt Delay" that RFC 8305 recommends.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to the address of `endpoint` that answers first.
///
/// The name is resolved anew each time, so that a peer that moved is found again. Of several
/// addresses the one to begin with is another for each `attempt`: one that takes connections and
/// is of no use otherwise does not hide the others.
///
/// # Cancel safety
///
/// All attempts end if the future is dropped.
pub(crate) async fn connect(
    endpoint: &TcpEndpoint,
    options: &TransportOptions,
    attempt: usize,
) -> io::Result<(TcpStream, SocketAddr)> {
    let Some(proxy) = &options.tcp.proxy else {
        return connect_from(endpoint.source.as_ref(), endpoint, options, attempt).await;
    };
    let (mut stream, address) =
        connect_from(endpoint.source.as_ref(), &proxy.endpoint, options, attempt).await?;
    let negotiation = negotiate(&mut stream, proxy, endpoint);
    tokio::time::timeout(NEGOTIATION_TIMEOUT, negotiation).await??;
    Ok((stream, address))
}

async fn connect_from(
    source: Option<&TcpSource>,
    endpoint: &TcpEndpoint,
    options: &TransportOptions,
    attempt: usize,
) -> io::Result<(TcpStream, SocketAddr)> {
    let mut addresses = remote(&endpoint.host, endpoint.port, &options.tcp.resolver).await?;
    let first = attempt.checked_rem(addresses.len()).unwrap_or(0);
    addresses.rotate_left(first);
    let sources = match source {
        Some(source) => source_addresses(source).await?,
        None => Vec::new(),
    };
    connect_any(&addresses, &sources, options).await
}

/// Connects to the one of `addresses` that answers first, beginning with the first ("Happy
/// Eyeballs", RFC 8305 section 5).
pub(super) async fn connect_any(
    addresses: &[SocketAddr],
    sources: &[SocketAddr],
    options: &TransportOptions,
) -> io::Result<(TcpStream, SocketAddr)> {
    if let [address] = *addresses {
        let socket = prepare(address, sources, options)?;
        return connect_one(socket, address).await;
    }
    let mut last_error = no_address();
    let mut attempts = JoinSet::new();
    let mut addresses = addresses.iter().copied();
    loop {
        let next = addresses.next();
        let has_next = addresses.len() > 0;
        if let Some(address) = next {
            match prepare(address, sources, options) {
                Ok(socket) => {
                    attempts.spawn(connect_one(socket, address));
                }
                Err(error) => {
                    last_error = error;
                    continue;
                }
            }
        }
        // Ends when an attempt has ended, or it is time for the next one.
        tokio::select! {
            biased;
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(connected))) => return Ok(connected),
                Some(Ok(Err(error))) => last_error = error,
                Some(Err(error)) => last_error = io::Error::other(error),
                None => return Err(last_error),
            },
            () = tokio::time::sleep(ATTEMPT_DELAY), if has_next => {}
        }
    }
}

async fn source_addresses(source: &TcpSource) -> io::Result<Vec<SocketAddr>> {
    // The address that is connected to decides which version it is.
    local(&source.host, source.port, IpVersions::Both).await
}

/// A socket that is ready to connect to `address`, from one of `sources` if there are any.
fn prepare(
    address: SocketAddr,
    sources: &[SocketAddr],
    options: &TransportOptions,
) -> io::Result<TcpSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    options.buffers.apply(&SockRef::from(&socket))?;
    options.tcp.apply(&SockRef::from(&socket), &address)?;
    if !sources.is_empty() {
        let source = sources
            .iter()
            .find(|source| source.is_ipv6() == address.is_ipv6())
            .ok_or_else(no_source)?;
        // The port that is asked for may belong to a connection that has just ended.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&(*source).into())?;
    }
    Ok(TcpSocket::from_std_stream(socket.into()))
}

async fn connect_one(
    socket: TcpSocket,
    address: SocketAddr,
) -> io::Result<(TcpStream, SocketAddr)> {
    let stream = socket.connect(address).await?;
    // A port of this machine that nobody listens on may be given to the connecting end itself,
    // which then finds its own other end.
    if stream.local_addr().ok() == Some(address) {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    set_no_delay(&stream);
    Ok((stream, address))
}

/// Sends each write at once; this crate batches better than Nagle's algorithm.
pub(super) fn set_no_delay(stream: &TcpStream) {
    // Fails only for a connection that is gone already, which the next read will tell.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
}

fn no_source() -> io::Error {
    let text = "the source has no address of the version of IP that the peer has";
    io::Error::new(io::ErrorKind::AddrNotAvailable, text)
}
