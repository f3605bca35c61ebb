//! What the peer said about itself.

use crate::endpoint::PeerAddress;
use crate::message::Part;
use crate::pattern::{RoutingId, RoutingIdError, SocketType};
#[cfg(feature = "socket")]
use crate::session::SessionConfig;
use crate::session::{Incompatible, Malformed, SessionError};
use crate::wire::greeting::{MechanismName, SecurityRole, Version};
use crate::wire::metadata::{Metadata, Resource};

/// The peer of an open session, as it described itself.
///
/// None of it is proven, except [`user_id`](Self::user_id) and [`granted`](Self::granted), which an
/// authenticator has decided, and [`address`](Self::address).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerInfo {
    /// Where the peer is, if whoever runs the session has said so: sockets do.
    pub address: Option<PeerAddress>,
    /// The version that the peer announced, which may be higher than ours.
    pub version: Version,
    /// The role that the peer claimed in the security handshake, which is often wrong.
    pub role: SecurityRole,
    /// The type of the peer's socket.
    pub socket_type: SocketType,
    /// The name that the peer chose, if our socket is a ROUTER.
    pub routing_id: Option<RoutingId>,
    /// Which service behind our address the peer asks for, if it says so. Any may be asked for
    /// `[ZMTP31-090]`; an application that offers several decides what that means.
    pub resource: Option<Resource>,
    /// The properties that the peer sent, except `User-Id` and `Peer-Address`, which are not for it
    /// to say. Nothing may be allowed because of them.
    pub metadata: Metadata,
    /// The properties that an authenticator has given to the peer, whatever the peer says
    /// `[ZAP-030]`.
    pub granted: Metadata,
    /// The security mechanism of the connection.
    pub mechanism: MechanismName,
    /// Who the peer is, if an authenticator has said so `[ZAP-029]`.
    pub user_id: Option<Part>,
}

/// What [`PeerInfo`] has from elsewhere than the peer's metadata.
#[derive(Debug)]
pub(super) struct Announced {
    pub(super) version: Version,
    pub(super) role: SecurityRole,
    pub(super) mechanism: MechanismName,
    pub(super) authorization: Authorization,
}

/// What an authenticator has said about the peer.
#[derive(Debug, Default)]
pub(super) struct Authorization {
    pub(super) user_id: Option<Part>,
    pub(super) metadata: Metadata,
}

impl PeerInfo {
    /// Judges a socket of this process as if it had announced what `theirs` says.
    #[cfg(feature = "socket")]
    pub(crate) fn in_process(
        ours: SocketType,
        theirs: &SessionConfig,
    ) -> Result<Self, SessionError> {
        let announced = Announced {
            version: Version::V3_1,
            role: SecurityRole::Client,
            mechanism: MechanismName::NULL,
            authorization: Authorization::default(),
        };
        Self::new(ours, announced, theirs.announced_metadata())
    }

    /// The same peer, of which it is known where it is.
    #[cfg(feature = "socket")]
    pub(crate) fn at(&self, address: Option<PeerAddress>) -> Self {
        Self {
            address,
            ..self.clone()
        }
    }

    /// Judges the properties that a peer sent to a socket of type `ours`.
    pub(super) fn new(
        ours: SocketType,
        announced: Announced,
        metadata: Metadata,
    ) -> Result<Self, SessionError> {
        let theirs = metadata
            .get(Metadata::SOCKET_TYPE)
            .ok_or(Incompatible::MissingSocketType)?;
        let theirs = SocketType::from_wire(theirs).map_err(|_| Incompatible::UnknownSocketType)?;
        if !ours.is_compatible(theirs) {
            return Err(Incompatible::SocketType { ours, theirs }.into());
        }
        let identity = metadata
            .get(Metadata::IDENTITY)
            .filter(|_| theirs.announces_routing_id())
            .map(Part::as_slice)
            .unwrap_or_default();
        let routing_id = routing_id(ours, identity).map_err(Malformed::RoutingId)?;
        let resource = metadata.get(Metadata::RESOURCE);
        let resource = resource.map(Resource::new);
        let resource = resource.transpose().map_err(Malformed::Resource)?;
        let Authorization {
            user_id,
            metadata: granted,
        } = announced.authorization;
        Ok(Self {
            address: None,
            version: announced.version,
            role: announced.role,
            socket_type: theirs,
            routing_id,
            resource,
            metadata: without_local(metadata),
            granted,
            mechanism: announced.mechanism,
            user_id,
        })
    }
}

/// What a peer says, as far as it may.
fn without_local(mut metadata: Metadata) -> Metadata {
    for name in LOCAL_PROPERTIES {
        metadata.remove(name);
    }
    metadata
}

fn routing_id(ours: SocketType, identity: &[u8]) -> Result<Option<RoutingId>, RoutingIdError> {
    // [ZMTP31-085] An identity has at most 255 octets, whether or not it matters.
    if identity.len() > RoutingId::MAX_LEN {
        return Err(RoutingIdError::TooLong {
            len: identity.len(),
        });
    }
    // [ZMTP31-084] Only a ROUTER looks at it; [INT-003] empty means none.
    if ours != SocketType::Router || identity.is_empty() {
        return Ok(None);
    }
    RoutingId::new(identity).map(Some)
}

/// Properties that the receiving side adds after authentication. A peer that sends them itself
/// pretends to be somebody.
const LOCAL_PROPERTIES: [&str; 2] = ["User-Id", "Peer-Address"];
