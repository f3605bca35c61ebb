//! What a session announces and accepts.

use std::time::Duration;

use crate::mechanism::MechanismConfig;
use crate::pattern::{RoutingId, SocketType};
use crate::session::{Heartbeat, Limits};
use crate::wire::metadata::{Metadata, Resource};

/// The configuration of one [`Session`](crate::session::Session).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionConfig {
    /// The type of our socket.
    ///
    /// A session of RADIO passes messages on and does not tell JOIN and LEAVE of its peers.
    pub socket_type: SocketType,
    /// Which side of the connection we are.
    pub side: Side,
    /// The name by which a ROUTER shall know us; announced by REQ, DEALER and ROUTER only.
    pub routing_id: Option<RoutingId>,
    /// How the connection is secured.
    pub mechanism: MechanismConfig,
    /// Which service behind the address is asked for, if there are several.
    pub resource: Option<Resource>,
    /// Properties to announce beside those of the protocol, whose names are `Socket-Type`,
    /// `Identity` and `Resource` and are left out here. Applications own the names that begin with `X-`.
    pub metadata: Metadata,
    /// What is too much.
    pub limits: Limits,
    /// How long the peer has to finish the handshake, from the start of the connection; 30 seconds.
    pub handshake_timeout: Option<Duration>,
    /// Whether and how a silent peer is asked for signs of life; not at all.
    pub heartbeat: Option<Heartbeat>,
}

/// Which side of a connection somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two sides")]
pub enum Side {
    /// The side that made the connection, and makes it again when it is lost.
    Connector,
    /// The side that accepted it.
    Listener,
}

impl SessionConfig {
    /// Returns the defaults for a socket type: NULL, no routing id, and no heartbeat.
    pub fn new(socket_type: SocketType, side: Side) -> Self {
        Self {
            socket_type,
            side,
            routing_id: None,
            mechanism: MechanismConfig::default(),
            resource: None,
            metadata: Metadata::new(),
            limits: Limits::default(),
            handshake_timeout: Some(HANDSHAKE_TIMEOUT),
            heartbeat: None,
        }
    }

    /// Returns what the handshake announces `[ZMTP31-076]` `[INT-004]`.
    pub(super) fn announced_metadata(&self) -> Metadata {
        let mut announced = Metadata::new();
        let identity = self
            .routing_id
            .as_ref()
            .filter(|_| self.socket_type.announces_routing_id());
        let resource = self.resource.as_ref();
        let own = [
            Some((Metadata::SOCKET_TYPE, self.socket_type.as_str().into())),
            identity.map(|id| (Metadata::IDENTITY, id.as_part().clone())),
            resource.map(|resource| (Metadata::RESOURCE, resource.as_str().into())),
        ];
        let others = self.metadata.iter();
        let others = others.map(|(name, value)| (name.as_str(), value.clone()));
        let others = others.filter(|(name, _)| !is_own(name));
        for (name, value) in own.into_iter().flatten().chain(others) {
            // Names and values are legal already, and none comes twice.
            let _ = announced.insert(name, value);
        }
        announced
    }
}

/// Whether it is for the protocol to say a property of this name.
fn is_own(name: &str) -> bool {
    let own = [
        Metadata::SOCKET_TYPE,
        Metadata::IDENTITY,
        Metadata::RESOURCE,
    ];
    own.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Enough for the slowest network, as in libzmq.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(config: &SessionConfig) -> Vec<(String, Vec<u8>)> {
        let announced = config.announced_metadata();
        let properties = announced.iter();
        properties
            .map(|(name, value)| (name.to_string(), value.to_vec()))
            .collect()
    }

    fn property(name: &str, value: &[u8]) -> (String, Vec<u8>) {
        (name.to_owned(), value.to_vec())
    }

    // ZMTP31-068, ZMTP31-076, INT-004
    #[test]
    fn socket_type_comes_first_and_what_the_protocol_says_only_once() {
        let mut config = SessionConfig::new(SocketType::Push, Side::Connector);
        let properties = [
            ("X-key", "value"),
            ("socket-type", "PULL"),
            ("resource", "not a\0resource"),
        ];
        for (name, value) in properties {
            config.metadata.insert(name, value).unwrap();
        }
        assert_eq!(
            announced(&config),
            [
                property("Socket-Type", b"PUSH"),
                property("X-key", b"value")
            ]
        );
    }

    // ZMTP31-083, ZMTP31-084
    #[test]
    fn routing_id_is_announced_where_it_has_a_meaning() {
        for socket_type in SocketType::ALL {
            let mut config = SessionConfig::new(socket_type, Side::Connector);
            config.routing_id = Some(RoutingId::new("me").unwrap());
            config.metadata.insert("identity", "not me").unwrap();
            let expected = [
                property("Socket-Type", socket_type.as_str().as_bytes()),
                property("Identity", b"me"),
            ];
            let count = match socket_type {
                SocketType::Req | SocketType::Dealer | SocketType::Router => 2,
                _ => 1,
            };
            assert_eq!(announced(&config), expected[..count]);
        }
    }
}
