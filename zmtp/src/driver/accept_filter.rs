//! Who may connect, as far as the operating system tells (L3).

use std::collections::BTreeSet;

use crate::endpoint::{IpNetwork, PeerAddress};

/// Whose connections are accepted. What nothing is said about is open to all.
#[derive(Clone, Debug, Default)]
pub(crate) struct AcceptFilter {
    /// For tcp.
    pub(crate) networks: Vec<IpNetwork>,
    /// For ipc, as the two below: one match is enough.
    pub(crate) users: BTreeSet<u32>,
    pub(crate) groups: BTreeSet<u32>,
    pub(crate) processes: BTreeSet<i32>,
}

impl AcceptFilter {
    /// Whether a connection from `address` is accepted.
    pub(crate) fn allows(&self, address: &PeerAddress) -> bool {
        match address {
            PeerAddress::Tcp(address) => {
                let mut networks = self.networks.iter();
                self.networks.is_empty() || networks.any(|network| network.contains(address.ip()))
            }
            PeerAddress::Ipc(_) => self.allows_process(address),
            PeerAddress::Inproc(_) => true,
        }
    }

    fn allows_process(&self, address: &PeerAddress) -> bool {
        if self.users.is_empty() && self.groups.is_empty() && self.processes.is_empty() {
            return true;
        }
        // Whoever is not known is not on the list.
        address.credentials().is_some_and(|peer| {
            self.users.contains(&peer.user_id)
                || self.groups.contains(&peer.group_id)
                || peer
                    .process_id
                    .is_some_and(|process| self.processes.contains(&process))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{IpcName, IpcPeer, PeerCredentials};

    fn ipc(credentials: Option<PeerCredentials>) -> PeerAddress {
        IpcPeer::new(IpcName::Unnamed, credentials).into()
    }

    fn tcp(address: &str) -> PeerAddress {
        PeerAddress::Tcp(address.parse().unwrap())
    }

    #[test]
    fn everybody_may_connect_where_nothing_is_said() {
        let filter = AcceptFilter::default();
        assert!(filter.allows(&tcp("192.0.2.1:1")));
        assert!(filter.allows(&ipc(None)));
    }

    #[test]
    fn networks_are_for_tcp_alone() {
        let filter = AcceptFilter {
            networks: vec!["192.0.2.0/24".parse().unwrap(), "::1".parse().unwrap()],
            ..AcceptFilter::default()
        };
        assert!(filter.allows(&tcp("192.0.2.1:1")));
        assert!(filter.allows(&tcp("[::1]:1")));
        assert!(!filter.allows(&tcp("192.0.3.1:1")));
        assert!(filter.allows(&ipc(None)));
    }

    #[test]
    fn a_process_needs_one_of_the_three_to_match_and_to_be_known() {
        let filter = AcceptFilter {
            users: [1].into(),
            groups: [2].into(),
            processes: [3].into(),
            ..AcceptFilter::default()
        };
        let peer = |user, group, process| ipc(Some(PeerCredentials::new(user, group, process)));
        assert!(filter.allows(&peer(1, 0, None)));
        assert!(filter.allows(&peer(0, 2, None)));
        assert!(filter.allows(&peer(0, 0, Some(3))));
        assert!(!filter.allows(&peer(2, 3, Some(1))));
        assert!(!filter.allows(&ipc(None)));
        assert!(filter.allows(&tcp("192.0.2.1:1")));
    }
}
