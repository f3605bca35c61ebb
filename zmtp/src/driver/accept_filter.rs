//! Who may connect, as far as the operating system tells (L3).

use std::collections::BTreeSet;

use crate::endpoint::{IpNetwork, PeerAddress};

/// Whose connections are accepted. What nothing is said about is open to all; an empty list is open
/// to nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct AcceptFilter {
    /// For tcp.
    pub(crate) networks: Option<Vec<IpNetwork>>,
    /// For ipc, as the two below: one match is enough.
    pub(crate) users: Option<BTreeSet<u32>>,
    pub(crate) groups: Option<BTreeSet<u32>>,
    pub(crate) processes: Option<BTreeSet<i32>>,
}

impl AcceptFilter {
    /// Whether a connection from `address` is accepted.
    pub(crate) fn allows(&self, address: &PeerAddress) -> bool {
        match address {
            PeerAddress::Tcp(address) => self.networks.as_ref().is_none_or(|networks| {
                let mut networks = networks.iter();
                networks.any(|network| network.contains(address.ip()))
            }),
            PeerAddress::Ipc(_) => self.allows_process(address),
            PeerAddress::Inproc(_) => true,
        }
    }

    fn allows_process(&self, address: &PeerAddress) -> bool {
        if self.users.is_none() && self.groups.is_none() && self.processes.is_none() {
            return true;
        }
        // Whoever is not known is not on the list.
        address.credentials().is_some_and(|peer| {
            is_listed(&self.users, Some(peer.user_id))
                || is_listed(&self.groups, Some(peer.group_id))
                || is_listed(&self.processes, peer.process_id)
        })
    }
}

fn is_listed<T: Ord>(list: &Option<BTreeSet<T>>, id: Option<T>) -> bool {
    list.as_ref()
        .zip(id)
        .is_some_and(|(list, id)| list.contains(&id))
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
    fn an_empty_list_lets_nobody_of_its_kind_connect() {
        let filter = AcceptFilter {
            networks: Some(Vec::new()),
            ..AcceptFilter::default()
        };
        assert!(!filter.allows(&tcp("192.0.2.1:1")));
        assert!(filter.allows(&ipc(None)));
        let filter = AcceptFilter {
            users: Some(BTreeSet::new()),
            ..AcceptFilter::default()
        };
        let peer = || ipc(Some(PeerCredentials::new(0, 5, Some(1))));
        assert!(!filter.allows(&peer()));
        assert!(filter.allows(&tcp("192.0.2.1:1")));
        let filter = AcceptFilter {
            groups: Some([5].into()),
            ..filter
        };
        assert!(filter.allows(&peer()));
    }

    #[test]
    fn networks_are_for_tcp_alone() {
        let filter = AcceptFilter {
            networks: Some(vec![
                "192.0.2.0/24".parse().unwrap(),
                "::1".parse().unwrap(),
            ]),
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
            users: Some([1].into()),
            groups: Some([2].into()),
            processes: Some([3].into()),
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
