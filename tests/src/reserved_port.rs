//! A port where tests may listen as often as they like, because nobody else is given it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port of the loopback interface, reserved until this is dropped.
///
/// A port that was only looked for, or whose listener has gone, is free for everybody: the system
/// may hand it to whoever binds or connects next, in the time until a test wants it back. This one
/// stays bound by a socket that does not listen. Connections to it are refused, nobody gets it who
/// asks for any port, and whoever asks for this one can have it: every ZeroMQ binds with
/// `SO_REUSEADDR`, as does the standard library.
#[derive(Debug)]
pub struct ReservedPort {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl ReservedPort {
    /// Reserves a port that was free.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub fn new() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self {
            address: socket.local_addr()?,
            _socket: socket,
        })
    }

    /// Returns where to listen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns where to listen, as an endpoint.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("tcp://{}", self.address)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn whoever_names_the_port_listens_there_again_and_again() {
        let port = ReservedPort::new().unwrap();
        for _ in 0..3 {
            let refused = TcpStream::connect(port.address()).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            let listener = TcpListener::bind(port.address()).unwrap();
            let client = TcpStream::connect(port.address()).unwrap();
            let (server, _) = listener.accept().unwrap();
            // What is left of a connection whose server went first keeps nobody out.
            drop((server, listener, client));
        }
    }

    /// A smoke test: among so many ports as there are, one that was free might not be given away,
    /// either.
    #[test]
    fn nobody_is_given_the_port() {
        let port = ReservedPort::new().unwrap();
        let others: Vec<_> = (0..200).map(|_| ReservedPort::new().unwrap()).collect();
        assert!(others.iter().all(|other| other.address() != port.address()));
    }
}
