//! A peer that wants in.

use crate::endpoint::PeerAddress;
use crate::mechanism::Credentials;
use crate::message::Part;
use crate::wire::greeting::MechanismName;
use crate::wire::metadata::Metadata;
use crate::zap::{Domain, Request};

/// A peer that wants in, with everything that is known about it by now.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Candidate {
    /// The name of the set of credentials that the peer has to be in, if our socket has one.
    pub domain: Option<Domain>,
    /// Where the peer is, as the operating system says: the proxy, if our socket connected through one.
    pub address: PeerAddress,
    /// What the peer has to show for itself.
    pub credentials: Credentials,
    /// What the peer has announced by now, and only the peer vouches for; empty unless with CURVE
    /// `[ZAP-014]`.
    pub metadata: Metadata,
}

impl Candidate {
    /// Returns a peer that has announced nothing yet.
    pub const fn new(address: PeerAddress, credentials: Credentials) -> Self {
        Self {
            domain: None,
            address,
            credentials,
            metadata: Metadata::new(),
        }
    }

    /// Returns the security mechanism of the connection.
    pub const fn mechanism(&self) -> MechanismName {
        self.credentials.mechanism()
    }

    /// Returns the routing id that the peer has announced; empty if it has not, or not yet.
    pub fn identity(&self) -> &[u8] {
        self.metadata.get(Metadata::IDENTITY).unwrap_or_default()
    }

    /// Returns the address in the form of ZAP: the IP address of a tcp peer, `:uid:gid:pid` of an
    /// ipc peer as far as the operating system tells them, and nothing for others `[ZAP-012]`
    /// `[ZAP-013]`.
    ///
    /// An IPv4 address that is mapped into IPv6 is written as IPv4, so that one rule fits a host
    /// however our socket listens.
    pub fn zap_address(&self) -> String {
        if let Some(ip) = self.address.ip() {
            return ip.to_canonical().to_string();
        }
        let Some(credentials) = self.address.credentials() else {
            return String::new();
        };
        let process_id = credentials.process_id.map(|id| id.to_string());
        format!(
            ":{}:{}:{}",
            credentials.user_id,
            credentials.group_id,
            process_id.unwrap_or_default()
        )
    }

    /// Returns the request that a ZAP handler understands.
    ///
    /// The copies of user name and password in it are not wiped when it is dropped.
    pub fn to_zap_request(&self, request_id: impl Into<Part>) -> Request {
        let credentials = match &self.credentials {
            Credentials::Null => Vec::new(),
            // [PLAIN-024] [ZAP-016] Exactly these.
            Credentials::Plain(credentials) => vec![
                Part::from(credentials.expose_username()),
                Part::from(credentials.expose_password()),
            ],
            #[cfg(feature = "curve")]
            Credentials::Curve { public_key } => vec![Part::from(public_key.as_octets())],
        };
        Request {
            request_id: request_id.into(),
            domain: self
                .domain
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            address: self.zap_address(),
            identity: self.identity().into(),
            mechanism: self.mechanism(),
            credentials,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::endpoint::{IpcName, IpcPeer, PeerCredentials};
    use crate::mechanism::PlainCredentials;

    fn candidate(address: PeerAddress) -> Candidate {
        Candidate::new(address, Credentials::Null)
    }

    // ZAP-012, ZAP-013
    #[test]
    fn address_is_that_of_the_host_alone() {
        for (address, expected) in [
            ("192.0.2.7:1234", "192.0.2.7"),
            ("[::1]:1234", "::1"),
            ("[2001:db8::7]:1234", "2001:db8::7"),
            ("[::ffff:192.0.2.7]:1234", "192.0.2.7"),
        ] {
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(candidate(address.into()).zap_address(), expected);
        }
        let known = PeerCredentials::new(1000, 100, Some(7));
        for (credentials, expected) in [(Some(known), ":1000:100:7"), (None, "")] {
            let peer = IpcPeer::new(IpcName::Unnamed, credentials);
            assert_eq!(candidate(peer.into()).zap_address(), expected);
        }
    }

    // ZAP-014, ZAP-016, PLAIN-024
    #[test]
    fn a_handler_gets_what_we_know() {
        let address = PeerAddress::from(SocketAddr::from(([192, 168, 55, 1], 9)));
        let credentials = PlainCredentials::new("admin", "secret").unwrap();
        let mut candidate = Candidate::new(address, Credentials::Plain(credentials));
        candidate.domain = Some(Domain::new("test").unwrap());
        candidate.metadata.insert("Identity", "BOB").unwrap();
        assert_eq!(
            candidate.to_zap_request("0001").encode().parts(),
            [
                "1.0",
                "0001",
                "test",
                "192.168.55.1",
                "BOB",
                "PLAIN",
                "admin",
                "secret"
            ]
            .map(Part::from)
        );
    }
}
