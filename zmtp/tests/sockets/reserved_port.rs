//! A port where a test listens later or once more, because nobody else is given it meanwhile.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port of the loopback interface, reserved until this is dropped.
///
/// A port that was free a moment ago, or whose listener has gone, is anybody's: the system may give
/// it to whoever binds or connects next. This one stays bound by a socket that does not listen, so
/// that connections to it are refused, and nobody gets it but who asks for it by its number.
#[derive(Debug)]
pub(crate) struct ReservedPort {
    address: SocketAddr,
    endpoint: String,
    _socket: TcpSocket,
}

impl ReservedPort {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Those who listen here set it as well, and so may do it beside this one.
        socket.set_reuseaddr(true).unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(any).unwrap();
        let address = socket.local_addr().unwrap();
        Self {
            address,
            endpoint: format!("tcp://{address}"),
            _socket: socket,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}
