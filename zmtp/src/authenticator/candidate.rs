//! A peer that wants in.

use std::net::{IpAddr, SocketAddr};

#[cfg(feature = "curve")]
use crate::curve::PublicKey;
use crate::endpoint::{IpcName, IpcPeer, PeerAddress, PeerCredentials};
use crate::mechanism::{Credentials, PlainCredentials};
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

    /// Returns the peer that a ZAP `request` asks about: what a handler makes of what
    /// [`to_zap_request`](Self::to_zap_request) says. The port of a tcp peer is not told and is 0.
    ///
    /// # Errors
    ///
    /// Returns a [`CandidateError`] if the mechanism is unknown, or the address is none that ZAP or
    /// libzmq has.
    pub fn from_zap_request(request: &Request) -> Result<Self, CandidateError> {
        let address = address(&request.address).ok_or_else(|| CandidateError::Address {
            address: request.address.clone(),
        })?;
        let mechanism = request.mechanism;
        let credentials = credentials(request).ok_or(CandidateError::Mechanism { mechanism })?;
        let mut candidate = Self::new(address, credentials);
        // An empty one is none.
        candidate.domain = Domain::new(&request.domain).ok();
        if !request.identity.is_empty() {
            let identity = request.identity.as_slice();
            // It has no more than 255 octets, and is the only property.
            let _ = candidate.metadata.insert(Metadata::IDENTITY, identity);
        }
        Ok(candidate)
    }

    /// Returns the security mechanism of the connection.
    pub const fn mechanism(&self) -> MechanismName {
        self.credentials.mechanism()
    }

    /// Returns the routing id that the peer has announced; empty if it has not, or not yet.
    pub fn identity(&self) -> &[u8] {
        let identity = self.metadata.get(Metadata::IDENTITY);
        identity.map(Part::as_slice).unwrap_or_default()
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

/// Why a request asks about nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CandidateError {
    /// The address is neither an IP address nor what libzmq says of an ipc peer.
    #[error("{address:?} is not the address of a peer")]
    Address {
        /// What the request says.
        address: String,
    },
    /// The mechanism is not known here, or not with these credentials.
    #[error("the mechanism {mechanism} is not known here")]
    Mechanism {
        /// The mechanism.
        mechanism: MechanismName,
    },
}

/// The address that [`Candidate::zap_address`] writes in this way.
fn address(text: &str) -> Option<PeerAddress> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(ip, 0).into());
    }
    let credentials = match text.strip_prefix(':') {
        Some(ids) => Some(process(ids)?),
        None if text.is_empty() => None,
        None => return None,
    };
    Some(IpcPeer::new(IpcName::Unnamed, credentials).into())
}

fn process(ids: &str) -> Option<PeerCredentials> {
    let mut ids = ids.split(':');
    let (user_id, group_id) = (ids.next()?.parse().ok()?, ids.next()?.parse().ok()?);
    let process_id = match ids.next()? {
        "" => None,
        id => Some(id.parse().ok()?),
    };
    let credentials = PeerCredentials::new(user_id, group_id, process_id);
    ids.next().is_none().then_some(credentials)
}

fn credentials(request: &Request) -> Option<Credentials> {
    match (request.mechanism, request.credentials.as_slice()) {
        (MechanismName::NULL, []) => Some(Credentials::Null),
        (MechanismName::PLAIN, [username, password]) => {
            let credentials = PlainCredentials::from_octets(username, password).ok()?;
            Some(Credentials::Plain(credentials))
        }
        #[cfg(feature = "curve")]
        (MechanismName::CURVE, [key]) => {
            let public_key = PublicKey::from_octets(key.as_slice().try_into().ok()?);
            Some(Credentials::Curve { public_key })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

    // ZAP-012, ZAP-013, ZAP-014, ZAP-016
    #[test]
    fn a_handler_learns_what_was_said() {
        let plain = PlainCredentials::new("admin", "secret").unwrap();
        let known = PeerCredentials::new(1000, 100, Some(7));
        let nearly = PeerCredentials::new(1000, 100, None);
        let ipc = |credentials| PeerAddress::from(IpcPeer::new(IpcName::Unnamed, credentials));
        let tcp = |address: &str| PeerAddress::from(address.parse::<SocketAddr>().unwrap());
        for (address, credentials) in [
            (tcp("192.0.2.7:0"), Credentials::Null),
            (tcp("[2001:db8::7]:0"), Credentials::Plain(plain)),
            (ipc(Some(known)), Credentials::Null),
            (ipc(Some(nearly)), Credentials::Null),
            #[cfg(feature = "curve")]
            (
                ipc(None),
                Credentials::Curve {
                    public_key: PublicKey::from_octets([7; 32]),
                },
            ),
        ] {
            let mut told = Candidate::new(address, credentials);
            told.domain = Some(Domain::new("test").unwrap());
            told.metadata.insert("Identity", "BOB").unwrap();
            let heard = Candidate::from_zap_request(&told.to_zap_request("1")).unwrap();
            assert_eq!(heard.address, told.address);
            assert_eq!(heard.credentials, told.credentials);
            assert_eq!(heard.domain, told.domain);
            assert_eq!(heard.identity(), told.identity());
        }
    }

    proptest! {
        #[test]
        fn any_address_is_judged(text in ":?[0-9:.a-f]{0,20}|.{0,20}") {
            let mut request = candidate(PeerAddress::from(IpcPeer::new(IpcName::Unnamed, None)))
                .to_zap_request("1");
            request.address = text;
            if let Ok(candidate) = Candidate::from_zap_request(&request) {
                let again = Candidate::from_zap_request(&candidate.to_zap_request("1")).unwrap();
                prop_assert_eq!(again.zap_address(), candidate.zap_address());
            }
        }
    }

    // ZAP-012, ZAP-013
    #[test]
    fn what_is_no_address_is_nobody() {
        let told = candidate(PeerAddress::from(SocketAddr::from(([127, 0, 0, 1], 9))));
        for address in [
            "localhost",
            "127.0.0.1:9",
            ":",
            ":1",
            ":1:2",
            ":1:2:3:4",
            ":1:x:3",
            ":-1:2:3",
            " ",
        ] {
            let mut request = told.to_zap_request("1");
            request.address = address.to_owned();
            let error = Candidate::from_zap_request(&request).unwrap_err();
            let address = address.to_owned();
            assert_eq!(error, CandidateError::Address { address });
        }
        let mut request = told.to_zap_request("1");
        request.mechanism = MechanismName::new("GSSAPI").unwrap();
        let mechanism = request.mechanism;
        assert_eq!(
            Candidate::from_zap_request(&request).unwrap_err(),
            CandidateError::Mechanism { mechanism }
        );
    }
}
