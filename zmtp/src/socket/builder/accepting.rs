//! How many connections are accepted, and whose.

use super::Builder;
use crate::endpoint::IpNetwork;
use crate::socket::Socket;

impl<S: Socket> Builder<S> {
    /// How many connections the operating system keeps ready to be accepted. Default: 1024.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.options.transport.backlog = connections;
        self
    }

    /// How many accepted connections may be open. Further ones take the place of connections that
    /// still shake hands, or are closed as they come if there is none. Default: 65 536.
    ///
    /// As many connections, or 64 where that is more, may have ended with messages that nobody has
    /// received, or subscriptions that an XPUB has not been told of; while there are so many, none is
    /// accepted.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.options.max_connections = connections;
        self
    }

    /// Accepts tcp connections from these networks alone, before a handshake begins. Default: from
    /// everywhere; from nowhere if there is none in the list. See [`IpNetwork`] for how to name them.
    pub fn accept_networks(mut self, networks: impl IntoIterator<Item = IpNetwork>) -> Self {
        self.options.accept_filter.networks = Some(networks.into_iter().collect());
        self
    }

    /// Accepts ipc connections from processes of these users alone, and of those that
    /// [`Self::accept_groups`] and [`Self::accept_processes`] name. Default: from all, while none of
    /// the three is called; lists without anybody in them accept nobody.
    ///
    /// What counts is the effective user id when the process connected. Where the operating system
    /// does not tell, nobody is accepted.
    pub fn accept_users(mut self, user_ids: impl IntoIterator<Item = u32>) -> Self {
        self.options.accept_filter.users = Some(user_ids.into_iter().collect());
        self
    }

    /// As [`Self::accept_users`], by the effective group id; the supplementary groups of a process
    /// do not count.
    pub fn accept_groups(mut self, group_ids: impl IntoIterator<Item = u32>) -> Self {
        self.options.accept_filter.groups = Some(group_ids.into_iter().collect());
        self
    }

    /// As [`Self::accept_users`], by the process id.
    pub fn accept_processes(mut self, process_ids: impl IntoIterator<Item = i32>) -> Self {
        self.options.accept_filter.processes = Some(process_ids.into_iter().collect());
        self
    }

    /// How many accepted connections may be in their handshake; half of that from one IPv4 address,
    /// one /64 network of IPv6, or one local user. The oldest makes room for the newest.
    /// Default: 8192; never more than half of [`Self::max_connections`], nor less than one.
    pub fn max_half_open(mut self, connections: usize) -> Self {
        self.options.max_half_open = connections;
        self
    }
}
