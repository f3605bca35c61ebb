//! What the operating system does for a connection.

use std::time::Duration;

use super::Builder;
use crate::socket::Socket;
use crate::transport::{IpVersions, TcpKeepAlive};

impl<S: Socket> Builder<S> {
    /// Listens by IPv6 as well as by IPv4: a wildcard host stands for all interfaces with both, `[::]`
    /// also accepts IPv4, and of a name the first address is bound, whichever version that is.
    /// Default: a wildcard stands for IPv4, and an IPv4 address of a name comes first.
    ///
    /// Addresses of both versions can always be bound and connected to.
    pub fn ipv6(mut self) -> Self {
        self.options.transport.tcp.ip_versions = IpVersions::Both;
        self
    }

    /// Lets the operating system ask silent peers whether they are still there (`SO_KEEPALIVE`).
    /// Default: as the operating system does, which is not to ask.
    pub fn tcp_keepalive(mut self, keep_alive: TcpKeepAlive) -> Self {
        self.options.transport.tcp.keep_alive = Some(keep_alive);
        self
    }

    /// How long sent data may stay without an answer before the operating system ends the connection
    /// (`TCP_USER_TIMEOUT`; what libzmq calls `TCP_MAXRT`), in whole milliseconds. Linux only:
    /// elsewhere binding and connecting fail. Default: the operating system decides.
    pub fn tcp_max_retransmit_time(mut self, time: Duration) -> Self {
        self.options.transport.tcp.max_retransmit_time = Some(time);
        self
    }

    /// How many octets the operating system buffers for sending on a connection (`SO_SNDBUF`).
    /// Default: the operating system decides, and Linux adapts that to the connection.
    pub fn send_buffer(mut self, octets: usize) -> Self {
        self.options.transport.buffers.send = Some(octets);
        self
    }

    /// How many octets the operating system buffers for receiving on a connection (`SO_RCVBUF`).
    /// Default: the operating system decides, and Linux adapts that to the connection.
    pub fn receive_buffer(mut self, octets: usize) -> Self {
        self.options.transport.buffers.receive = Some(octets);
        self
    }

    /// Sends and receives through this network interface alone (`SO_BINDTODEVICE`). Linux only:
    /// elsewhere binding and connecting fail, as they do without the privilege that some systems
    /// want for it. Default: routes decide.
    pub fn bind_to_device(mut self, interface: &str) -> Self {
        self.options.transport.tcp.device = Some(interface.into());
        self
    }

    /// Marks packets for routers: the type of service of IPv4, the traffic class of IPv6. Linux only:
    /// elsewhere binding and connecting fail. Default: 0.
    pub fn type_of_service(mut self, octet: u8) -> Self {
        self.options.transport.tcp.type_of_service = Some(octet);
        self
    }

    /// In which queue of a network interface packets wait (`SO_PRIORITY`): 0 to 6 without
    /// privileges. Linux only: elsewhere binding and connecting fail. Default: 0.
    pub fn priority(mut self, priority: u32) -> Self {
        self.options.transport.tcp.priority = Some(priority);
        self
    }
}
