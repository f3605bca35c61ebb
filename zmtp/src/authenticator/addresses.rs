//! Letting peers in by where they are.

use crate::authenticator::decide::decided;
use crate::authenticator::{Authenticator, Candidate, Deciding};
use crate::endpoint::IpNetwork;
use crate::mechanism::{Decision, Denial};

/// Decides by the address of the peer, with every mechanism.
///
/// Addresses can be forged where networks are not trusted, and are shared by all users of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    rule: Rule,
    networks: Vec<IpNetwork>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Only peers of the networks come in.
    Allow,
    /// All peers but those come in.
    Deny,
}

impl Addresses {
    /// Returns an authenticator that lets in the peers of these networks only.
    ///
    /// Peers without an IP address, over ipc, stay out.
    pub fn allow(networks: impl IntoIterator<Item = IpNetwork>) -> Self {
        Self {
            rule: Rule::Allow,
            networks: networks.into_iter().collect(),
        }
    }

    /// Returns an authenticator that lets in all peers but those of these networks.
    ///
    /// Peers without an IP address, over ipc, come in.
    pub fn deny(networks: impl IntoIterator<Item = IpNetwork>) -> Self {
        Self {
            rule: Rule::Deny,
            networks: networks.into_iter().collect(),
        }
    }

    fn lets_in(&self, candidate: &Candidate) -> bool {
        let ip = candidate.address.ip();
        let is_listed = ip.is_some_and(|ip| {
            let mut networks = self.networks.iter();
            networks.any(|network| network.contains(ip))
        });
        match self.rule {
            Rule::Allow => is_listed,
            Rule::Deny => !is_listed,
        }
    }
}

impl Authenticator for Addresses {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        decided(if self.lets_in(candidate) {
            Decision::allowed()
        } else {
            Decision::Deny(Denial::Refused)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::endpoint::{IpcName, IpcPeer, PeerAddress};
    use crate::mechanism::Credentials;

    // ZAP-045
    #[tokio::test]
    async fn networks_are_let_in_or_kept_out() {
        let inside: SocketAddr = "192.0.2.7:1".parse().unwrap();
        let outside: SocketAddr = "198.51.100.7:1".parse().unwrap();
        let local = IpcPeer::new(IpcName::Unnamed, None);
        let network: IpNetwork = "192.0.2.0/24".parse().unwrap();
        for (authenticator, expected) in [
            (Addresses::allow([network]), [true, false, false]),
            (Addresses::deny([network]), [false, true, true]),
            (Addresses::allow([]), [false, false, false]),
            (Addresses::deny([]), [true, true, true]),
        ] {
            let addresses: [PeerAddress; 3] = [inside.into(), outside.into(), local.clone().into()];
            for (address, expected) in addresses.into_iter().zip(expected) {
                let candidate = Candidate::new(address, Credentials::Null);
                let decision = authenticator.authenticate(&candidate).await;
                assert_eq!(decision == Decision::allowed(), expected, "{candidate:?}");
            }
        }
    }
}
