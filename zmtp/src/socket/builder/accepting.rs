//! How many connections are accepted.

use super::Builder;
use crate::socket::Socket;

impl<S: Socket> Builder<S> {
    /// How many connections the operating system keeps ready to be accepted. Default: 1024.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.options.backlog = connections;
        self
    }

    /// How many accepted connections may be open; more are closed as they come.
    /// Default: 65 536.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.options.max_connections = connections;
        self
    }

    /// How many accepted connections may be in their handshake; half of that from one IPv4 address,
    /// one /64 network of IPv6, or one local user. The oldest makes room for the newest.
    /// Default: 8192.
    pub fn max_half_open(mut self, connections: usize) -> Self {
        self.options.max_half_open = connections;
        self
    }
}
